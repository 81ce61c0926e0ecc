"""How far an import in blocks has come: a note in the database, from which an interrupted run continues.

The next run skips the rows before the checkpoint only if they are the same rows: the checkpoint has their digest.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from services.catalogue.sources.records.rows import RejectedRow, SourceRow
from services.catalogue.store.notes import CHECKPOINT_PREFIX
from services.contracts.domain.parts import Part

# Rejected rows before the checkpoint, which the next run tries again. Beyond that number the checkpoint stays.
MAX_AGAIN = 10_000


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The rows of a source that are done.

    Attributes:
        rows: their number, from the first row on.
        digest: of these rows (`RowDigest`).
        again: positions, from 0, of those of them that were rejected, wholly or in part.
    """

    rows: int
    digest: str
    again: tuple[int, ...] = ()


class RowDigest:
    """The digest of the rows so far: of everything that a feed says, not of the files of local images."""

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)

    def add(self, row: SourceRow | RejectedRow) -> None:
        """Add the next row."""
        self._hash.update(repr(_facts(row)).encode())

    def text(self) -> str:
        """Return the digest."""
        return self._hash.hexdigest()


def _facts(row: SourceRow | RejectedRow) -> tuple[Any, ...]:
    if isinstance(row, RejectedRow):
        return row.line, row.key, row.reason
    image = row.image if isinstance(row.image, str) else None
    images = [image.name for image in row.images]
    texts = row.title, row.url, row.image_url, row.group, row.hidden
    return row.line, row.key, image, images, texts, row.category_words, row.attributes


class CheckpointNotes(Protocol):
    """The part of `NoteCollection` that checkpoints need."""

    async def get(self, name: str) -> dict[str, Any] | None: ...
    async def put(self, name: str, facts: Mapping[str, Any]) -> None: ...
    async def remove(self, name: str) -> None: ...


class CheckpointNote:
    """The checkpoint of one source, or of a part of it, with one set of options."""

    def __init__(self, notes: CheckpointNotes, source: Path, part: Part, options: Iterable[Any]) -> None:
        """Name the note.

        Args:
            notes: those of the catalogue.
            source: the path of the feed or archive.
            part: the products that are imported; other parts may be imported at the same time.
            options: everything that decides what becomes of a row; with others, all rows are imported again.
        """
        self._notes = notes
        self._name = CHECKPOINT_PREFIX + _hash(f"{part} {source.resolve()}")
        self._options = _hash(repr(tuple(options)))

    async def load(self) -> Checkpoint | None:
        """Return the checkpoint of an interrupted run with the same options, or None."""
        note = await self._notes.get(self._name)
        if note is None or note["options"] != self._options:
            return None
        return Checkpoint(note["rows"], note["digest"], tuple(note["again"]))

    async def save(self, checkpoint: Checkpoint) -> None:
        """Store the checkpoint in the place of the one before."""
        facts = {"rows": checkpoint.rows, "digest": checkpoint.digest, "again": checkpoint.again}
        await self._notes.put(self._name, {"options": self._options, **facts})

    async def remove(self) -> None:
        """Remove the checkpoint: the source is imported to its end."""
        await self._notes.remove(self._name)


class FeedPosition:
    """How far a run has come, moved on by the results of its blocks, which come in order."""

    def __init__(self, start: Checkpoint | None) -> None:
        self._again: set[int] | None = set() if start is None else set(start.again)

    def restart(self) -> None:
        """Forget the rows of an earlier run: the source has other rows now."""
        self._again = set()

    def advance(self, rows: int, digest: str, tried: Iterable[int], rejected: Iterable[int]) -> Checkpoint | None:
        """Return the new checkpoint, or None if it stays where it is because too many rows were rejected.

        Args:
            rows: the rows that are done, from the first one on.
            digest: of these rows.
            tried: the positions of the block's rows.
            rejected: those of them that were rejected, wholly or in part.
        """
        if self._again is None:
            return None
        self._again = (self._again - set(tried)) | set(rejected)
        if len(self._again) > MAX_AGAIN:
            self._again = None
            return None
        return Checkpoint(rows, digest, tuple(sorted(self._again)))


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
