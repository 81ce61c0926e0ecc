"""How a comparison with the database is cut into parts, how much of the time it takes, and what its log line names."""

from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from services.contracts.domain.errors import CatalogueUnavailable
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery
from services.index.follow import comparison, reconciliation
from services.index.follow.reconciliation import Reconciler
from services.index.replica.replica import Replica
from services.index.replica.writer import ReplicaWriter
from tests.support.fakes.follow import record

VECTORS = np.eye(4, dtype=np.float32)


class Products:
    """Documents in pages of 500. Each marker comes at once."""

    def __init__(self, count: int) -> None:
        self.documents = [record(f"p{number:04}") for number in range(count)]
        self.reconciler: Reconciler
        self.markers = 0
        self.removed: list[str] = []

    async def scan(self, batch: int) -> AsyncIterator[list[Any]]:
        for begin in range(0, len(self.documents), batch):
            yield self.documents[begin : begin + batch]

    async def read(self, document_ids: Sequence[str]) -> list[Any]:
        return []

    async def put_marker(self) -> str:
        self.markers += 1
        self.reconciler.add_markers({f"marker {self.markers}"})
        return f"marker {self.markers}"

    async def remove_markers(self, markers: Sequence[str]) -> None:
        self.removed += markers


def compared(count: int) -> tuple[Products, Reconciler, ReplicaWriter]:
    products: Any = Products(count)
    products.reconciler = Reconciler(products, 300.0)
    writer = ReplicaWriter(Replica(Gallery(1, 4, FaissFlat), "fashion/1", "fashion/1"))
    return products, products.reconciler, writer


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record the pauses between pages instead of making them."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(comparison, "asyncio", SimpleNamespace(sleep=pause))
    return pauses


@pytest.mark.parametrize(("documents", "markers"), [(0, 0), (1, 1), (999, 1), (1000, 1), (1001, 2), (2000, 2)])
async def test_a_thousand_differences_are_confirmed_with_one_marker(documents: int, markers: int) -> None:
    products, reconciler, writer = compared(documents)
    await reconciler._compare(writer)
    assert products.markers == len(products.removed) == markers
    assert len(writer.replica.gallery) == documents
    status = reconciler.status()
    assert (status.found, status.repaired) == (documents, documents)


async def test_the_log_names_five_of_the_documents_that_have_drifted() -> None:
    _, reconciler, writer = compared(7)
    with capture_logs() as logs:
        await reconciler._compare(writer)
        await reconciler._compare(writer)
    drifted, level = [line for line in logs if line["event"] in ("drift_repaired", "no_drift")]
    assert (drifted["drifted"], drifted["documents"]) == (7, 7)
    assert drifted["examples"] == [f"p{number:04}" for number in range(5)]
    assert level["event"] == "no_drift"


async def test_a_comparison_takes_a_fifth_of_the_time_and_pauses_a_second_at_most(
    monkeypatch: pytest.MonkeyPatch, without_pauses: list[float]
) -> None:
    clock = iter([0.0, 0.1, 1.0, 1.15, 2.0, 2.9, 3.0])  # a page takes 0.1 s, 0.15 s and 0.9 s
    monkeypatch.setattr(comparison, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    _, reconciler, writer = compared(1500)
    await reconciler._compare(writer)
    assert without_pauses == pytest.approx([0.4, 0.6, 1.0])


async def test_the_time_of_a_comparison_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 12.3456])
    fake = SimpleNamespace(monotonic=lambda: next(clock), time=lambda: 1000.0)
    monkeypatch.setattr(reconciliation, "time", fake)
    _, reconciler, writer = compared(0)
    assert (reconciler.status().last_at, reconciler.status().last_seconds) == (None, None)
    await reconciler._compare(writer)
    assert (reconciler.status().last_at, reconciler.status().last_seconds) == (1000.0, 2.346)


async def test_a_marker_that_does_not_come_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    products, reconciler, writer = compared(1)
    monkeypatch.setattr(reconciliation, "MARKER_TIMEOUT_S", 0.0)
    monkeypatch.setattr(products, "reconciler", Reconciler(products, 1.0))  # type: ignore[arg-type]
    with pytest.raises(reconciliation.SilentStream, match="fallen silent"):
        await reconciler._compare(writer)
    assert len(writer.replica.gallery) == 0


async def test_a_marker_that_is_late_among_changes_is_no_silent_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    products, reconciler, writer = compared(1)
    monkeypatch.setattr(reconciliation, "MARKER_TIMEOUT_S", 0.0)

    async def put_marker() -> str:
        writer.applied += 1
        return "marker"

    monkeypatch.setattr(products, "put_marker", put_marker)
    with pytest.raises(CatalogueUnavailable, match="is behind") as caught:
        await reconciler._compare(writer)
    assert not isinstance(caught.value, reconciliation.SilentStream)
    assert len(writer.replica.gallery) == 0
