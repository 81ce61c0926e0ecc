"""The engines of index nodes, by the names that statuses and responses have: `faiss`, `milvus hnsw` and others."""

FAISS = "faiss"
EXACT = frozenset({FAISS, "milvus flat", "milvus gpu"})


def is_exact(engine: str) -> bool:
    """Return whether an engine compares every vector."""
    return engine in EXACT


def continues(engine: str, other: str) -> bool:
    """Return whether the pages of a search may come from both: exact engines return the same products and scores."""
    return engine == other or (is_exact(engine) and is_exact(other))
