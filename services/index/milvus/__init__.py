"""Milvus behind the index's API: rows, expressions, searches and changes. It imports the replica and the engine.

Only `collection` imports Milvus's client, when it connects.
"""
