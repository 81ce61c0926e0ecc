"""Complete the look: products of other categories that go with a garment; imports searches, no routes."""
