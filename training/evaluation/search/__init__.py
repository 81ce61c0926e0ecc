"""The figures of vectors: what a search finds, and how sure it is of it."""
