"""The HTTP API of the embedding service: routes, bodies and responses; nothing but the app imports it."""
