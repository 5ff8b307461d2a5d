"""Moving entries between the store here and a remote one, verified at either end."""
