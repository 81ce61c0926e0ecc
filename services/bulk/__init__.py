"""Imports and re-embedding by workers of an engine such as Ray; imports catalogue, embedding and local."""
