"""The network that Lookalike ships, trained in steps."""
