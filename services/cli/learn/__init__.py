"""`lookalike learn`: the order that is learned from clicks."""
