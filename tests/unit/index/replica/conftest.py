"""Fixtures for the tests of index snapshots."""

from pathlib import Path

import pytest

from services.index.replica import snapshot_keeper
from services.index.replica.snapshot_keeper import SnapshotKeeper
from tests.support.fakes.snapshots import ORIGIN


@pytest.fixture
def keeper(tmp_path: Path) -> SnapshotKeeper:
    return SnapshotKeeper(tmp_path / "new" / "folder", ORIGIN, interval_s=0)


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pause be the interval, however long the writing took."""
    monkeypatch.setattr(snapshot_keeper, "REST_FACTOR", 0)
