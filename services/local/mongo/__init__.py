"""The stand-in for MongoDB: nx-27017, the MongoDB protocol on SQLite, made faster (docs/adr/0001); imports only contracts."""
