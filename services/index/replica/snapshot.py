"""The index snapshot: a replica in one file, with its origin and the position from which the change stream resumes.

The names of the blocks, of the header's fields and of what results have are a format. In format 2, results may have
fields that 0.1 refuses, so 0.1 reads the database instead. In format 3, payloads may be compressed; a file without such
payloads has format 2. This version reads all three.
"""

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import repeat
from pathlib import Path
from typing import BinaryIO

import numpy as np

from services.catalogue.store.change_feed import Token, read_token, token_text
from services.engine.category_view import CategoryView
from services.engine.gallery import Gallery
from services.engine.packed.codec import TextCodec
from services.engine.packed.rows import PackedRows
from services.index.replica.block_file import CHUNK_ROWS, PIECE_BYTES, BlockReader, BlockWriter, UnusableFile
from services.index.replica.replica import GalleryEntry, Replica, ReplicaState

FORMAT, PLAIN_FORMAT, OLDEST_FORMAT = 3, 2, 1
CheckCancelled = Callable[[], None]
FrozenReplica = tuple[Sequence[CategoryView], ReplicaState]  # as `Replica.freeze` returns it


@dataclass(frozen=True)
class Origin:
    """What a replica is made of. A snapshot of another origin is not used.

    Attributes:
        catalogue: database and collection.
        model: the model whose vectors are indexed, such as `fashion/2`.
        unversioned_model: the model of documents that name none.
        categories: the number of categories.
        dimension: numbers a vector.
        held_categories: the ids of the categories that are held, separated by commas, or `all`; with the part, if the
            node holds one.
    """

    catalogue: str
    model: str
    unversioned_model: str
    categories: int
    dimension: int
    held_categories: str = "all"


@dataclass(frozen=True)
class SyncPosition:
    """How much of the database a replica holds.

    Attributes:
        database: the database's identity.
        token: of the change stream; all changes before it are in the replica. None without a change stream.
        level_at: Unix time, in seconds, at which the replica was up to date with the database.
    """

    database: str
    token: Token | None
    level_at: float


def write(
    path: Path, origin: Origin, position: SyncPosition, replica: FrozenReplica, check_cancelled: CheckCancelled
) -> int:
    """Write a snapshot in place of the previous one. The file is replaced as a whole, or not at all.

    Args:
        path: of the snapshot; a temporary file in the same folder is written first.
        origin: of the replica.
        position: of the replica.
        replica: what `Replica.freeze` returned at that position.
        check_cancelled: called before each piece is written; an exception that it raises ends the writing.

    Returns:
        the number of bytes.

    Raises:
        OSError: the file could not be written. The previous one is still there.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb", buffering=PIECE_BYTES) as file:
            size = _write(file, origin, position, replica, check_cancelled)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    return size


def read(path: Path, origin: Origin, replica: Replica) -> tuple[SyncPosition, int]:
    """Fill an empty replica from a snapshot. Return its position, and the number of bytes.

    Raises:
        UnusableFile: the file is damaged, has another format or another origin.
        OSError: the file cannot be read.
    """
    with BlockReader(path, FORMAT, OLDEST_FORMAT) as file:
        for name, expected in asdict(origin).items():
            value = file.header["origin"].get(name)
            if value != expected:
                raise UnusableFile(f"was made with {name.replace('_', ' ')} {value}, not {expected}")
        legacy_sources: dict[str, str] = {}
        for category in range(origin.categories):
            legacy_sources.update(_read_category(file, category, origin.dimension, replica))
        state = ReplicaState(
            legacy_sources=legacy_sources,
            outranked=_read_outranked(file, origin.dimension),
            skipped=dict(zip(file.strings("skipped"), file.strings("skipped/reasons"), strict=True)),
            image_errors=_read_image_errors(file),
            other_models=frozenset(file.strings("others")),
        )
        replica.restore(state)
        return _read_position(file), file.size


def remove_unfinished(path: Path) -> None:
    """Remove temporary files that a process left when it ended during the writing of a snapshot."""
    for temporary in path.parent.glob(f"{path.name}.*.tmp"):
        temporary.unlink(missing_ok=True)


def _write(
    file: BinaryIO, origin: Origin, position: SyncPosition, replica: FrozenReplica, check_cancelled: CheckCancelled
) -> int:
    views, state = replica
    token = None if position.token is None else token_text(position.token)
    moment = {"database": position.database, "token": token, "level_at": position.level_at}
    header = {"origin": asdict(origin), "moment": moment, "written_at": time.time()}
    is_plain = all(view.base.rows.payloads.codec is None for view in views)
    writer = BlockWriter(file, PLAIN_FORMAT if is_plain else FORMAT, header, check_cancelled)
    for category, view in enumerate(views):
        _write_category(writer, str(category), view, state)
    _write_outranked(writer, state)
    writer.strings("skipped", state.skipped)
    writer.strings("skipped/reasons", state.skipped.values())
    writer.strings("faults", (document_id for document_id, errors in state.image_errors.items() for _ in errors))
    writer.strings("faults/reasons", (error for errors in state.image_errors.values() for error in errors))
    writer.strings("others", state.other_models)
    return writer.finish()


def _read_position(file: BlockReader) -> SyncPosition:
    moment = file.header["moment"]
    token = None if moment["token"] is None else read_token(moment["token"])
    return SyncPosition(moment["database"], token, moment["level_at"])


def _read_category(file: BlockReader, category: int, dimension: int, replica: Replica) -> dict[str, str]:
    """Restore a category of the replica's gallery; return the ids of the legacy documents in it, by key."""
    keys, dictionary = file.packed(f"{category}/keys"), f"{category}/dictionary"
    codec = TextCodec(file.array(dictionary, np.uint8).tobytes(), len(keys)) if dictionary in file else None
    vectors = file.array(f"{category}/vectors", np.float32, dimension)
    image_index = file.array(f"{category}/image", np.uint8)
    rows = PackedRows.of_texts(keys, file.packed(f"{category}/payloads"), image_index, codec)
    assert isinstance(replica.gallery, Gallery)  # another engine keeps its products itself
    replica.gallery.restore(category, vectors, image_index, rows)
    if not file.array(f"{category}/documents.lengths", np.uint32).any():
        return {}
    document_ids = file.strings(f"{category}/documents")
    return {rows.keys[row]: document_id for row, document_id in enumerate(document_ids) if document_id}


