"""The record of an import: its note and its lease, in memory."""

import asyncio
import contextlib
import re
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from services.catalogue.importing import lease as import_lease
from services.catalogue.importing import record as import_record
from services.catalogue.importing.lease import ImportUnderWay, LeaseWatch
from services.catalogue.importing.record import TAKEN_OVER, ImportRecord, is_elsewhere, present
from services.catalogue.process_mark import ProcessMark, this_process
from services.catalogue.retry import Retry
from services.catalogue.store.notes import Lease
from services.contracts.domain.errors import CatalogueUnavailable
from services.contracts.domain.parts import WHOLE, Part

ELSEWHERE = ProcessMark("other-machine", "another boot pid:[1]", 7, 1000)
AWAY = CatalogueUnavailable("away", "db:1")


class Notes:
    """The notes of a catalogue."""

    def __init__(self) -> None:
        self.held: list[Lease] = []
        self.notes: dict[str, dict[str, Any]] = {}
        self.written: list[dict[str, Any]] = []
        self.pruned = 0
        self.cancel = False
        self.failures: list[Exception] = []

    async def leases(self) -> list[Lease]:
        return list(self.held)

    async def take_lease(self, lease: Lease) -> bool:
        if any(held.note_id == lease.note_id for held in self.held):
            return False
        self.held.append(lease)
        return True

    async def renew_lease(self, import_id: str, beat: int) -> bool:
        before = self.held
        self.held = [replace(lease, beat=beat) if lease.import_id == import_id else lease for lease in before]
        return any(lease.import_id == import_id for lease in before)

    async def drop_lease(self, lease: Lease, *, at_beat: bool = False) -> None:
        self.held = [held for held in self.held if held.import_id != lease.import_id]

    async def prune_imports(self) -> None:
        self.pruned += 1

    async def put_import(self, import_id: str, facts: dict[str, Any]) -> bool:
        if self.failures:
            raise self.failures.pop(0)
        self.notes[import_id] = facts
        self.written.append(facts)
        return self.cancel


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_record, "BEAT_S", 0)


@pytest.fixture
def notes() -> Notes:
    return Notes()


def record(notes: Notes, stopping: asyncio.Event | None = None, **facts: Any) -> ImportRecord:
    stopping = stopping or asyncio.Event()
    catalogue: Any = SimpleNamespace(notes=notes)
    return ImportRecord(catalogue, "feed.csv", Retry(0.0, stopping, lambda _: None), stopping, **facts)


