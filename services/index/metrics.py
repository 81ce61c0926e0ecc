"""What the index service measures beside its requests."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import get_args

from prometheus_client import Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.contracts.web.telemetry import Metrics
from services.contracts.wire.index import SnapshotStatus, SyncState, SyncStatus
from services.index.follow.follower import UP_TO_DATE_STATES, Follower
from services.index.models.model_index import CatalogueIndex
from services.index.models.model_indexes import ModelIndexes

Labels = dict[str, str]
Reading = Callable[[CatalogueIndex], float]
SEARCH_BUCKETS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25)


class IndexMetrics(Metrics):
    """Searches, and how the index follows the database. The gauges look when they are asked.

    With several catalogues, what is told of one has the label `catalogue`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.searches = Histogram(
            "lookalike_index_search_duration_seconds",
            "Time of one search of a category, in seconds, without waiting and HTTP.",
            ("filtered",),
            buckets=SEARCH_BUCKETS_S,
            registry=self.registry,
        )

    def show(self, models: ModelIndexes) -> None:
        """Make the gauges tell of the active model, and one of them of each model."""
        self._each("products", "Searchable products, by category.", models, _counts(models))
        self._gauge("lag_seconds", "Seconds since the index last knew itself level; -1 before the first load.", models)
        self._gauge("ready", "1 once the first load is complete.", models)
        self._gauge("following", "1 while changes are followed, by the change stream or by polling.", models)
        self._gauge("changes_applied", "Changed documents applied since the start.", models)
        self._gauge("documents_skipped", "Documents that cannot be indexed.", models)
        self._gauge("images_skipped", "Further images of products that cannot be indexed.", models)
        self._each("state", "1 for the state it is in.", models, _states())
        self._gauge("snapshot_age_seconds", "Seconds since what the snapshot shows; -1 without one.", models)
        self._gauge("snapshot_size_bytes", "Size of the snapshot; 0 without one.", models)
        self._gauge(
            "reconcile_timestamp_seconds", "Unix time of the last comparison with the database; 0: none.", models
        )
        self._gauge("reconcile_duration_seconds", "Seconds the last comparison with the database took.", models)
        self.registry.register(_Totals(models))
        self._gauge("documents_of_other_models", "Documents whose vector comes from another model.", models)

    def _gauge(self, name: str, text: str, models: ModelIndexes) -> None:
        self._each(name, text, models, [({}, lambda one: _READINGS[name](one.follower))])

    def _each(self, name: str, text: str, models: ModelIndexes, readings: Sequence[tuple[Labels, Reading]]) -> None:
        """Make a gauge with these labels of each catalogue."""
        of = _labels(models, next(iter(models.active.catalogues)))
        labels = [*of, *readings[0][0]]
        gauge = Gauge(f"lookalike_index_{name}", text, labels, registry=self.registry)
        for catalogue in models.active.catalogues:
            for more, read in readings:
                shown = gauge.labels(**_labels(models, catalogue), **more) if labels else gauge
                shown.set_function(_look(models, catalogue, read))


class _Totals(Collector):
    """What is counted by those who do it, and the models that are held at the moment."""

    def __init__(self, models: ModelIndexes) -> None:
        self._models = models

    def collect(self) -> Iterator[Metric]:
        """Yield the counters as they stand, and how many products of each model can be searched."""
        for name, (text, count) in _TOTALS.items():
            total = CounterMetricFamily(f"lookalike_index_{name}", text, labels=self._label_names)
            for one in self._models.active.catalogues.values():
                total.add_metric(list(self._of(one.name).values()), count(one.follower.status()))
            yield total
        text = "Products that can be searched, by model."
        held = GaugeMetricFamily("lookalike_index_model_products", text, labels=[*self._label_names, "model", "role"])
        for indexed in self._models:
            model = indexed.manifest.model_id
            for one in indexed.catalogues.values():
                labels = [*self._of(one.name).values(), model, self._models.role(model)]
                held.add_metric(labels, len(one.gallery) if one.is_complete else 0)
        yield held

    def _of(self, catalogue: str) -> Labels:
        return _labels(self._models, catalogue)

    @property
    def _label_names(self) -> list[str]:
        return list(self._of(next(iter(self._models.active.catalogues))))


def _labels(models: ModelIndexes, catalogue: str) -> Labels:
    return {"catalogue": catalogue} if len(models.active.catalogues) > 1 else {}


def _look(models: ModelIndexes, catalogue: str, read: Reading) -> Callable[[], float]:
    return lambda: read(models.active.of(catalogue))


def _counts(models: ModelIndexes) -> list[tuple[Labels, Reading]]:
    names = enumerate(models.active.manifest.categories)
    return [({"category": name}, partial(_count, category=number)) for number, name in names]


def _count(one: CatalogueIndex, category: int) -> float:
    return one.gallery.counts()[category] if one.is_complete else 0


def _states() -> list[tuple[Labels, Reading]]:
    return [({"state": name}, partial(_is_in, state=name)) for name in get_args(SyncState)]


def _is_in(one: CatalogueIndex, state: SyncState) -> float:
    return one.follower.state == state


def _snapshot(follower: Follower) -> SnapshotStatus:
    return follower.status().snapshot or SnapshotStatus(age_seconds=None, bytes=None, failures=0)


def _or(value: float | None, without: float) -> float:
    return without if value is None else value


_READINGS: dict[str, Callable[[Follower], float]] = {
    "lag_seconds": lambda follower: _or(follower.lag_s, -1.0),
    "ready": lambda follower: follower.replica is not None,
    "following": lambda follower: follower.state in UP_TO_DATE_STATES,
    "changes_applied": lambda follower: follower.status().applied,
    "snapshot_age_seconds": lambda follower: _or(_snapshot(follower).age_seconds, -1.0),
    "snapshot_size_bytes": lambda follower: _or(_snapshot(follower).bytes, 0),
    "reconcile_timestamp_seconds": lambda follower: _or(follower.status().reconcile.last_at, 0.0),
    "reconcile_duration_seconds": lambda follower: _or(follower.status().reconcile.last_seconds, 0.0),
    "documents_skipped": lambda follower: follower.status().skipped,
    "images_skipped": lambda follower: follower.status().skipped_images,
    "documents_of_other_models": lambda follower: follower.status().other_models,
}

_TOTALS: dict[str, tuple[str, Callable[[SyncStatus], float]]] = {
    "snapshot_failures": (
        "Snapshots that could not be written or used.",
        lambda status: status.snapshot.failures if status.snapshot else 0,
    ),
    "drift_found": (
        "Documents that the index knew otherwise than they are in the database.",
        lambda status: status.reconcile.found,
    ),
    "drift_repaired": ("Of these, those put right.", lambda status: status.reconcile.repaired),
}
