"""What Pivot shows of results: metrics (parameters, plots and data later)."""