async def beats(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_an_import_has_a_note_from_its_beginning_to_its_end(notes: Notes) -> None:
    mine = record(notes)
    assert re.fullmatch(r"\d{8}-\d{6}-\d{3}-[0-9a-f]{8}", mine.id)
    assert mine.id.startswith(f"{mine.started_at:%Y%m%d-%H%M%S}-{mine.started_at.microsecond // 1000:03}")
    async with mine:
        first = notes.notes[mine.id]
        assert (first["id"], first["state"], first["source"]) == (mine.id, "running", "feed.csv")
        assert (first["finished_at"], notes.pruned) == (None, 1)
        assert first["process"]["pid"] == this_process().pid
        assert [held.import_id for held in notes.held] == [mine.id]
        mine.facts = lambda: {"read": 7, "state": "done"}
        mine.state = "cancelled"
    last = notes.notes[mine.id]
    assert (last["read"], last["state"], mine.state) == (7, "done", "cancelled")
    assert first["updated_at"] <= last["finished_at"] <= last["updated_at"]
    assert notes.held == []
    assert mine.document()["finished_at"] == last["finished_at"]
    assert datetime.fromisoformat(last["started_at"]) == mine.started_at


@pytest.mark.parametrize(
    ("error", "state"), [(None, "done"), (ValueError("why"), "failed"), (asyncio.CancelledError(), "interrupted")]
)
@pytest.mark.parametrize("first", ["receiving", "running"])
async def test_an_import_that_does_not_say_how_it_ended_is_done_or_failed(
    notes: Notes, error: BaseException | None, state: str, first: Any
) -> None:
    mine = record(notes, state=first)
    with contextlib.suppress(ValueError, asyncio.CancelledError):
        async with mine:
            assert notes.notes[mine.id]["state"] == first
            if error is not None:
                raise error
    assert (mine.state, notes.notes[mine.id]["state"], notes.held) == (state, state, [])


@pytest.mark.parametrize("cancel", [False, True])
async def test_a_beat_renews_the_lease_and_asks_whether_to_end(notes: Notes, cancel: bool) -> None:
    stopping = asyncio.Event()
    notes.failures = []
    async with record(notes, stopping) as mine:
        notes.cancel = cancel
        notes.failures = [AWAY]  # a beat fails, and the next one comes
        await beats()
        assert notes.held[0].beat > 2
        assert len(notes.written) > 2
        assert (stopping.is_set(), mine.cancelled, mine.taken_over) == (cancel, cancel, False)
        notes.cancel = False
        await beats()
        assert mine.cancelled is cancel  # once requested, it stays so
    written = len(notes.written)
    await beats()
    assert len(notes.written) == written


async def test_an_import_whose_lease_another_has_taken_stops_and_writes_no_more(notes: Notes) -> None:
    stopping = asyncio.Event()
    async with record(notes, stopping) as mine:
        notes.held = []
        written = len(notes.written)
        await beats()
        assert (stopping.is_set(), mine.taken_over, mine.cancelled) == (True, True, False)
        assert len(notes.written) == written
    assert "taken over" in TAKEN_OVER


async def test_an_import_that_is_cancelled_here_stops(notes: Notes) -> None:
    stopping = asyncio.Event()
    mine = record(notes, stopping)
    assert not (mine.cancelled or mine.taken_over or stopping.is_set())
    mine.cancel()
    assert mine.cancelled and stopping.is_set()


async def test_an_import_whose_note_cannot_be_written_gives_its_lease_back(notes: Notes) -> None:
    notes.failures = [RuntimeError("no")]
    with pytest.raises(RuntimeError):
        async with record(notes):
            raise AssertionError("it has begun")
    assert notes.held == []


async def test_an_import_that_has_ended_is_no_failure_though_its_note_cannot_be_written(notes: Notes) -> None:
    async with record(notes) as mine:
        assert mine._beats is not None
        mine._beats.cancel()
        notes.failures = [AWAY]
    assert (mine.state, notes.held) == ("done", [])


async def test_a_part_of_a_source_has_its_own_lease_and_name(notes: Notes) -> None:
    async with record(notes, part=Part(1, 2)) as first, record(notes, part=Part(2, 2)):
        assert [held.note_id for held in notes.held] == ["import-lease/1/2", "import-lease/2/2"]
        assert first.document()["source"] == "feed.csv, part 1/2"
        for other in (WHOLE, Part(1, 2), Part(1, 3)):
            with pytest.raises(ImportUnderWay, match=r"feed\.csv, part 1/2, since .*, by process \d+ on"):
                async with record(notes, part=other):
                    raise AssertionError("it has begun")
        assert len(notes.held) == 2


def note(state: str, mark: ProcessMark, **facts: Any) -> dict[str, Any]:
    process = {"host": mark.host, "place": mark.place, "pid": mark.pid, "began": mark.began}
    return {"id": "x", "state": state, "updated_at": "now", "finished_at": None, "process": process, **facts}


@pytest.mark.parametrize("state", ["receiving", "running", "done", "failed", "cancelled"])
def test_a_note_under_way_is_interrupted_if_its_process_has_ended(state: str) -> None:
    here = this_process()
    under_way = state in ("receiving", "running")
    assert present(note(state, here))["state"] == state
    assert present(note(state, here), is_lease_renewed=False)["state"] == state
    ended = present(note(state, replace(here, began=1.0)))
    assert ended["state"] == ("interrupted" if under_way else state)
    assert ended["finished_at"] == ("now" if under_way else None)
    assert "process" not in ended
    assert present(note(state, ELSEWHERE))["state"] == state
    unseen = present(note(state, ELSEWHERE), is_lease_renewed=False)
    assert unseen["state"] == ("interrupted" if under_way else state)
    assert is_elsewhere(note(state, ELSEWHERE)) is under_way
    assert not is_elsewhere(note(state, here))


def test_a_counter_that_stands_for_the_whole_time_has_no_holder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_lease, "STALE_S", 0.25)
    now = [0.0]
    watch, held = LeaseWatch(lambda: now[0]), Lease("theirs", "feed.csv", "now", ELSEWHERE)
    assert watch.is_renewed([held], "theirs")
    now[0] = 0.125
    assert watch.is_renewed([held], "theirs")
    now[0] = 0.25
    assert not watch.is_renewed([held], "theirs")
    assert not watch.is_renewed([], "theirs")
    assert watch.is_renewed([held], "theirs")  # it was away, and counts as new
