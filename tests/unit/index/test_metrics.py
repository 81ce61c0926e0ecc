"""The gauges and counters of the index: what they read, of each catalogue and model, and what is missing."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from services.contracts.wire.index import SnapshotStatus
from services.index.metrics import IndexMetrics
from tests.support.servers.index import MANIFEST

MANY = MANIFEST.model_copy(update={"categories": ("Topwear", "Shoes")})
FULL = SnapshotStatus(age_seconds=7.5, bytes=1000, failures=6)
EMPTY = SnapshotStatus(age_seconds=None, bytes=None, failures=2)
COMPARED = SimpleNamespace(found=8, repaired=9, last_at=1000.5, last_seconds=2.5)
NEVER = SimpleNamespace(found=0, repaired=0, last_at=None, last_seconds=None)


def catalogue(
    name: str = "default",
    *,
    is_complete: bool = True,
    state: str = "following",
    lag_s: float | None = 0.25,
    snapshot: SnapshotStatus | None = FULL,
    reconcile: Any = COMPARED,
) -> Any:
    status = SimpleNamespace(
        applied=5, skipped=3, skipped_images=2, other_models=4, snapshot=snapshot, reconcile=reconcile
    )
    follower = SimpleNamespace(
        state=state, lag_s=lag_s, replica=object() if is_complete else None, status=lambda: status
    )
    return SimpleNamespace(name=name, follower=follower, is_complete=is_complete, gallery=Gallery())


class Gallery:
    """Thirty products in the first category, twelve in the second."""

    def counts(self) -> list[int]:
        return [30, 12]

    def __len__(self) -> int:
        return 42


class Models:
    """The indexed models; the first one is active."""

    def __init__(self, *models: Any) -> None:
        self._models = models
        self.active = models[0]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._models)

    def role(self, model: str) -> str:
        return "active" if model == self.active.manifest.model_id else "candidate"


def model(*catalogues: Any, version: int = 1) -> Any:
    by_name = {each.name: each for each in catalogues}
    manifest = MANY.model_copy(update={"version": version})
    return SimpleNamespace(manifest=manifest, catalogues=by_name, of=by_name.__getitem__)


def read(models: Models) -> dict[str, float]:
    """Return the values of all metrics, by name and labels as Prometheus shows them, without the common prefix."""
    metrics = IndexMetrics()
    metrics.show(models)  # type: ignore[arg-type]
    values = {}
    for metric in metrics.registry.collect():
        for sample in metric.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            values[sample.name.removeprefix("lookalike_index_") + (f"{{{labels}}}" if labels else "")] = sample.value
    return values


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            {},
            {
                "lag_seconds": 0.25,
                "ready": 1,
                "following": 1,
                "changes_applied": 5,
                "documents_skipped": 3,
                "images_skipped": 2,
                "documents_of_other_models": 4,
                "snapshot_age_seconds": 7.5,
                "snapshot_size_bytes": 1000,
                "snapshot_failures_total": 6,
                "reconcile_timestamp_seconds": 1000.5,
                "reconcile_duration_seconds": 2.5,
                "drift_found_total": 8,
                "drift_repaired_total": 9,
                "products{category=Topwear}": 30,
                "products{category=Shoes}": 12,
                "state{state=following}": 1,
                "state{state=starting}": 0,
                "model_products{model=fashion/1,role=active}": 42,
            },
        ),
        (
            {"is_complete": False, "state": "starting", "lag_s": None, "snapshot": EMPTY, "reconcile": NEVER},
            {
                "lag_seconds": -1,
                "ready": 0,
                "following": 0,
                "snapshot_age_seconds": -1,
                "snapshot_size_bytes": 0,
                "snapshot_failures_total": 2,
                "reconcile_timestamp_seconds": 0,
                "reconcile_duration_seconds": 0,
                "drift_found_total": 0,
                "drift_repaired_total": 0,
                "products{category=Topwear}": 0,
                "products{category=Shoes}": 0,
                "state{state=following}": 0,
                "state{state=starting}": 1,
                "model_products{model=fashion/1,role=active}": 0,
            },
        ),
        (
            {"snapshot": None, "state": "polling", "lag_s": 0.0},
            {
                "lag_seconds": 0,
                "following": 1,
                "snapshot_age_seconds": -1,
                "snapshot_size_bytes": 0,
                "snapshot_failures_total": 0,
            },
        ),
        ({"state": "reconnecting"}, {"following": 0, "state{state=reconnecting}": 1}),
    ],
    ids=["following", "starting", "without snapshots", "reconnecting"],
)
def test_a_metric_has_the_value_of_the_follower(facts: dict[str, Any], expected: dict[str, float]) -> None:
    values = read(Models(model(catalogue(**facts))))
    assert {name: values[name] for name in expected} == expected


def test_each_model_has_its_products_and_the_other_metrics_are_of_the_active_one() -> None:
    candidate = model(catalogue(is_complete=False, lag_s=9.0), version=2)
    values = read(Models(model(catalogue()), candidate))
    assert values["lag_seconds"] == 0.25
    assert values["model_products{model=fashion/1,role=active}"] == 42
    assert values["model_products{model=fashion/2,role=candidate}"] == 0


def test_with_several_catalogues_each_has_its_own_values() -> None:
    values = read(Models(model(catalogue(), catalogue("shoes", is_complete=False, lag_s=None))))
    assert {name: value for name, value in values.items() if name.startswith(("ready", "lag_"))} == {
        "lag_seconds{catalogue=default}": 0.25,
        "lag_seconds{catalogue=shoes}": -1,
        "ready{catalogue=default}": 1,
        "ready{catalogue=shoes}": 0,
    }
    assert values["products{catalogue=default,category=Shoes}"] == 12
    assert values["drift_found_total{catalogue=shoes}"] == 8
    assert values["model_products{catalogue=default,model=fashion/1,role=active}"] == 42
    assert "ready" not in values
