"""What the index service measures beside its requests."""

from collections.abc import Callable, Iterator
from typing import get_args

from prometheus_client import Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.contracts.telemetry import Metrics
from services.contracts.wire import SnapshotStatus, SyncState
from services.index.models import IndexedModels
from services.index.sync import LEVEL, Follower

SEARCH_BUCKETS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25)


class IndexMetrics(Metrics):
    """Searches, and how the index follows the database. The gauges look when they are asked."""

    def __init__(self) -> None:
        super().__init__()
        self.searches = Histogram(
            "lookalike_index_search_duration_seconds",
            "Time of one search of a category, in seconds, without waiting and HTTP.",
            ("filtered",),
            buckets=SEARCH_BUCKETS_S,
            registry=self.registry,
        )

    def show(self, models: IndexedModels) -> None:
        """Make the gauges tell of the active model, and one of them of each model."""
        products = Gauge(
            "lookalike_index_products", "Searchable products, by category.", ("category",), registry=self.registry
        )
        for number, name in enumerate(models.active.manifest.categories):
            products.labels(name).set_function(_count(models, number))
        self._gauge("lag_seconds", "Seconds since the index last knew itself level; -1 before the first load.", models)
        self._gauge("ready", "1 once the first load is complete.", models)
        self._gauge("following", "1 while changes are followed, by the change stream or by polling.", models)
        self._gauge("changes_applied", "Changed documents applied since the start.", models)
        self._gauge("documents_skipped", "Documents that cannot be indexed.", models)
        self._gauge("images_skipped", "Further images of products that cannot be indexed.", models)
        state = Gauge("lookalike_index_state", "1 for the state it is in.", ("state",), registry=self.registry)
        for name in get_args(SyncState):
            state.labels(name).set_function(_is_in(models, name))
        self._gauge("snapshot_age_seconds", "Seconds since what the snapshot shows; -1 without one.", models)
        self._gauge("snapshot_size_bytes", "Size of the snapshot; 0 without one.", models)
        self._gauge(
            "reconcile_timestamp_seconds", "Unix time of the last comparison with the database; 0: none.", models
        )
        self._gauge("reconcile_duration_seconds", "Seconds the last comparison with the database took.", models)
        self.registry.register(_Totals(models))
        self._gauge("documents_of_other_models", "Documents whose vector comes from another model.", models)

    def _gauge(self, name: str, text: str, models: IndexedModels) -> None:
        gauge = Gauge(f"lookalike_index_{name}", text, registry=self.registry)
        gauge.set_function(lambda: _READINGS[name](models.active.follower))


class _Totals(Collector):
    """What is counted by those who do it, and the models that are held at the moment."""

    def __init__(self, models: IndexedModels) -> None:
        self._models = models

    def collect(self) -> Iterator[Metric]:
        """Yield the counters as they stand, and how many products of each model can be searched."""
        text = "Snapshots that could not be written or used."
        status = self._models.active.follower.status()
        failures = status.snapshot.failures if status.snapshot else 0
        yield CounterMetricFamily("lookalike_index_snapshot_failures", text, value=failures)
        text = "Documents that the index knew otherwise than they are in the database."
        yield CounterMetricFamily("lookalike_index_drift_found", text, value=status.reconcile.found)
        text = "Of these, those put right."
        yield CounterMetricFamily("lookalike_index_drift_repaired", text, value=status.reconcile.repaired)
        held = GaugeMetricFamily(
            "lookalike_index_model_products", "Products that can be searched, by model.", labels=("model", "role")
        )
        for one in self._models:
            model = one.manifest.model_id
            held.add_metric((model, self._models.role(model)), len(one.gallery) if one.is_complete else 0)
        yield held


def _snapshot(follower: Follower) -> SnapshotStatus:
    return follower.status().snapshot or SnapshotStatus(age_seconds=None, bytes=None, failures=0)


def _is_in(models: IndexedModels, state: str) -> Callable[[], float]:
    return lambda: models.active.follower.state == state


def _count(models: IndexedModels, category: int) -> Callable[[], float]:
    return lambda: models.active.gallery.counts()[category] if models.active.is_complete else 0


def _or(value: float | None, without: float) -> float:
    return without if value is None else value


_READINGS: dict[str, Callable[[Follower], float]] = {
    "lag_seconds": lambda follower: _or(follower.lag_s, -1.0),
    "ready": lambda follower: follower.mirror is not None,
    "following": lambda follower: follower.state in LEVEL,
    "changes_applied": lambda follower: follower.status().applied,
    "snapshot_age_seconds": lambda follower: _or(_snapshot(follower).age_seconds, -1.0),
    "snapshot_size_bytes": lambda follower: _or(_snapshot(follower).bytes, 0),
    "reconcile_timestamp_seconds": lambda follower: _or(follower.status().reconcile.last_at, 0.0),
    "reconcile_duration_seconds": lambda follower: _or(follower.status().reconcile.last_seconds, 0.0),
    "documents_skipped": lambda follower: follower.status().skipped,
    "images_skipped": lambda follower: follower.status().skipped_images,
    "documents_of_other_models": lambda follower: follower.status().other_models,
}
