"""Recording code: from source text to the fingerprint of a stage, without importing it."""
