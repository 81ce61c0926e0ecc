"""Products, documents, events, filters and settings for tests. Imports nothing else of the tests."""
