import asyncio
from dataclasses import replace

import pytest

from services.catalogue.importing import lease as import_lease
from services.catalogue.importing.lease import ImportLease, ImportUnderWay, LeaseWatch
from services.catalogue.process_mark import ProcessMark, is_alive, this_process
from services.catalogue.retry import Stopped
from services.catalogue.store.notes import Lease

ELSEWHERE = ProcessMark("other-machine", "another boot pid:[1]", 7, 1000)


class FakeLeases:
    """A place for a lease, whose holder may increment its beat."""

    def __init__(self, held: Lease | None = None, *, beats: bool = False) -> None:
        self.held = held
        self.beats = beats
        self.reads = 0
        self.drops = 0

    async def leases(self) -> list[Lease]:
        self.reads += 1
        if self.held is not None and self.beats:
            self.held = replace(self.held, beat=self.held.beat + 1)
        return [] if self.held is None else [self.held]

    async def take_lease(self, lease: Lease) -> bool:
        await asyncio.sleep(0)
        if self.held is not None:
            return False
        self.held = lease
        return True

    async def renew_lease(self, import_id: str, beat: int) -> bool:
        if self.held is None or self.held.import_id != import_id:
            return False
        self.held = replace(self.held, beat=beat)
        return True

    async def drop_lease(self, lease: Lease, *, at_beat: bool = False) -> None:
        held = self.held
        self.drops += 1
        if held is not None and held.import_id == lease.import_id and (not at_beat or held.beat == lease.beat):
            self.held = None


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_lease, "STALE_S", 0.3)
    monkeypatch.setattr(import_lease, "CHECK_S", 0.02)


@pytest.fixture
def stopping() -> asyncio.Event:
    return asyncio.Event()


def lease(store: FakeLeases, name: str) -> ImportLease:
    return ImportLease(store, name, f"{name}.csv", "2026-05-01T00:00:00+00:00")


def held_by(mark: ProcessMark) -> Lease:
    return Lease("theirs", "theirs.csv", "2026-05-01T00:00:00+00:00", mark)


async def test_a_lease_is_taken_renewed_and_given_back(stopping: asyncio.Event) -> None:
    store = FakeLeases()
    mine = lease(store, "a")
    await mine.take(stopping)
    assert store.held is not None
    assert (store.held.import_id, store.held.source) == ("a", "a.csv")
    assert await mine.renew()
    assert store.held.beat == 1
    await mine.drop()
    assert store.held is None
    assert not await mine.renew()


async def test_a_second_import_of_this_process_is_told_which_one_is_under_way(stopping: asyncio.Event) -> None:
    store = FakeLeases()
    first = lease(store, "a")
    await first.take(stopping)
    with pytest.raises(ImportUnderWay, match=r"a\.csv, since 2026-05-01.*try again") as caught:
        await lease(store, "b").take(stopping)
    assert caught.value.lease.import_id == "a"
    await first.drop()
    await lease(store, "b").take(stopping)


async def test_of_many_at_the_same_moment_one_gets_the_lease(stopping: asyncio.Event) -> None:
    store = FakeLeases()
    results = await asyncio.gather(*(lease(store, str(n)).take(stopping) for n in range(20)), return_exceptions=True)
    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, ImportUnderWay) for result in results) == 19


async def test_a_lease_that_this_process_could_not_give_back_does_not_lock_it_out(stopping: asyncio.Event) -> None:
    store = FakeLeases(held_by(this_process()))
    await lease(store, "a").take(stopping)
    assert store.held is not None
    assert store.held.import_id == "a"
    assert (store.reads, store.drops) == (2, 1)  # at once: the process is known to have ended


async def test_a_lease_whose_note_is_there_after_it_was_given_back_is_taken_over(stopping: asyncio.Event) -> None:
    store = FakeLeases()
    mine = lease(store, "a")
    await mine.take(stopping)
    left = store.held
    await mine.drop()
    store.held, store.reads = left, 0
    await lease(store, "b").take(stopping)
    assert store.held is not None
    assert (store.held.import_id, store.reads) == ("b", 2)


def test_a_process_id_that_is_reused_is_another_process() -> None:
    here = this_process()
    assert is_alive(here) is True
    assert is_alive(replace(here, began=(here.began or 0) + 60)) is False
    assert is_alive(ELSEWHERE) is None
    assert is_alive(replace(here, place=None)) is None


async def test_a_lease_from_elsewhere_is_kept_while_it_moves_and_taken_over_once_it_stands(
    stopping: asyncio.Event,
) -> None:
    with pytest.raises(ImportUnderWay, match="on other-machine"):
        await lease(FakeLeases(held_by(ELSEWHERE), beats=True), "a").take(stopping)
    store = FakeLeases(held_by(ELSEWHERE))
    await lease(store, "a").take(stopping)
    assert store.drops == 1
    assert store.reads >= 3  # it has looked several times before
    assert store.held is not None
    assert store.held.import_id == "a"


async def test_looking_whether_a_lease_moves_ends_when_told_to_stop(stopping: asyncio.Event) -> None:
    stopping.set()
    with pytest.raises(Stopped):
        await lease(FakeLeases(held_by(ELSEWHERE)), "a").take(stopping)


def test_a_lease_is_renewed_while_its_counter_changes_by_the_watchers_clock() -> None:
    now = [100.0]
    watch, held = LeaseWatch(lambda: now[0]), held_by(ELSEWHERE)
    other = replace(held, import_id="other")
    assert watch.is_renewed([held], "theirs")
    now[0] += 0.29
    assert watch.is_renewed([other, held], "theirs")
    now[0] += 0.02
    assert watch.is_renewed([other, held], "other")
    assert not watch.is_renewed([other, held], "theirs")
    assert watch.is_renewed([replace(held, beat=held.beat + 1)], "theirs")
    assert not watch.is_renewed([held], "another")
    assert not watch.is_renewed([], "theirs")
