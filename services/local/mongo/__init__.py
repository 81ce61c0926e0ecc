"""The stand-in for MongoDB: nx-27017, the MongoDB protocol on SQLite, with inserts of our own (docs/adr/0009)."""
