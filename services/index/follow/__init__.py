"""Keeping the replica level with the database: change stream, polling and reconciliation; imports the replica and the store."""
