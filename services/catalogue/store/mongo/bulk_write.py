"""Bulk writes in which a document that cannot be stored does not prevent the others from being written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import bson
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError, OperationFailure

from services.catalogue.store.mongo.errors import SERVER_CODES

Document = dict[str, Any]
Operation = tuple[str, InsertOne[Any] | UpdateOne]
MAX_DOCUMENT_BYTES = 15_000_000  # MongoDB takes 16 MB
DUPLICATE_KEY = 11000


@dataclass(frozen=True, slots=True)
class Refused:
    """One product or picture that was not written, and why."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class PutReport:
    """The outcome of a bulk write: how many keys now stand as given, and which do not."""

    written: int
    failures: tuple[Refused, ...] = ()


async def upsert(
    collection: Any,
    documents: Mapping[str, Document],
    *,
    probably_new: bool = False,
    merged: str | None = None,
    unset: Sequence[str] = (),
    kept: Sequence[str] = (),
) -> PutReport:
    """Write each document under its `_id`, all its fields, in one round trip.

    Setting every field does what a replacement does, and the stand-in for MongoDB cannot replace a document by one
    with binary values or dates.

    Args:
        collection: where they go.
        documents: by `_id`.
        probably_new: insert them, which costs the server less; existing ones are updated in a second round trip.
        merged: a field with a mapping whose other entries stay as they are in an existing document.
        unset: fields that an existing document is to lose.
        kept: fields that an existing document keeps as they are.

    Raises:
        pymongo.errors.PyMongoError: the database is unavailable; what of the batch was written is unknown.
    """
    update = partial(_update, merged=merged, unset=unset, kept=kept)
    operations: list[Operation] = []
    failures: list[Refused] = []
    for key, document in documents.items():
        try:
            operations.append((key, _insert(document) if probably_new else update(key, document)))
        except (BSONError, OverflowError, UnicodeError, TypeError, ValueError) as error:
            failures.append(Refused(key, f"it cannot be stored: {error}"))
    failed = await _write(collection, operations)
    # The key exists; or two writers insert one key at the same time: the server refuses one, which then finds the key.
    again = [(key, update(key, documents[key])) for (key, _), code, _ in failed if code == DUPLICATE_KEY]
    failed = [entry for entry in failed if entry[1] != DUPLICATE_KEY] + await _write(collection, again)
    failures += [Refused(key, f"the database refused it: {text}") for (key, _), _, text in failed]
    return PutReport(len(documents) - len(failures), tuple(failures))


@dataclass(frozen=True, slots=True)
class InsertReport:
    """The outcome of `insert_new`, by positions in the list of documents.

    Attributes:
        duplicates: documents whose `_id` was there already.
        failures: documents that could not be stored, each with the reason.
    """

    duplicates: frozenset[int] = frozenset()
    failures: Mapping[int, str] = field(default_factory=dict)


async def insert_new(collection: Any, documents: Sequence[Document]) -> InsertReport:
    """Write documents in one round trip. One whose `_id` is there already stays as it is.

    Args:
        collection: where they go.
        documents: each can be encoded as BSON: one that cannot prevents all from being written.

    Raises:
        OperationFailure: the server cannot write any document.
        pymongo.errors.PyMongoError: the database is unavailable; what of the batch was written is unknown.
    """
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        failed = _failures(error)
        duplicates = frozenset(int(failure["index"]) for failure in failed if failure["code"] == DUPLICATE_KEY)
        refused = {
            int(failure["index"]): f"the database refused it: {failure.get('errmsg', '')}"
            for failure in failed
            if failure["code"] != DUPLICATE_KEY
        }
        return InsertReport(duplicates, refused)
    return InsertReport()


async def update_unchanged(
    collection: Any,
    document: Document,
    read: Mapping[str, Any],
    *,
    merged: str | None = None,
    unset: Sequence[str] = (),
    kept: Sequence[str] = (),
) -> bool:
    """Write a document, all its fields, where the stored one still has the values that were read.

    Args:
        collection: where it is.
        document: with its `_id`.
        read: fields of the stored document, and their values when it was read.
        merged, unset, kept: as in `upsert`.

    Returns:
        Whether it was written.

    Raises:
        ValueError: it cannot be stored.
        pymongo.errors.PyMongoError: the database is unavailable.
    """
    try:
        changes = _changes(document, merged=merged, unset=unset, kept=kept)
    except (BSONError, OverflowError, UnicodeError, TypeError) as error:
        raise ValueError(f"it cannot be stored: {error}") from None
    result = await collection.update_one({"_id": document["_id"], **read}, changes)
    return bool(result.matched_count)


def _insert(document: Document) -> InsertOne[Any]:
    return InsertOne(_encoded(document))


def _update(
    key: str, document: Document, *, merged: str | None, unset: Sequence[str], kept: Sequence[str]
) -> UpdateOne:
    return UpdateOne({"_id": key}, _changes(document, merged=merged, unset=unset, kept=kept), upsert=True)


def _changes(document: Document, *, merged: str | None, unset: Sequence[str], kept: Sequence[str]) -> Document:
    fields = {name: value for name, value in document.items() if name not in ("_id", merged, *kept)}
    if merged is not None:
        fields |= {f"{merged}.{name}": value for name, value in document[merged].items()}
    update: Document = {"$set": _encoded(fields)}
    if unset:
        update["$unset"] = dict.fromkeys(unset, "")
    if kept:
        update["$setOnInsert"] = {name: document[name] for name in kept}
    return update


def _encoded(fields: Document) -> RawBSONDocument:
    """Encode fields once, so that the driver does not encode them again."""
    encoded = bson.encode(fields)
    if len(encoded) > MAX_DOCUMENT_BYTES:
        raise ValueError(f"it has {len(encoded):,} bytes, at most {MAX_DOCUMENT_BYTES:,} are taken")
    return RawBSONDocument(encoded)


async def _write(collection: Any, operations: Sequence[Operation]) -> list[tuple[Operation, int, str]]:
    """Return the operations that failed, each with the server's code and text.

    Raises:
        OperationFailure: the server cannot write any document: its disk is full, or it steps down.
    """
    if not operations:
        return []
    try:
        await collection.bulk_write([operation for _, operation in operations], ordered=False)
    except BulkWriteError as error:
        return [(operations[e["index"]], e["code"], e.get("errmsg", "")) for e in _failures(error)]
    return []


def _failures(error: BulkWriteError) -> list[dict[str, Any]]:
    """Return the documents that failed, as the driver lists them.

    Raises:
        OperationFailure: the server cannot write any document.
    """
    details = error.details or {}
    failed: list[dict[str, Any]] = details.get("writeErrors", [])
    of_the_server = [entry for entry in failed if entry["code"] in SERVER_CODES]
    for failure in (*of_the_server, *details.get("writeConcernErrors", [])):
        raise OperationFailure(failure.get("errmsg", ""), failure["code"]) from None
    return failed
