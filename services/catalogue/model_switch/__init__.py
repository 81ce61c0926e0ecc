"""Changing the model while searches go on: re-embedding, comparison, promotion; imports importing and the store."""
