"""The metrics of imports: what the records of the last ones make of them."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.catalogue.store.notes import LAST_BACKUP
from services.contracts.domain.errors import CatalogueUnavailable
from services.gateway.imports import import_metrics as module
from services.gateway.imports.import_metrics import ImportMetrics
from tests.support.fakes.gateway_fakes import GatewayCatalogue
from tests.support.waiting import WITHIN_S

TEN = datetime(2026, 11, 1, 10, tzinfo=UTC)
STATES = ("receiving", "running", "done", "failed", "cancelled", "interrupted")


def record(state: str = "done", hour: int = 10, **facts: Any) -> dict[str, Any]:
    times = {name: TEN.replace(hour=hour).isoformat() for name in ("started_at", "updated_at", "finished_at")}
    return {"id": f"{hour:02}", "state": state, "source": "feed.csv", **times, **facts}


class Read:
    """The samples after the records of a catalogue were read."""

    def __init__(self, *records: dict[str, Any], name: str = "default") -> None:
        self.registry, self.catalogue, self.name = CollectorRegistry(), GatewayCatalogue(), name
        self.metrics = ImportMetrics(self.registry)
        self.catalogue.notes.imports = {f"{place:03}": each for place, each in enumerate(records)}
        self.again()

    def again(self) -> None:
        catalogues: dict[str, Any] = {"default": GatewayCatalogue(), self.name: self.catalogue}
        asyncio.run(self.metrics.read(catalogues))

    def sample(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"lookalike_{name}", labels)

    def of_import(self, name: str, **labels: str) -> float | None:
        return self.sample(f"import_{name}", catalogue=self.name, **labels)


@pytest.mark.parametrize("state", ["done", "failed", "cancelled", "interrupted"])
def test_the_state_of_the_last_import_is_one_and_the_others_are_zero(state: str) -> None:
    read = Read(record("done", 9), record(state))
    assert {name: read.of_import("state", state=name) for name in STATES} == {
        name: float(name == state) for name in STATES
    }


@pytest.mark.parametrize(
    ("state", "facts", "progress"),
    [
        ("done", {}, 1),
        ("done", {"progress": [1, 4]}, 1),
        ("failed", {"progress": [1, 4]}, 0.25),
        ("failed", {"progress": [3, 0]}, 0),  # its length was not known
        ("failed", {}, 0),
    ],
)
def test_the_progress_is_the_part_of_the_feed_that_was_read(state: str, facts: dict[str, Any], progress: float) -> None:
    assert Read(record(state, **facts)).of_import("progress_ratio") == progress


def test_rows_that_the_record_does_not_name_are_zero() -> None:
    read = Read(record(read=10, rejected=3, hidden=2))
    names = ("read", "imported", "updated", "unchanged", "skipped", "hidden", "rejected", "removed")
    assert {name: read.of_import("rows", result=name) for name in names} == {
        **dict.fromkeys(names, 0),
        "read": 10,
        "rejected": 3,
        "hidden": 2,
    }


def test_times_are_those_of_the_last_import_and_of_the_last_complete_one() -> None:
    read = Read(record("done", 8), record("done", 9), record("failed", 10), name="shoes")
    assert read.of_import("started_timestamp_seconds") == TEN.timestamp()
    assert read.of_import("success_timestamp_seconds") == TEN.replace(hour=9).timestamp()
    assert Read(record("failed")).of_import("success_timestamp_seconds") is None


@pytest.mark.parametrize(("failed", "is_known"), [(9, True), (10, False)])
def test_the_last_ten_records_are_looked_through(failed: int, is_known: bool) -> None:
    read = Read(record("done", 9), *[record("failed")] * failed)
    assert (read.of_import("success_timestamp_seconds") is not None) is is_known


def test_before_the_first_import_and_backup_there_are_no_samples() -> None:
    read = Read()
    assert read.sample("database_up") == 1
    assert read.of_import("progress_ratio") is None
    assert read.sample("backup_timestamp_seconds", database="lookalike") is None


def test_while_the_database_is_unavailable_the_last_samples_stay() -> None:
    read = Read(record("done", 9))
    read.catalogue.notes.notes[LAST_BACKUP] = {"begun_at": TEN.isoformat()}
    read.catalogue.notes.trouble = CatalogueUnavailable("no")
    read.again()
    assert (read.sample("database_up"), read.of_import("progress_ratio")) == (0, 1)
    read.catalogue.notes.trouble = None
    read.again()
    assert read.sample("database_up") == 1
    assert read.sample("backup_timestamp_seconds", database="lookalike") == TEN.timestamp()


async def test_the_records_are_read_again_even_after_an_unexpected_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INTERVAL_S", 0.0)
    metrics, readings, enough = ImportMetrics(CollectorRegistry()), [], asyncio.Event()

    async def read(_: Any) -> None:
        readings.append(1)
        if len(readings) == 1:
            raise ZeroDivisionError
        if len(readings) == 3:
            enough.set()

    monkeypatch.setattr(metrics, "read", read)
    async with metrics.following({}):
        await asyncio.wait_for(enough.wait(), WITHIN_S)
    count = len(readings)
    await asyncio.sleep(0)
    assert len(readings) == count
