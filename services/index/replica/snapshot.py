"""The index snapshot: a replica in one file, with what it was made of and where the change stream goes on from."""

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from services.catalogue.store.change_feed import Token, read_token, token_text
from services.engine.category_view import CategoryView
from services.index.replica.block_file import CHUNK_ROWS, PIECE_BYTES, BlockReader, BlockWriter, UnusableFile
from services.index.replica.replica import GalleryEntry, Replica, ReplicaState

FORMAT = 1
CheckCancelled = Callable[[], None]


@dataclass(frozen=True)
class Origin:
    """What a replica was made of; a snapshot of another origin is of no use.

    Attributes:
        catalogue: database and collection.
        model: whose vectors are shown, such as `fashion/2`.
        unversioned_model: what documents that name no model are taken to be of.
        categories: how many.
        dimension: numbers a vector.
        held_categories: the ids of those that are held, with commas between them, or `all`.
    """

    catalogue: str
    model: str
    unversioned_model: str
    categories: int
    dimension: int
    held_categories: str = "all"


@dataclass(frozen=True)
class SyncPosition:
    """Up to where a replica knows the database.

    Attributes:
        database: the database's identity.
        token: the change stream's: every change before it is in the replica. None where there is no stream.
        level_at: Unix time, in seconds, at which the replica was level with the database.
    """

    database: str
    token: Token | None
    level_at: float


def write(
    path: Path,
    origin: Origin,
    position: SyncPosition,
    state: tuple[Sequence[CategoryView], ReplicaState],
    check_cancelled: CheckCancelled,
) -> int:
    """Write a snapshot in the place of the one before: it is there whole, or not at all.

    Args:
        path: the snapshot's; a file beside it is written first.
        origin: what the replica was made of.
        position: up to where it knows the database.
        state: what `Replica.freeze` gave at that position.
        check_cancelled: called after every piece; what it raises ends the writing.

    Returns:
        how many bytes it has.

    Raises:
        OSError: it could not be written. The one before is still there.
    """
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb", buffering=PIECE_BYTES) as file:
            size = _write(file, origin, position, state, check_cancelled)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    return size


def read(path: Path, origin: Origin, replica: Replica) -> tuple[SyncPosition, int]:
    """Fill an empty replica from a snapshot. Returns up to where it knows the database, and the file's bytes.

    Raises:
        UnusableFile: it is damaged, of another format, or was made of something else.
        OSError: it cannot be read.
    """
    with BlockReader(path, FORMAT) as file:
        for name, wanted in asdict(origin).items():
            found = file.label["origin"].get(name)
            if found != wanted:
                raise UnusableFile(f"was made with {name.replace('_', ' ')} {found}, not {wanted}")
        holders: dict[str, str] = {}
        for category in range(origin.categories):
            holders.update(_read_category(file, category, origin.dimension, replica))
        waiting = _read_waiting(file, origin.dimension)
        skipped = dict(zip(file.strings("skipped"), file.strings("skipped/reasons"), strict=True))
        others = frozenset(file.strings("others"))
        replica.restore(ReplicaState(holders, waiting, skipped, _read_faults(file), others))
        return _read_position(file), file.size


def remove_unfinished(path: Path) -> None:
    """Remove what was left beside a snapshot by a process that was ended while it wrote."""
    for beside in path.parent.glob(f"{path.name}.*.tmp"):
        beside.unlink(missing_ok=True)


def _write(
    file: BinaryIO,
    origin: Origin,
    position: SyncPosition,
    state: tuple[Sequence[CategoryView], ReplicaState],
    check_cancelled: CheckCancelled,
) -> int:
    views, known = state
    token = None if position.token is None else token_text(position.token)
    place = {"database": position.database, "token": token, "level_at": position.level_at}
    label = {"origin": asdict(origin), "moment": place, "written_at": time.time()}
    writer = BlockWriter(file, FORMAT, label, check_cancelled)
    for category, view in enumerate(views):
        _write_view(writer, str(category), view, known)
    _write_waiting(writer, known)
    writer.strings("skipped", known.skipped)
    writer.strings("skipped/reasons", known.skipped.values())
    writer.strings("faults", (document for document, faults in known.faults.items() for _ in faults))
    writer.strings("faults/reasons", (fault for faults in known.faults.values() for fault in faults))
    writer.strings("others", known.other_models)
    return writer.finish()


