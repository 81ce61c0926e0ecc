"""The learned orders of a catalogue: each training is a version, and at most one of them is active."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from bson.binary import Binary
from pymongo.errors import DuplicateKeyError

from services.catalogue.store.mongo.bulk_write import MAX_DOCUMENT_BYTES
from services.catalogue.store.mongo.connection import Connection
from services.catalogue.store.mongo.driver import Collection
from services.catalogue.store.notes import NOTES
from services.contracts.domain.catalogues import within

LEARNED_ORDERS = "learned_orders"
NOTE = "learned-order"
KEPT = 10  # of the latest versions, and those that are active or previous
MAX_ORDER_BYTES = MAX_DOCUMENT_BYTES - 1_000_000
FACTS = {"created_at": 1, "report": 1}


@dataclass(frozen=True, slots=True)
class OrderNote:
    """Which learned order searches use.

    Attributes:
        active: the version; None for the plain order.
        previous: that a rollback returns to; None for the plain order.
    """

    active: str | None = None
    previous: str | None = None

    def promoted(self, version: str) -> "OrderNote":
        """Return the note with a version as the active one."""
        return self if version == self.active else OrderNote(version, self.active)

    def rolled_back(self) -> "OrderNote":
        """Return the note with the version before as the active one; a second rollback goes to the plain order."""
        return OrderNote(self.previous, None)


@dataclass(frozen=True, slots=True)
class OrderVersion:
    """A version without its trees and its table."""

    version: str
    created_at: datetime
    report: Mapping[str, Any]


class LearnedOrderCollection:
    """The learned orders of one catalogue."""

    def __init__(self, connection: Connection, catalogue: str) -> None:
        self._connection = connection
        self._name = within(LEARNED_ORDERS, catalogue)
        self._notes_name = within(NOTES, catalogue)

    @property
    def _orders(self) -> Collection:
        return self._connection.collection(self._name)

    @property
    def _notes(self) -> Collection:
        return self._connection.collection(self._notes_name)

    async def add(self, data: bytes, report: Mapping[str, Any]) -> OrderVersion:
        """Store a new version; the oldest ones beyond KEPT are removed, except those that a note names.

        Raises:
            ValueError: the order has more than MAX_ORDER_BYTES.
        """
        if len(data) > MAX_ORDER_BYTES:
            raise ValueError(f"the learned order has {len(data):,} bytes, at most {MAX_ORDER_BYTES:,} are stored")
        created = datetime.now(UTC)
        facts = {"created_at": created.isoformat(), "report": orjson.dumps(report).decode(), "data": Binary(data)}
        numbers = [int(known.version) for known in await self.list()]
        number = max(numbers, default=0) + 1
        async with self._connection.call():
            while True:
                try:
                    await self._orders.insert_one({"_id": str(number), **facts})
                    break
                except DuplicateKeyError:  # another process has stored one
                    number += 1
        note = await self.note()
        kept = {str(last) for last in sorted([*numbers, number])[-KEPT:]} | {note.active, note.previous}
        async with self._connection.call():
            await self._orders.delete_many({"_id": {"$in": [name for name in map(str, numbers) if name not in kept]}})
        return OrderVersion(str(number), created, dict(report))

    async def list(self) -> list[OrderVersion]:
        """Return every version, the oldest first."""
        async with self._connection.call():
            documents = await self._orders.find({}, FACTS).to_list(length=None)
        return sorted((_version(document) for document in documents), key=lambda version: int(version.version))

    async def data(self, version: str) -> bytes | None:
        """Return the trees and the table of a version; None if there is none."""
        async with self._connection.call():
            document = await self._orders.find_one({"_id": version}, {"data": 1})
        return None if document is None else bytes(document["data"])

    async def note(self) -> OrderNote:
        """Return which version is active; the empty note if none ever was."""
        async with self._connection.call():
            note = await self._notes.find_one({"_id": NOTE}) or {}
        return OrderNote(note.get("active"), note.get("previous"))

    async def replace_note(self, old: OrderNote, new: OrderNote) -> bool:
        """Replace the note that was read. Returns False if it has changed since."""
        async with self._connection.call():
            try:
                result = await self._notes.update_one(
                    {"_id": NOTE, **asdict(old)}, {"$set": asdict(new)}, upsert=old == OrderNote()
                )
            except DuplicateKeyError:  # there is a note by now
                return False
        return bool(result.matched_count or result.upserted_id)


def _version(document: Mapping[str, Any]) -> OrderVersion:
    created = datetime.fromisoformat(document["created_at"])
    return OrderVersion(str(document["_id"]), created, orjson.loads(document["report"]))
