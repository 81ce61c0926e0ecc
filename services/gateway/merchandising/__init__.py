"""A shop's rules for the order of results: reading, writing and trying them; imports searches, no routes."""
