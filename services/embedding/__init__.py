"""The embedding service: images → categories, vectors and garments; imports only contracts."""
