"""The keys as the gateway knows them: when they are read, what of them is known, and that reading ends."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.catalogue.api_key import ApiKey
from services.contracts.domain.errors import CatalogueUnavailable
from services.gateway.access import key_ring
from services.gateway.access.key_ring import KeyRing
from tests.support.values.keys import make_key
from tests.support.waiting import WITHIN_S

HOUR = 3600.0


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_ring, "MIN_INTERVAL_S", 0.0)


class Source:
    def __init__(self, *keys: ApiKey) -> None:
        self.rows = list(keys)
        self.readings = 0
        self.trouble: CatalogueUnavailable | None = None
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def list(self) -> Sequence[ApiKey]:
        self.readings += 1
        await self.go_on.wait()
        if self.trouble is not None:
            raise self.trouble
        return list(self.rows)


async def test_keys_are_known_from_the_beginning_of_the_block() -> None:
    key, secret = make_key("search", origins=["https://shop.example"])
    ring, source = KeyRing(HOUR), Source(key)
    assert (ring.size, ring.origins, ring.known(secret)) == (0, frozenset(), None)
    async with ring.following(source):  # type: ignore[arg-type]
        assert (ring.size, ring.known(secret), await ring.find(secret)) == (1, key, key)
        assert ring.origins == {"https://shop.example"}
        assert source.readings == 1


async def test_only_an_unknown_key_is_looked_for_again_and_several_callers_share_a_reading() -> None:
    ring, source = KeyRing(HOUR), Source()
    new, secret = make_key("search")
    async with ring.following(source):  # type: ignore[arg-type]
        assert await ring.find("no key") is None
        assert source.readings == 1
        source.rows.append(new)
        source.go_on.clear()
        callers = [asyncio.create_task(ring.find(secret)) for _ in range(3)]
        await asyncio.sleep(0)
        callers[0].cancel()  # the others still wait for it
        source.go_on.set()
        assert await asyncio.gather(*callers[1:]) == [new, new]
        assert source.readings == 2
        assert await ring.find(make_key("search")[1]) is None
        assert source.readings == 3


async def test_a_key_that_cannot_be_checked_is_an_error_until_the_database_answers() -> None:
    ring, source = KeyRing(HOUR), Source()
    source.trouble = CatalogueUnavailable("it is down")
    secret = make_key("search")[1]
    async with ring.following(source):  # type: ignore[arg-type]
        for _ in range(2):
            with pytest.raises(CatalogueUnavailable, match="the key cannot be checked"):
                await ring.find(secret)
        source.trouble = None
        assert await ring.find(secret) is None


async def test_keys_stay_known_while_the_database_is_unavailable_and_after_the_block() -> None:
    key, secret = make_key("search")
    ring, source = KeyRing(HOUR), Source(key)
    async with ring.following(source):  # type: ignore[arg-type]
        source.trouble = CatalogueUnavailable("it is down")
        with pytest.raises(CatalogueUnavailable):
            await ring.find(make_key("search")[1])
        assert await ring.find(secret) == key
    readings = source.readings
    with pytest.raises(CatalogueUnavailable):
        await ring.find(make_key("search")[1])
    assert source.readings == readings  # nothing is read any more


async def test_keys_are_read_again_after_each_interval() -> None:
    ring, source = KeyRing(0.0), Source()
    async with ring.following(source):  # type: ignore[arg-type]
        source.rows = [make_key("search")[0]]

        async def known() -> None:
            while ring.size == 0:  # noqa: ASYNC110
                await asyncio.sleep(0)

        await asyncio.wait_for(known(), WITHIN_S)
    readings = source.readings
    for _ in range(10):
        await asyncio.sleep(0)
    assert source.readings == readings
    assert not [task for task in asyncio.all_tasks() if "API keys" in task.get_name()]


async def test_origins_are_those_of_active_keys() -> None:
    now = datetime.now(UTC)
    keys = [make_key("search", origins=[f"https://{name}.example"])[0] for name in ("active", "expired", "revoked")]
    keys[1] = replace(keys[1], expires_at=now - timedelta(seconds=1))
    keys[2] = replace(keys[2], revoked_at=now)
    ring = KeyRing(HOUR)
    async with ring.following(Source(*keys)):  # type: ignore[arg-type]
        assert (ring.size, ring.origins) == (3, frozenset({"https://active.example"}))


async def test_a_revoked_key_is_found_by_its_name_and_another_only_by_its_secret() -> None:
    key, secret = make_key("search")
    wrong = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    ring = KeyRing(HOUR)
    async with ring.following(source := Source(key)):  # type: ignore[arg-type]
        assert ring.known(wrong) is None
        source.rows = [replace(key, revoked_at=datetime.now(UTC))]
        await ring.find(make_key("search")[1])
        for text in (secret, wrong):
            found = ring.known(text)
            assert found is not None
            assert found.state(datetime.now(UTC)) == "revoked"
