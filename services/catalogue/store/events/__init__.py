"""The log of searches and events in MongoDB."""
