"""API keys in the database, against the server that MONGO_URL names, else a stand-in."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.catalogue.api_key import Scope, new_key, revoked, rotated
from services.catalogue.store.database import CatalogueDatabase
from services.contracts.domain.quota import Quota


async def test_a_key_is_read_as_it_was_stored(store: CatalogueDatabase) -> None:
    plain, _ = new_key("plain", [Scope.ADMIN])
    key, secret = new_key(
        "shop ü",
        [Scope.SEARCH, Scope.CATALOGUE],
        catalogues=["shoes", "default"],
        origins=["https://shop.example"],
        quota=Quota(600, 60),
        expires_at=datetime(2099, 1, 31, tzinfo=UTC),
    )
    await store.keys.add(plain)
    await store.keys.add(key)
    assert await store.keys.get(key.id) == key
    assert {stored.id: stored for stored in await store.keys.list()} == {plain.id: plain, key.id: key}
    assert await store.of("shoes").keys.get(key.id) == key  # one list for all catalogues
    assert await store.keys.get("0" * 12) is None
    read = await store.keys.get(key.id)
    assert read is not None
    assert read.matches(secret, datetime.now(UTC))


async def test_a_rotated_and_a_revoked_key_are_read_as_such(store: CatalogueDatabase) -> None:
    key, first = new_key("shop", [Scope.SEARCH])
    await store.keys.add(key)
    changed, second = rotated(key, timedelta(days=7))
    assert await store.keys.replace(key, changed)
    read = await store.keys.get(key.id)
    assert read == changed
    assert all(read.matches(secret, datetime.now(UTC)) for secret in (first, second))
    assert await store.keys.replace(changed, revoked(changed))
    ended = await store.keys.get(key.id)
    assert ended is not None
    assert ended.state(datetime.now(UTC)) == "revoked"


async def test_of_changes_at_the_same_time_one_is_taken(store: CatalogueDatabase) -> None:
    key, _ = new_key("shop", [Scope.SEARCH])
    await store.keys.add(key)
    changes = [replace(key, name=f"shop {n}", revision=key.revision + 1) for n in range(4)]
    assert sum(await asyncio.gather(*(store.keys.replace(key, change) for change in changes))) == 1
