"""The command line, lookalike; may import everything in services, and training when a command needs it."""
