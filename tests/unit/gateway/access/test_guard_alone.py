"""The guard without an app: who is counted, whose key opens what, and what is remembered of a request."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import Request

from services.catalogue.api_key import ApiKey
from services.contracts.domain.errors import Forbidden, NotFound, TooManyRequests, Unauthorised
from services.gateway.access import key_ring
from services.gateway.access.guard import Guard, allowed_catalogues, caller_name, check_link, may_write
from services.gateway.access.record import record_of
from services.gateway.settings import GatewaySettings
from tests.support.values.keys import make_key

ADMIN = "open sesame"
READ, WRITE, PICTURE, BEACON, PAGE = "get_stats", "put_product", "get_product_image", "send_events", "search_page"
SHOP = "https://shop.example"


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_ring, "MIN_INTERVAL_S", 0.0)


def request(secret: str | None = None, query: str = "", address: str = "198.51.100.7", **headers: str) -> Request:
    fields = {**headers, **({} if secret is None else {"authorization": f"Bearer {secret}"})}
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in fields.items()],
        "client": (address, 1),
        "server": ("127.0.0.1", 8000),
    }
    return Request(scope)


class Source:
    def __init__(self, keys: Sequence[ApiKey]) -> None:
        self.keys = keys

    async def list(self) -> Sequence[ApiKey]:
        return self.keys


@asynccontextmanager
async def guarding(*keys: ApiKey, **settings: Any) -> AsyncIterator[Guard]:
    guard = Guard(GatewaySettings(**settings))
    async with guard.keys.following(Source(keys)):  # type: ignore[arg-type]
        yield guard


async def test_the_caller_is_the_key_or_the_address() -> None:
    key, secret = make_key("search")
    async with guarding(key, access="keys", admin_key=ADMIN) as guard:
        for who, expected in ((ADMIN, "admin key"), (secret, key.id), ("x", "198.51.100.7"), (None, "198.51.100.7")):
            assert guard.caller_of(request(who).scope) == expected
    async with guarding(key, access="open", admin_key=ADMIN) as guard:
        for who, expected in ((ADMIN, "admin key"), (secret, "198.51.100.7")):
            assert guard.caller_of(request(who).scope) == expected


async def test_a_request_that_has_passed_is_counted_under_its_key() -> None:
    key, secret = make_key("search")
    async with guarding(key, access="keys", admin_key=ADMIN) as guard:
        for who, expected in ((ADMIN, "admin key"), (secret, key.id)):
            passed = request(who)
            await guard.check(passed, READ)
            assert caller_name(passed) == expected
            assert record_of(passed.scope).name == (key.name if who == secret else None)
    async with guarding(access="open", admin_key=ADMIN) as guard:
        for sender, expected in ((ADMIN, "admin key"), ("x", "198.51.100.7"), (None, "198.51.100.7")):
            passed = request(sender)
            await guard.check(passed, READ)
            assert caller_name(passed) == expected


async def test_the_record_says_what_was_asked() -> None:
    async with guarding(admin_key=ADMIN) as guard:
        for name, is_write in ((READ, False), (PAGE, False)):
            passed = request()
            await guard.check(passed, name)
            assert (record_of(passed.scope).operation, record_of(passed.scope).is_write) == (name, is_write)
        refused = request()
        with pytest.raises(Unauthorised):
            await guard.check(refused, WRITE)
        assert (record_of(refused.scope).operation, record_of(refused.scope).is_write) == (WRITE, True)


async def quota_of(guard: Guard, **given: Any) -> bool:
    """Return whether a third request is refused, where a quota allows two."""
    for number in range(3):
        asked = request(**given)
        try:
            await guard.check(asked, READ)
        except TooManyRequests as error:
            assert (number, error.inside, error.retry_after_s > 0) == (2, {"limit": "client-quota"}, True)
            assert "r=0;" in record_of(asked.scope).headers["RateLimit"]
            return True
        except Unauthorised:
            pass
    return False


async def test_addresses_have_a_quota_and_servers_have_none() -> None:
    server, server_secret = make_key("search")
    page, page_secret = make_key("search", origins=[SHOP])
    old, old_secret = make_key("search")
    old = replace(old, expires_at=datetime.now(UTC) - timedelta(days=1))
    settings: dict[str, Any] = {"access": "keys", "admin_key": ADMIN, "client_quota": "2/hour"}
    for given, is_counted in (
        ({"secret": ADMIN}, False),
        ({"secret": server_secret}, False),
        ({"secret": page_secret, "origin": SHOP}, True),
        ({"secret": old_secret}, True),
        ({"secret": "x"}, True),
        ({}, True),
    ):
        async with guarding(server, page, old, **settings) as guard:
            assert await quota_of(guard, **given) is is_counted


async def test_a_public_route_is_not_counted() -> None:
    async with guarding(access="open", client_quota="1/hour") as guard:
        for _ in range(3):
            await guard.check(request(), PAGE)


async def test_events_have_a_quota_of_their_own_but_not_those_of_a_server() -> None:
    key, secret = make_key("search")
    async with guarding(key, access="open", admin_key=ADMIN, events_quota="5/hour") as guard:
        for who in (secret, ADMIN):
            await guard.count_events(request(who), 100)
        await guard.count_events(request(), 5)
        with pytest.raises(TooManyRequests, match="this address, in events, may send 5/hour"):
            await guard.count_events(request(), 1)
        await guard.count_events(request(address="198.51.100.8"), 5)
    async with guarding(access="local", events_quota="5/hour") as guard:
        await guard.count_events(request(), 100)


async def test_a_key_has_the_quota_of_its_own_or_of_the_settings() -> None:
    key, secret = make_key("search")
    async with guarding(key, access="keys", key_quota="1/hour", client_quota="") as guard:
        await guard.check(request(secret), READ)
        with pytest.raises(TooManyRequests, match="this key may send 1/hour") as caught:
            await guard.check(request(secret), READ)
        assert caught.value.inside == {"limit": "key-quota"}


async def test_with_a_listener_for_administration_writes_are_served_there_only() -> None:
    async with guarding(admin_key=ADMIN, admin_port=9000) as guard:
        with pytest.raises(NotFound):
            await guard.check(request(ADMIN), WRITE)
        inside = request(ADMIN)
        inside.scope["server"] = ("127.0.0.1", 9000)
        await guard.check(inside, WRITE)
        await guard.check(request(), READ)


async def test_a_key_in_the_address_opens_beacons_only_and_searches_only() -> None:
    search, both = make_key("search"), make_key("search", "catalogue")
    async with guarding(search[0], both[0], access="keys", admin_key=ADMIN) as guard:
        await guard.check(request(query=f"key={search[1]}"), BEACON)
        for secret in (both[1], ADMIN):
            with pytest.raises(Forbidden, match="a key in the address is public"):
                await guard.check(request(query=f"key={secret}"), BEACON)
        for name, query in ((READ, f"key={search[1]}"), (BEACON, ""), (BEACON, "key=")):
            with pytest.raises(Unauthorised, match="this needs a key"):
                await guard.check(request(query=query), name)
        await guard.check(request(both[1], query="key=x"), BEACON)  # the header field counts
    async with guarding(access="open", client_quota="1/hour") as guard:
        await guard.check(request(query="key=x"), BEACON)
        with pytest.raises(TooManyRequests):
            await guard.check(request(query="key=x"), BEACON)


async def test_a_pictures_address_opens_it_by_its_hash() -> None:
    digest = "0123456789ab" + "c" * 52
    async with guarding(access="keys") as guard:
        for query, is_open in (
            ("v=0123456789ab", True),
            ("v=0123456789AB", True),
            (f"v={digest}", True),
            ("v=0123456789a", False),
            ("v=0123456789ac", False),
            ("picture=0123456789abcdef", True),  # the database finds it by this name
        ):
            asked = request(query=query)
            await guard.check(asked, PICTURE)
            if is_open:
                check_link(asked, digest)
            else:
                with pytest.raises(Unauthorised):
                    check_link(asked, digest)
        for query in ("", "v=", "w=120"):
            with pytest.raises(Unauthorised):
                await guard.check(request(query=query), PICTURE)
        with pytest.raises(Unauthorised):
            await guard.check(request(query="v=0123456789ab"), READ)
    check_link(request(query="v=x"), digest)  # a request with a key, or where none is needed


async def test_a_key_is_bound_to_its_catalogues_origins_and_scopes() -> None:
    key, secret = make_key("search", catalogues=["shoes"], origins=[SHOP])
    async with guarding(key, access="keys") as guard:

        async def ask(name: str = READ, catalogue: str = "shoes", **headers: str) -> Request:
            asked = request(secret, **headers)
            asked.scope["lookalike.catalogue"] = catalogue
            await guard.check(asked, name)
            return asked

        for headers in ({"origin": SHOP}, {"referer": f"{SHOP}/page?x=1"}):
            passed = await ask(**headers)
            assert allowed_catalogues(passed, ("default", "shoes")) == ("shoes",)
        for catalogue, said in (("default", "this catalogue"), ("all", "all catalogues")):
            with pytest.raises(Forbidden, match=f"does not open {said}"):
                await ask(catalogue=catalogue, origin=SHOP)
        for headers in ({}, {"origin": "https://other.example"}, {"origin": "https://o.example", "referer": SHOP}):
            with pytest.raises(Forbidden, match="may not be used from this origin"):
                await ask(**headers)
        with pytest.raises(Forbidden, match="this needs a key of the scope catalogue, or admin"):
            await ask(WRITE, origin=SHOP)
    assert allowed_catalogues(request(), ("default", "shoes")) == ("default", "shoes")


@pytest.mark.parametrize(
    ("authorization", "is_open"),
    [
        (f"Bearer {ADMIN}", True),
        (f"bearer  {ADMIN} ", True),
        (f"Basic {ADMIN}", False),
        (ADMIN, False),
        ("Bearer", False),
        ("Bearer ", False),
        (f"Bearer {ADMIN}x", False),
        (f"Bearer {ADMIN[:-1]}", False),
    ],
)
async def test_a_key_comes_as_a_bearer_token(authorization: str, is_open: bool) -> None:
    async with guarding(access="keys", admin_key=ADMIN) as guard:
        asked = request(authorization=authorization)
        if is_open:
            await guard.check(asked, WRITE)
        else:
            with pytest.raises(Unauthorised):
                await guard.check(asked, WRITE)


async def test_who_may_write_sees_all_fields() -> None:
    search, catalogue, admin = make_key("search"), make_key("catalogue"), make_key("admin")
    settings: dict[str, Any] = {"access": "keys", "admin_key": ADMIN}
    async with guarding(search[0], catalogue[0], admin[0], **settings) as guard:
        for secret, is_writer in ((search[1], False), (catalogue[1], True), (admin[1], True), (ADMIN, True)):
            asked = request(secret)
            await guard.check(asked, "get_product")
            assert may_write(asked, GatewaySettings(**settings)) is is_writer
    assert may_write(request(), GatewaySettings())
    assert not may_write(request(), GatewaySettings(admin_key=ADMIN))  # type: ignore[arg-type]
