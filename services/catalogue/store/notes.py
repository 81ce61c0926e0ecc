"""The notes of a catalogue: reports, who imports at the moment, and how each of the last imports went."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from pymongo import DESCENDING
from pymongo.errors import DuplicateKeyError

from services.catalogue.documents.product_document import Document
from services.catalogue.process_mark import ProcessMark
from services.catalogue.store.mongo.bulk_write import upsert
from services.catalogue.store.mongo.connection import Connection
from services.catalogue.store.mongo.driver import Collection
from services.contracts.domain.catalogues import within
from services.contracts.domain.parts import WHOLE, Part

NOTES = "notes"
# Names of reports: how the last import went, what the doctor last found, when the last backup began.
LAST_IMPORT = "last-import"
LAST_EXAMINATION = "last-examination"
LAST_BACKUP = "last-backup"
IDENTITY = "identity"  # tells this database from others: see `ProductCollection.identity`
LEASE = "import-lease"  # of the import of a whole catalogue; that of the second of four parts is import-lease/2/4
ALL_LEASES = {"_id": {"$gte": LEASE, "$lt": "import-leasf"}}
# How far imports in blocks have come. They belong to no backup, whose products may be older; a restore removes them.
CHECKPOINT_PREFIX = "checkpoint/"
# Notes about the running installation: they belong to no backup, and a restore leaves them.
NOTES_OF_THE_RUN = [{"_id": IDENTITY}, ALL_LEASES]
IMPORT_PREFIX = "import/"
BEHIND_IMPORTS = "import0"  # the first text after all that begin with the prefix
KEPT_IMPORTS = 50
ALL_IMPORTS = {"_id": {"$gte": IMPORT_PREFIX, "$lt": BEHIND_IMPORTS}}


@dataclass(frozen=True, slots=True)
class Lease:
    """Who imports into the catalogue.

    Attributes:
        import_id: the import.
        source: what it imports, for people.
        since: the time of its start in ISO 8601, UTC.
        mark: the process that imports.
        beat: grows for as long as that process can write.
        part: which products it imports.
    """

    import_id: str
    source: str
    since: str
    mark: ProcessMark
    beat: int = 0
    part: Part = WHOLE

    @property
    def note_id(self) -> str:
        """The id of its note: one import of each part has a lease."""
        return LEASE if self.part.is_whole else f"{LEASE}/{self.part}"

    def excludes(self, other: "Lease") -> bool:
        """Return whether two imports cannot run at the same time: they may have a product in common."""
        return self.part == other.part or self.part.of != other.part.of


class NoteCollection:
    """The notes of one catalogue."""

    def __init__(self, connection: Connection, catalogue: str) -> None:
        self._connection = connection
        self._name = within(NOTES, catalogue)

    @property
    def _notes(self) -> Collection:
        return self._connection.collection(self._name)

    async def put(self, name: str, facts: Mapping[str, Any]) -> None:
        """Store a report under a name; an earlier one is replaced. It is JSON: its names may hold any character."""
        async with self._connection.call():
            await upsert(self._notes, {name: _json_note(name, facts)})

    async def get(self, name: str) -> dict[str, Any] | None:
        """Return the report stored under a name, or None."""
        async with self._connection.call():
            note = await self._notes.find_one({"_id": name})
        return None if note is None else _facts(note)

    async def remove(self, name: str) -> None:
        """Remove the report stored under a name, if there is one."""
        async with self._connection.call():
            await self._notes.delete_one({"_id": name})

    async def leases(self) -> list[Lease]:
        """Return who imports: several imports at most if each has another part of the catalogue."""
        async with self._connection.call():
            notes = await self._notes.find(ALL_LEASES).to_list(length=None)
        return [_lease(note) for note in notes]

    async def lease(self) -> Lease | None:
        """Return who imports the whole catalogue, or None."""
        return next((lease for lease in await self.leases() if lease.part.is_whole), None)

    async def take_lease(self, lease: Lease) -> bool:
        """Write down who imports from now on. Returns False if another import of the part holds the lease."""
        facts = {"import_id": lease.import_id, "source": lease.source, "since": lease.since, "beat": lease.beat}
        part = {} if lease.part.is_whole else {"part": str(lease.part)}
        async with self._connection.call():
            try:
                await self._notes.insert_one({"_id": lease.note_id, **facts, **part, **asdict(lease.mark)})
            except DuplicateKeyError:
                return False
        return True

    async def renew_lease(self, import_id: str, beat: int) -> bool:
        """Set the beat of a lease. Returns whether this import still holds it."""
        async with self._connection.call():
            own = {**ALL_LEASES, "import_id": import_id}
            return bool((await self._notes.update_one(own, {"$set": {"beat": beat}})).matched_count)

    async def drop_lease(self, lease: Lease, *, at_beat: bool = False) -> None:
        """Remove an import's lease; with `at_beat`, only if its beat is still that of `lease`."""
        own = {"_id": lease.note_id, "import_id": lease.import_id} | ({"beat": lease.beat} if at_beat else {})
        async with self._connection.call():
            await self._notes.delete_one(own)

    async def put_import(self, import_id: str, facts: Mapping[str, Any]) -> bool:
        """Store the state of an import. Returns whether its cancellation is requested."""
        name = IMPORT_PREFIX + import_id
        async with self._connection.call():
            await upsert(self._notes, {name: _json_note(name, facts)})
            return bool((await self._notes.find_one({"_id": name}, {"cancel": 1}) or {}).get("cancel"))

    async def get_import(self, import_id: str) -> dict[str, Any] | None:
        """Return the state of an import, or None."""
        return await self.get(IMPORT_PREFIX + import_id)

    async def list_imports(self, limit: int) -> list[dict[str, Any]]:
        """Return the last imports, the latest first."""
        async with self._connection.call():
            cursor = self._notes.find(ALL_IMPORTS)
            return [_facts(note) for note in await cursor.sort("_id", DESCENDING).limit(limit).to_list(length=None)]

    async def request_cancel(self, import_id: str) -> bool:
        """Request that an import ends, wherever it runs. Returns whether there is such an import."""
        async with self._connection.call():
            name = {"_id": IMPORT_PREFIX + import_id}
            return bool((await self._notes.update_one(name, {"$set": {"cancel": True}})).matched_count)

    async def prune_imports(self) -> None:
        """Remove the notes of all imports but the last ones."""
        async with self._connection.call():
            cursor = self._notes.find(ALL_IMPORTS, {"_id": 1}).sort("_id", DESCENDING).skip(KEPT_IMPORTS)
            old = [note["_id"] for note in await cursor.to_list(length=None)]
            if old:
                await self._notes.delete_many({"_id": {"$in": old}})


def is_of_the_run(note_id: str) -> bool:
    """Return whether a note belongs to no backup: one of `NOTES_OF_THE_RUN`, or a checkpoint."""
    return note_id == IDENTITY or note_id.startswith((LEASE, CHECKPOINT_PREFIX))


def _lease(note: Mapping[str, Any]) -> Lease:
    mark = ProcessMark(*(note.get(name) for name in ("host", "place", "pid", "began")))  # type: ignore[arg-type]
    part = Part.parse(note["part"]) if "part" in note else WHOLE
    return Lease(str(note["import_id"]), str(note["source"]), str(note["since"]), mark, int(note["beat"]), part)


def _json_note(name: str, facts: Mapping[str, Any]) -> Document:
    return {"_id": name, "json": orjson.dumps(facts, default=str).decode()}


def _facts(note: Mapping[str, Any]) -> dict[str, Any]:
    return dict(orjson.loads(note["json"]))
