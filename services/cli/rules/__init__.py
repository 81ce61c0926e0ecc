"""`lookalike rules`: the merchandising rules; calls a gateway, and imports the rules and the shared parts."""
