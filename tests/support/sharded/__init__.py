"""A stand-in for a sharded MongoDB: stand-ins as shards, and a router in front of them that speaks the protocol."""
