"""The position in the change stream that is kept in Milvus, without a server."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from services.contracts.domain.errors import IndexNotReady
from services.index.milvus import position as module
from services.index.milvus.gallery import MilvusGallery
from services.index.milvus.position import INTERVAL_S, MAX_AGE_S, MilvusPosition
from services.index.milvus.replica import MilvusReplica
from services.index.replica.snapshot import Origin, SyncPosition

ORIGIN = Origin("lookalike.products", "fashion/1", "fashion/1", 3, 4)
POSITION = SyncPosition("db1", {"_data": "token"}, 1000.0)


class StoredTexts:
    """Takes the place of a collection."""

    name = "lookalike_test"

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.trouble: Exception | None = None

    def read_position(self, catalogue: str) -> str | None:
        self._fail()
        return self.texts.get(catalogue)

    def write_position(self, catalogue: str, text: str) -> None:
        self._fail()
        self.texts[catalogue] = text

    def open(self, partitions: Any) -> None:
        self._fail()

    def count(self, *_: Any, **__: Any) -> int:
        return 5

    def scan(self, *_: Any) -> Any:
        return iter(())

    def _fail(self) -> None:
        if self.trouble is not None:
            raise self.trouble


@pytest.fixture
def stored() -> StoredTexts:
    return StoredTexts()


def replica(stored: StoredTexts) -> MilvusReplica:
    return MilvusReplica(MilvusGallery(stored, "default", 3, 4), "fashion/1", "fashion/1")  # type: ignore[arg-type]


def keeper(stored: StoredTexts, origin: Origin = ORIGIN, clock: Any = lambda: 0.0) -> MilvusPosition:
    return MilvusPosition(stored, origin, clock)  # type: ignore[arg-type]


async def test_a_position_is_read_back(stored: StoredTexts) -> None:
    first = keeper(stored)
    assert first.load(replica(stored)) is None
    await first.close(replica(stored), POSITION, 7)
    resumed = replica(stored)
    assert keeper(stored).load(resumed) == POSITION
    assert len(resumed.gallery) == 15  # what Milvus holds in three categories


async def test_a_position_of_other_settings_is_not_used(stored: StoredTexts) -> None:
    await keeper(stored).close(replica(stored), POSITION, 1)
    other = Origin("lookalike.products", "fashion/1", "fashion/2", 3, 4)
    assert keeper(stored, other).load(replica(stored)) is None


def test_a_damaged_position_is_not_used(stored: StoredTexts) -> None:
    stored.texts[ORIGIN.catalogue] = "{}"
    damaged = keeper(stored)
    assert damaged.load(replica(stored)) is None
    assert damaged.status().failures == 1


def test_while_milvus_is_unavailable_the_position_is_unknown_and_not_missing(stored: StoredTexts) -> None:
    stored.trouble = IndexNotReady("Milvus is unavailable")
    with pytest.raises(IndexNotReady):
        keeper(stored).load(replica(stored))


async def test_a_failed_write_is_counted_and_repeated(stored: StoredTexts) -> None:
    now = [0.0]
    position = keeper(stored, clock=lambda: now[0])
    stored.trouble = IndexNotReady("Milvus is unavailable")
    assert position.is_due(3)
    position.save(None, POSITION, 3)  # type: ignore[arg-type]
    await position.close(replica(stored), None, 3)
    assert position.status().failures == 1
    assert position.status().last_error == "Milvus is unavailable"
    stored.trouble, now[0] = None, INTERVAL_S
    assert position.is_due(3)
    position.save(None, POSITION, 3)  # type: ignore[arg-type]
    await position.close(replica(stored), None, 3)
    assert position.status().last_error is None
    assert not position.is_due(4)
    now[0] += INTERVAL_S
    assert position.is_due(4)
    assert not position.is_due(3)
    now[0] += MAX_AGE_S
    assert position.is_due(3)


@pytest.mark.parametrize(("now", "age"), [(1000.0, 0.0), (999.0, 0.0), (1012.345, 12.3), (1000.25, 0.2)])
async def test_the_age_is_that_of_what_milvus_holds(
    stored: StoredTexts, monkeypatch: pytest.MonkeyPatch, now: float, age: float
) -> None:
    written = keeper(stored)
    assert written.status().age_seconds is None
    await written.close(replica(stored), POSITION, 1)
    loaded = keeper(stored)
    assert loaded.load(replica(stored))
    monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: now))
    assert written.status().age_seconds == loaded.status().age_seconds == pytest.approx(age)


async def test_the_position_of_a_new_process_is_written_without_a_change(stored: StoredTexts) -> None:
    await keeper(stored).close(replica(stored), POSITION, 0)
    assert stored.texts


async def test_a_position_that_was_read_is_written_after_the_first_change_or_when_it_is_old(
    stored: StoredTexts,
) -> None:
    await keeper(stored).close(replica(stored), POSITION, 1)
    now = [50.0]
    loaded = keeper(stored, clock=lambda: now[0])
    assert loaded.load(replica(stored))
    now[0] += INTERVAL_S
    assert [loaded.is_due(changes) for changes in (0, 1)] == [False, True]
    now[0] = 50.0 + MAX_AGE_S
    assert loaded.is_due(0)
    stored.texts.clear()
    await loaded.close(replica(stored), POSITION, 0)
    assert stored.texts == {}


async def test_a_position_that_is_too_long_for_milvus_is_a_failure(
    stored: StoredTexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keeper(stored).close(replica(stored), POSITION, 1)
    text = stored.texts.pop(ORIGIN.catalogue)
    monkeypatch.setattr(module, "MAX_POSITION_BYTES", len(text))
    position = keeper(stored)
    await position.close(replica(stored), POSITION, 1)
    assert (stored.texts[ORIGIN.catalogue], position.status().failures) == (text, 0)
    longer = replace(POSITION, database="db22")
    await position.close(replica(stored), longer, 2)
    assert (stored.texts[ORIGIN.catalogue], position.status().failures) == (text, 1)
    assert "more than" in str(position.status().last_error)
