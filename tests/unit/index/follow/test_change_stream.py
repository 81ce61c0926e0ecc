"""A change stream is followed until its marker comes, by a clock of the tests' own."""

from types import SimpleNamespace

import pytest

from services.catalogue.store.change_feed import ChangeBatch
from services.index.follow import change_stream
from services.index.follow.change_stream import MARKER_TIMEOUT_S, ChangeStream
from services.index.replica.writer import ReplicaWriter
from tests.support.fakes.follow import Database, empty, record

MARKER = "~sync/0"  # the first marker of a `Database`


def batch(*keys: str, marker: str | None = None) -> ChangeBatch:
    return ChangeBatch(
        changed=tuple(map(record, keys)),
        deleted=(),
        unclear=(),
        markers=frozenset() if marker is None else frozenset({marker}),
        token=None,
        level_at=0.0,
    )


class ScriptedFeed:
    """Returns batches one after the other, then empty ones; each takes `step_s` seconds of the clock."""

    def __init__(self, batches: list[ChangeBatch], step_s: float) -> None:
        self.batches = batches
        self.step_s = step_s
        self.now = 0.0
        self.steps = 0
        self.is_closed = False

    async def next_batch(self, limit: int, gather_s: float) -> ChangeBatch:
        assert (limit, gather_s) == (change_stream.EVENTS_BATCH, 0.25)
        self.steps += 1
        self.now += self.step_s
        return self.batches.pop(0) if self.batches else batch()

    async def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def database() -> Database:
    return Database()


def stream_of(
    database: Database, monkeypatch: pytest.MonkeyPatch, *batches: ChangeBatch, step_s: float = 0.6 * MARKER_TIMEOUT_S
) -> tuple[ChangeStream, ScriptedFeed]:
    feed = ScriptedFeed(list(batches), step_s)
    monkeypatch.setattr(change_stream, "time", SimpleNamespace(monotonic=lambda: feed.now))
    return ChangeStream(database, feed, 0.25), feed  # type: ignore[arg-type]


async def test_a_marker_is_waited_for_as_long_as_events_come(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, feed = stream_of(database, monkeypatch, batch("1"), batch("2"), batch("3"), batch(), batch(marker=MARKER))
    assert await stream.pass_marker(None)
    assert feed.steps == 5


async def test_without_an_event_a_marker_is_waited_for_until_the_timeout(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, feed = stream_of(database, monkeypatch, batch("1"), step_s=0.5 * MARKER_TIMEOUT_S)
    assert not await stream.pass_marker(None)
    assert feed.steps == 3


async def test_a_marker_of_somebody_else_is_not_waited_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, _ = stream_of(database, monkeypatch, batch(marker="~sync/other"))
    assert not await stream.pass_marker(None)


async def test_a_marker_is_removed_whether_it_came_or_not(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    removed: list[str] = []

    async def remove(markers: list[str]) -> None:
        removed.extend(markers)

    monkeypatch.setattr(database, "remove_markers", remove)
    for batches in ([batch(marker=MARKER)], []):
        stream, _ = stream_of(database, monkeypatch, *batches)
        database.log.clear()
        await stream.pass_marker(None)
    assert removed == [MARKER, MARKER]


async def test_the_changes_before_a_marker_are_applied(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, _ = stream_of(database, monkeypatch, batch("1"), batch("2", marker=MARKER), batch("3"))
    writer = ReplicaWriter(empty())
    assert await stream.pass_marker(writer)
    assert sorted(writer.replica.gallery) == ["1", "2"]
    assert (writer.applied, writer.changes) == (2, 2)


async def test_an_empty_batch_changes_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, _ = stream_of(database, monkeypatch)
    writer = ReplicaWriter(empty())
    await stream.step(writer)
    assert writer.changes == 0


async def test_closing_a_stream_closes_its_feed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, feed = stream_of(database, monkeypatch)
    await stream.close()
    assert feed.is_closed