def _read_position(file: BlockReader) -> SyncPosition:
    found = file.label["moment"]
    token = None if found["token"] is None else read_token(found["token"])
    return SyncPosition(found["database"], token, found["level_at"])


def _read_category(file: BlockReader, category: int, dimension: int, replica: Replica) -> dict[str, str]:
    """Put a category into the replica's gallery; return the older documents that products are shown from, by key."""
    keys = list(file.strings(f"{category}/keys"))
    payloads = [payload or None for payload in file.texts(f"{category}/payloads")]
    vectors, image = file.array(f"{category}/vectors", np.float32, dimension), file.array(f"{category}/image", np.uint8)
    replica.gallery.restore(category, vectors, image, keys, payloads)
    documents = file.strings(f"{category}/documents")
    return {key: document for key, document in zip(keys, documents, strict=True) if document}


def _write_view(writer: BlockWriter, name: str, view: CategoryView, known: ReplicaState) -> None:
    """Write a category: its vectors as one block, so that they are read as one, and what belongs to each row.

    A product's further rows come without its payload.
    """
    rows = np.flatnonzero(view.live)
    chunks = (rows[begin : begin + CHUNK_ROWS] for begin in range(0, len(rows), CHUNK_ROWS))
    writer.block(f"{name}/vectors", map(view.vectors, chunks))
    writer.block(f"{name}/image", [view.image_index[rows]])
    writer.strings(f"{name}/keys", (view.key(row) for row in map(int, rows)))
    payloads = (b"" if view.image_index[row] else view.payload(row) or b"" for row in map(int, rows))
    writer.texts(f"{name}/payloads", payloads)
    writer.strings(f"{name}/documents", (known.holders.get(view.key(row), "") for row in map(int, rows)))


def _write_waiting(writer: BlockWriter, known: ReplicaState) -> None:
    waiting = [
        (key, document, *shown) for key, documents in known.waiting.items() for document, shown in documents.items()
    ]
    images = [np.atleast_2d(vectors) for _, _, _, vectors, _ in waiting]
    writer.strings("waiting/keys", (key for key, *_ in waiting))
    writer.strings("waiting/documents", (document for _, document, *_ in waiting))
    writer.block("waiting/categories", [np.array([category for _, _, category, _, _ in waiting], np.uint32)])
    writer.block("waiting/images", [np.array([len(vectors) for vectors in images], np.uint32)])
    writer.block("waiting/vectors", images)
    writer.texts("waiting/payloads", (payload or b"" for *_, payload in waiting))


def _read_waiting(file: BlockReader, dimension: int) -> dict[str, dict[str, GalleryEntry]]:
    waiting: dict[str, dict[str, GalleryEntry]] = {}
    ends = np.cumsum(file.array("waiting/images", np.uint32), dtype=np.int64)
    columns = (
        file.strings("waiting/keys"),
        file.strings("waiting/documents"),
        file.array("waiting/categories", np.uint32).tolist(),
        np.split(np.array(file.array("waiting/vectors", np.float32, dimension)), ends)[:-1],
        file.texts("waiting/payloads"),
    )
    for key, document, category, vectors, payload in zip(*columns, strict=True):
        waiting.setdefault(key, {})[document] = (category, vectors, payload or None)
    return waiting


def _read_faults(file: BlockReader) -> dict[str, tuple[str, ...]]:
    faults: dict[str, tuple[str, ...]] = {}
    for document, fault in zip(file.strings("faults"), file.strings("faults/reasons"), strict=True):
        faults[document] = (*faults.get(document, ()), fault)
    return faults


def _sync_folder(folder: Path) -> None:
    """See to it that the folder's entry of a new file outlives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
