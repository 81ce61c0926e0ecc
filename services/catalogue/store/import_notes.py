"""What the database holds of imports beside the products: who imports just now, and how each of the last ones went."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from pymongo.errors import DuplicateKeyError

from services.catalogue.process_mark import ProcessMark
from services.catalogue.store.bulk_write import upsert
from services.catalogue.store.errors import database_call

NOTES = "notes"
LEASE = "import-lease"
PREFIX = "import/"
BEHIND_PREFIX = "import0"  # the first text after all that begin with the prefix
KEPT = 50


@dataclass(frozen=True, slots=True)
class Lease:
    """Who imports into the catalogue.

    Attributes:
        import_id: the import.
        source: what it imports, for people.
        since: since when, as ISO 8601 has it, UTC.
        mark: the process that does it.
        beat: grows for as long as that process can write.
    """

    import_id: str
    source: str
    since: str
    mark: ProcessMark
    beat: int = 0


class ImportNotes(ABC):
    """The part of `ProductStore` that imports tell each other by."""

    address: str
    _timeout_s: float

    @abstractmethod
    def _collection(self, name: str) -> Any:
        """A collection of the database."""

    async def lease(self) -> Lease | None:
        """Return who imports, or None."""
        async with database_call(self.address, self._timeout_s):
            found = await self._collection(NOTES).find_one({"_id": LEASE})
        if found is None:
            return None
        mark = ProcessMark(*(found.get(name) for name in ("host", "place", "pid", "began")))  # type: ignore[arg-type]
        return Lease(str(found["import_id"]), str(found["source"]), str(found["since"]), mark, int(found["beat"]))

    async def take_lease(self, lease: Lease) -> bool:
        """Write down who imports from now on. Returns whether nobody else did: a note's name is unique."""
        facts = {"import_id": lease.import_id, "source": lease.source, "since": lease.since, "beat": lease.beat}
        async with database_call(self.address, self._timeout_s):
            try:
                await self._collection(NOTES).insert_one({"_id": LEASE, **facts, **asdict(lease.mark)})
            except DuplicateKeyError:
                return False
        return True

    async def renew_lease(self, import_id: str, beat: int) -> bool:
        """Move a lease's beat on. Returns whether it is still this import's."""
        async with database_call(self.address, self._timeout_s):
            mine = {"_id": LEASE, "import_id": import_id}
            return bool((await self._collection(NOTES).update_one(mine, {"$set": {"beat": beat}})).matched_count)

    async def drop_lease(self, lease: Lease, *, at_beat: bool = False) -> None:
        """Remove an import's lease; with `at_beat`, only if its beat is still that of `lease`."""
        mine = {"_id": LEASE, "import_id": lease.import_id} | ({"beat": lease.beat} if at_beat else {})
        async with database_call(self.address, self._timeout_s):
            await self._collection(NOTES).delete_one(mine)

    async def put_import(self, import_id: str, facts: Mapping[str, Any]) -> bool:
        """Write down how an import goes. Returns whether somebody has asked to cancel it."""
        name = PREFIX + import_id
        async with database_call(self.address, self._timeout_s):
            notes = self._collection(NOTES)
            await upsert(notes, {name: {"_id": name, "json": orjson.dumps(facts, default=str).decode()}})
            return bool((await notes.find_one({"_id": name}, {"cancel": 1}) or {}).get("cancel"))

    async def get_import(self, import_id: str) -> dict[str, Any] | None:
        """Return how an import went or goes, or None."""
        async with database_call(self.address, self._timeout_s):
            found = await self._collection(NOTES).find_one({"_id": PREFIX + import_id})
        return None if found is None else dict(orjson.loads(found["json"]))

    async def list_imports(self, limit: int) -> list[dict[str, Any]]:
        """Return the last imports, the latest first."""
        async with database_call(self.address, self._timeout_s):
            cursor = self._collection(NOTES).find({"_id": {"$gte": PREFIX, "$lt": BEHIND_PREFIX}})
            found = await cursor.sort("_id", -1).limit(limit).to_list(length=None)
        return [dict(orjson.loads(note["json"])) for note in found]

    async def ask_to_cancel(self, import_id: str) -> bool:
        """Leave word for whoever runs an import that it is to end. Returns whether there is such an import."""
        async with database_call(self.address, self._timeout_s):
            name = {"_id": PREFIX + import_id}
            done = await self._collection(NOTES).update_one(name, {"$set": {"cancel": True}})
        return bool(done.matched_count)

    async def forget_imports(self) -> None:
        """Remove all but the last notes of imports."""
        async with database_call(self.address, self._timeout_s):
            notes = self._collection(NOTES)
            cursor = notes.find({"_id": {"$gte": PREFIX, "$lt": BEHIND_PREFIX}}, {"_id": 1}).sort("_id", -1).skip(KEPT)
            old = [note["_id"] for note in await cursor.to_list(length=None)]
            if old:
                await notes.delete_many({"_id": {"$in": old}})
