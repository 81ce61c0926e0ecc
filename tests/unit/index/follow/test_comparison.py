"""A comparison of the whole catalogue reads page by page and pauses between them."""

import itertools
from types import SimpleNamespace

import pytest

from services.index.follow import comparison
from services.index.replica.writer import ReplicaWriter
from tests.support.fakes.follow import Database, empty


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setattr(comparison, "PAGE", 2)
    return Database()


def writer_of(database: Database) -> ReplicaWriter:
    """Return the writer of a replica with the database's products."""
    replica = empty()
    replica.apply((), database.products.values())
    return ReplicaWriter(replica)


async def differences(database: Database, writer: ReplicaWriter) -> list[list[str]]:
    """Return the ids of the documents that differ, by page."""
    pages = comparison.Comparison(database, writer, 1.0).differences()  # type: ignore[arg-type]
    return [[document_id for document_id, _ in page] async for page in pages]


async def test_a_comparison_yields_changed_new_and_deleted_documents(database: Database) -> None:
    for number in range(7):
        database.put(str(number))
    writer = writer_of(database)
    assert await differences(database, writer) == [[], [], [], []]
    database.put("2", "changed")
    database.put("7")
    for number in (0, 1, 4):
        database.delete(str(number))
    assert await differences(database, writer) == [["2"], [], ["7"], ["0", "1"], ["4"]]


@pytest.mark.parametrize(("page_s", "share", "pause_s"), [(0.1, 0.25, 0.3), (0.1, 1.0, 0.0), (9.0, 0.25, 1.0)])
async def test_a_comparison_pauses_for_its_share_of_the_time_up_to_a_second(
    database: Database, monkeypatch: pytest.MonkeyPatch, page_s: float, share: float, pause_s: float
) -> None:
    pauses: list[float] = []
    ticks = itertools.count()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    for number in range(6):
        database.put(str(number))
    writer = writer_of(database)
    pages = comparison.Comparison(database, writer, share)  # type: ignore[arg-type]
    monkeypatch.setattr(comparison, "time", SimpleNamespace(monotonic=lambda: page_s * next(ticks)))
    monkeypatch.setattr(comparison, "asyncio", SimpleNamespace(sleep=sleep))
    assert [list(page) async for page in pages.differences()] == [[], [], []]
    assert pages.documents == 6
    assert pauses == [pytest.approx(pause_s)] * 3
