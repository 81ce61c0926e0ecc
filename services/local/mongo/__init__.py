"""The stand-in for MongoDB: nx-27017, the MongoDB protocol on SQLite, with inserts and change streams that cost less (docs/adr/0001)."""
