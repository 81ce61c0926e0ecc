"""A search from request to response; imports contracts and the index nodes, no routes."""
