"""Merchandising rules in the database, against the server that MONGO_URL names, else a stand-in."""

import asyncio

from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.rules import StoredRules

RULES = {"rules": [{"id": "ü", "filter": {"$or": [{"a.b": 1}]}}]}


async def test_rules_are_read_as_they_were_stored(store: CatalogueDatabase) -> None:
    assert await store.rules.get() is None
    assert await store.rules.replace(RULES, 0)
    assert await store.rules.get() == StoredRules(RULES, 1)
    assert await store.rules.replace({}, 1)
    assert await store.rules.get() == StoredRules({}, 2)
    assert await store.of("shoes").rules.get() is None


async def test_of_replacements_at_the_same_time_one_is_taken(store: CatalogueDatabase) -> None:
    for revision in (0, 1):
        taken = await asyncio.gather(*(store.rules.replace({"n": n}, revision) for n in range(4)))
        assert sorted(taken) == [False, False, False, True]
        stored = await store.rules.get()
        assert stored == StoredRules({"n": taken.index(True)}, revision + 1)
    assert not await store.rules.replace({}, 7)
    assert not await store.rules.replace({}, 0)
