"""The indexes of the event log, with collections that record what is asked of them."""

from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from pymongo.errors import OperationFailure

from services.catalogue.store.events.event_log import EventLog
from services.catalogue.store.mongo.errors import database_call

DAY_S = 86_400


class Collection:
    """A collection whose indexes cannot be created if it has an error code."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls: list[tuple[Any, ...]] = []
        self.code: int | None = None
        self.database = self

    def with_options(self, **_: Any) -> "Collection":
        return self

    async def create_index(self, field: str, **options: Any) -> None:
        self.calls.append((field, options.get("expireAfterSeconds")))
        if self.code is not None and "expireAfterSeconds" in options:
            raise OperationFailure("no", self.code)

    async def command(self, command: dict[str, Any]) -> None:
        self.calls.append((command["collMod"], command["index"]["name"], command["index"]["expireAfterSeconds"]))


@pytest.fixture
def collections() -> dict[str, Collection]:
    return {name: Collection(name) for name in ("events", "queries")}


@pytest.fixture
def log(collections: dict[str, Collection]) -> EventLog:
    @asynccontextmanager
    async def call() -> Any:
        async with database_call("db:1", 60):
            yield

    return EventLog(SimpleNamespace(collection=collections.__getitem__, call=call), "default")  # type: ignore[arg-type]


async def test_both_collections_get_their_indexes_once_for_a_number_of_days(
    log: EventLog, collections: dict[str, Collection]
) -> None:
    for days in (1.5, 1.5, 2.0):
        await log.ensure_indexes(days)
    of_each = [("client_id", None), ("query_id", None)]
    expected = [("timestamp", 129_600), *of_each, ("timestamp", 2 * DAY_S), *of_each]
    assert collections["events"].calls == collections["queries"].calls == expected


async def test_another_number_of_days_changes_the_expiry_of_the_index_that_is_there(
    log: EventLog, collections: dict[str, Collection]
) -> None:
    collections["events"].code = 85  # IndexOptionsConflict
    await log.ensure_indexes(30)
    changed = ("events", "expiry", 30 * DAY_S)
    assert collections["events"].calls[:3] == [("timestamp", 30 * DAY_S), changed, ("client_id", None)]


async def test_a_user_who_may_not_create_indexes_works_without_and_they_are_tried_again(
    log: EventLog, collections: dict[str, Collection]
) -> None:
    collections["queries"].code = 13  # Unauthorized
    await log.ensure_indexes(30)
    assert collections["queries"].calls == [("timestamp", 30 * DAY_S)]
    collections["queries"].code = None
    await log.ensure_indexes(30)
    await log.ensure_indexes(30)
    assert len(collections["queries"].calls) == 4
