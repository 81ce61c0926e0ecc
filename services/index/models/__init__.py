"""Which models are indexed and which one is active; imports replica and follow."""
