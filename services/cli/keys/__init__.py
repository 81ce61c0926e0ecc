"""`lookalike keys`: the API keys; imports the catalogue and the shared parts of the command line."""
