"""Writing many documents at once, so that one that cannot be stored does not hold up the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bson
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError

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


async def upsert(collection: Any, documents: Mapping[str, Document], *, probably_new: bool = False) -> PutReport:
    """Write each document under its `_id`, all fields of it, in one round trip.

    Setting every field does what a replacement does, and the stand-in for MongoDB cannot replace a document by one
    with binary values or dates.

    Args:
        collection: where they go.
        documents: by `_id`.
        probably_new: insert them, which costs the server less; what is there after all is updated in a second round trip.

    Raises:
        pymongo.errors.PyMongoError: the database is away; what of the batch was written is unknown.
    """
    operations: list[Operation] = []
    failures: list[Refused] = []
    for key, document in documents.items():
        try:
            operations.append((key, _operation(key, document, insert=probably_new)))
        except (BSONError, OverflowError, UnicodeError, TypeError, ValueError) as error:
            failures.append(Refused(key, f"it cannot be stored: {error}"))
    failed = await _write(collection, operations)
    # It is there after all; or two writers insert one key at the same time: one is told so, and then finds it there.
    again = [(key, _operation(key, documents[key])) for (key, _), code, _ in failed if code == DUPLICATE_KEY]
    failed = [entry for entry in failed if entry[1] != DUPLICATE_KEY] + await _write(collection, again)
    failures += [Refused(key, f"the database refused it: {text}") for (key, _), _, text in failed]
    return PutReport(len(documents) - len(failures), tuple(failures))


def _operation(key: str, document: Document, *, insert: bool = False) -> InsertOne[Any] | UpdateOne:
    fields = document if insert else {name: value for name, value in document.items() if name != "_id"}
    encoded = bson.encode(fields)
    if len(encoded) > MAX_DOCUMENT_BYTES:
        raise ValueError(f"it has {len(encoded):,} bytes, at most {MAX_DOCUMENT_BYTES:,} are taken")
    whole = RawBSONDocument(encoded)
    return InsertOne(whole) if insert else UpdateOne({"_id": key}, {"$set": whole}, upsert=True)


async def _write(collection: Any, operations: Sequence[Operation]) -> list[tuple[Operation, int, str]]:
    """Return the operations that failed, each with the server's code and text."""
    if not operations:
        return []
    try:
        await collection.bulk_write([operation for _, operation in operations], ordered=False)
    except BulkWriteError as error:
        details = error.details or {}
        return [(operations[e["index"]], e["code"], e.get("errmsg", "")) for e in details.get("writeErrors", [])]
    return []
