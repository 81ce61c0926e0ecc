"""Backups: the file format, and reading and writing whole catalogues; may import importing, the store and contracts."""
