"""Web servers, a browser and ports for tests. May import pictures."""
