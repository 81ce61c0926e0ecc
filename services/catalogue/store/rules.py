"""The merchandising rules of a catalogue: one note, with a revision that every change counts up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from pymongo.errors import DuplicateKeyError

from services.catalogue.store.mongo.connection import Connection
from services.catalogue.store.mongo.driver import Collection
from services.catalogue.store.notes import NOTES
from services.contracts.domain.catalogues import within

RULES = "merchandising"


@dataclass(frozen=True)
class StoredRules:
    """Rules as they are stored.

    Attributes:
        document: the rules as JSON.
        revision: from 1; each change counts it up.
    """

    document: dict[str, Any]
    revision: int


class RuleCollection:
    """The rules of one catalogue."""

    def __init__(self, connection: Connection, catalogue: str) -> None:
        self._connection = connection
        self._name = within(NOTES, catalogue)

    @property
    def _notes(self) -> Collection:
        return self._connection.collection(self._name)

    async def get(self) -> StoredRules | None:
        """Return the rules, or None if none have been stored."""
        async with self._connection.call():
            note = await self._notes.find_one({"_id": RULES})
        return None if note is None else StoredRules(dict(orjson.loads(note["json"])), int(note["revision"]))

    async def replace(self, document: Mapping[str, Any], revision: int) -> bool:
        """Store rules in the place of those with a revision, 0 for none.

        Returns False if they have changed since: no change of another process is lost.
        """
        fields = {"json": orjson.dumps(document).decode(), "revision": revision + 1}
        async with self._connection.call():
            if revision:
                unchanged = {"_id": RULES, "revision": revision}
                return bool((await self._notes.update_one(unchanged, {"$set": fields})).matched_count)
            try:
                await self._notes.insert_one({"_id": RULES, **fields})
            except DuplicateKeyError:
                return False
        return True