def _write_category(writer: BlockWriter, name: str, view: CategoryView, state: ReplicaState) -> None:
    """Write a category: its vectors as one block that is read as one array, and the fields of each row.

    Only a main image's row has its product's payload.
    """
    rows = np.flatnonzero(view.live)
    chunks = [rows[begin : begin + CHUNK_ROWS] for begin in range(0, len(rows), CHUNK_ROWS)]
    writer.block(f"{name}/vectors", map(view.vectors, chunks))
    writer.block(f"{name}/image", [view.image_index[rows]])
    writer.packed(f"{name}/keys", map(view.packed_keys, chunks))
    writer.packed(f"{name}/payloads", map(view.packed_payloads, chunks))
    codec, sources = view.base.rows.payloads.codec, state.legacy_sources
    if codec is not None:
        writer.block(f"{name}/dictionary", [codec.dictionary])
    document_ids = (sources.get(view.key(row), "") for row in rows.tolist()) if sources else repeat("", len(rows))
    writer.strings(f"{name}/documents", document_ids)


def _write_outranked(writer: BlockWriter, state: ReplicaState) -> None:
    outranked = [
        (key, document_id, *entry) for key, entries in state.outranked.items() for document_id, entry in entries.items()
    ]
    images = [np.atleast_2d(vectors) for _, _, _, vectors, _ in outranked]
    writer.strings("waiting/keys", (key for key, *_ in outranked))
    writer.strings("waiting/documents", (document_id for _, document_id, *_ in outranked))
    writer.block("waiting/categories", [np.array([category for _, _, category, _, _ in outranked], np.uint32)])
    writer.block("waiting/images", [np.array([len(vectors) for vectors in images], np.uint32)])
    writer.block("waiting/vectors", images)
    writer.texts("waiting/payloads", (payload or b"" for *_, payload in outranked))


def _read_outranked(file: BlockReader, dimension: int) -> dict[str, dict[str, GalleryEntry]]:
    outranked: dict[str, dict[str, GalleryEntry]] = {}
    ends = np.cumsum(file.array("waiting/images", np.uint32), dtype=np.int64)
    columns = (
        file.strings("waiting/keys"),
        file.strings("waiting/documents"),
        file.array("waiting/categories", np.uint32).tolist(),
        np.split(np.array(file.array("waiting/vectors", np.float32, dimension)), ends)[:-1],
        file.texts("waiting/payloads"),
    )
    for key, document_id, category, vectors, payload in zip(*columns, strict=True):
        outranked.setdefault(key, {})[document_id] = (category, vectors, payload or None)
    return outranked


def _read_image_errors(file: BlockReader) -> dict[str, tuple[str, ...]]:
    errors: dict[str, tuple[str, ...]] = {}
    for document_id, error in zip(file.strings("faults"), file.strings("faults/reasons"), strict=True):
        errors[document_id] = (*errors.get(document_id, ()), error)
    return errors


def _sync_folder(folder: Path) -> None:
    """Make a new file's directory entry durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
