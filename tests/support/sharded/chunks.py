"""Which shard owns a document: by the hash of its `_id`, as with a shard key `{_id: "hashed"}`."""

import hashlib
from collections.abc import Mapping
from typing import Any

CHUNKS = 16


def chunk_of(document_id: Any) -> int:
    """Return the chunk that a document belongs to."""
    return hashlib.blake2b(str(document_id).encode(), digest_size=1).digest()[0] % CHUNKS


class Chunks:
    """The owner of each chunk."""

    def __init__(self, shards: int) -> None:
        self.owners = [chunk % shards for chunk in range(CHUNKS)]
        self._shards = shards

    def owner(self, document_id: Any) -> int:
        """Return the shard of a document."""
        return self.owners[chunk_of(document_id)]

    def targets(self, condition: Mapping[str, Any]) -> list[int]:
        """Return the shards that may have documents that meet a condition; one if it names an `_id`."""
        wanted = condition.get("_id")
        if isinstance(wanted, Mapping) and "$in" in wanted:
            return sorted({self.owner(document_id) for document_id in wanted["$in"]})
        if wanted is None or isinstance(wanted, Mapping):
            return list(range(self._shards))
        return [self.owner(wanted)]
