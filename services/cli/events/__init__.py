"""`lookalike events` and `lookalike demand`."""
