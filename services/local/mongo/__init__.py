"""The stand-in for MongoDB: a faster nx-27017, the MongoDB protocol on SQLite (docs/adr/0001); imports contracts."""
