"""Tokens of change streams as text, routers of sharded clusters, and feeds that are closed."""

from types import SimpleNamespace

import pytest
from bson.timestamp import Timestamp
from pymongo import errors as driver

from services.catalogue.store.change_feed import ChangeBatch, ChangeFeed, is_of_router, read_token, token_text
from services.catalogue.store.product_pages import ListPosition


def test_a_token_is_the_same_after_text() -> None:
    token = {"_data": "82", "at": Timestamp(7, 1), "n": 5}
    assert read_token(token_text(token)) == token


@pytest.mark.parametrize("text", ["[1]", '"82"', "", "{"])
def test_a_text_that_is_no_document_is_no_token(text: str) -> None:
    with pytest.raises(ValueError):
        read_token(text)


@pytest.mark.parametrize(
    ("is_mongos", "topology", "expected"),
    [(True, "Sharded", True), (False, "LoadBalanced", True), (False, "ReplicaSetWithPrimary", False)],
)
def test_a_router_is_reached_directly_or_by_a_load_balancer(is_mongos: bool, topology: str, expected: bool) -> None:
    description = SimpleNamespace(topology_type_name=topology)
    assert is_of_router(SimpleNamespace(is_mongos=is_mongos, topology_description=description)) is expected


class Stream:
    """A stream without changes that cannot be closed."""

    resume_token = None
    alive = True

    def try_next(self) -> None:
        """There is none."""

    def close(self) -> None:
        raise driver.AutoReconnect("gone")


async def test_a_closed_feed_gives_no_more_batches() -> None:
    feed = ChangeFeed(Stream(), "db:1", 0.0)  # type: ignore[arg-type]
    assert not feed.is_sharded
    batch = await feed.next_batch(10, 0.0)
    assert batch.is_empty and not batch.resumed and batch.token is None
    await feed.close()
    with pytest.raises(RuntimeError):
        await feed.next_batch(10, 0.0)


@pytest.mark.parametrize("part", ["changed", "deleted", "unclear"])
def test_a_batch_with_any_change_is_not_empty(part: str) -> None:
    parts = {"changed": (), "deleted": (), "unclear": (), "markers": frozenset({"~sync/1"})}
    assert ChangeBatch(**parts, token=None, level_at=0.0).is_empty  # type: ignore[arg-type]
    assert not ChangeBatch(**parts | {part: ("a",)}, token=None, level_at=0.0).is_empty  # type: ignore[arg-type]


def test_the_types_of_ids_follow_each_other() -> None:
    place: ListPosition | None = ListPosition()
    kinds = []
    while place is not None:
        kinds.append(place.kind)
        assert place.last is None
        place = place.next_kind()
    assert kinds == ["object", "number", "text"]


@pytest.mark.parametrize(("kind", "last"), [("object", "x"), ("text", 1), ("number", "1")])
def test_a_place_has_an_id_of_its_type(kind: str, last: object) -> None:
    with pytest.raises(ValueError, match="is not"):
        _ = ListPosition(kind, last).condition  # type: ignore[arg-type]
