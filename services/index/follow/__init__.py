"""Keeps the replica up to date with the database: change stream, polling and reconciliation.

It imports the replica and the catalogue's store.
"""
