"""The original network, trained in epochs."""
