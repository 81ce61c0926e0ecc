"""The index service's own metrics."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import get_args

from prometheus_client import Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.contracts.web.observability.labelled import Labelled
from services.contracts.web.observability.telemetry import Metrics
from services.contracts.wire.index import SnapshotStatus, SyncState, SyncStatus
from services.index.follow.follower import UP_TO_DATE_STATES, Follower
from services.index.models.model_index import CatalogueIndex
from services.index.models.model_indexes import ModelIndexes

Labels = dict[str, str]
Reading = Callable[[CatalogueIndex], float]
SEARCH_BUCKETS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25)


class IndexMetrics(Metrics):
    """Searches: durations and those in progress. How the index follows the database: gauges, read when collected.

    With several catalogues, the metrics of a catalogue have the label `catalogue`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.searches = Labelled(
            Histogram(
                "lookalike_index_search_duration_seconds",
                "Duration of a search of a category, in seconds, without waiting and HTTP.",
                ("filtered",),
                buckets=SEARCH_BUCKETS_S,
                registry=self.registry,
            )
        )
        self.queue = Gauge(
            "lookalike_index_queue_requests",
            "Searches that one of the threads works on, or that wait for one.",
            registry=self.registry,
        )

    def show(self, models: ModelIndexes) -> None:
        """Make the gauges of the active model, and the gauge of each model's products."""
        self._each("products", "Searchable products, by category.", models, _counts(models))
        self._gauge(
            "lag_seconds", "Seconds since the index was last known to be up to date; -1 before the first load.", models
        )
        self._gauge("ready", "1 once the first load is complete.", models)
        self._gauge("following", "1 while changes are followed, by the change stream or by polling.", models)
        self._gauge("changes_applied", "Changed documents applied since the start.", models)
        self._gauge("documents_skipped", "Documents that cannot be indexed.", models)
        self._gauge("images_skipped", "Additional images of products that cannot be indexed.", models)
        self._each("state", "1 for the current state.", models, _states())
        self._gauge("snapshot_age_seconds", "Age of the snapshot's content, in seconds; -1 without a snapshot.", models)
        self._gauge("snapshot_size_bytes", "Size of the snapshot; 0 without a snapshot.", models)
        self._gauge(
            "reconcile_timestamp_seconds",
            "Unix time of the last comparison with the database; 0 before the first.",
            models,
        )
        self._gauge(
            "reconcile_duration_seconds", "Duration of the last comparison with the database, in seconds.", models
        )
        self.registry.register(_Totals(models))
        self._gauge("documents_of_other_models", "Documents whose vector is of another model.", models)

    def _gauge(self, name: str, text: str, models: ModelIndexes) -> None:
        self._each(name, text, models, [({}, lambda catalogue: _READINGS[name](catalogue.follower))])

    def _each(self, name: str, text: str, models: ModelIndexes, readings: Sequence[tuple[Labels, Reading]]) -> None:
        """Make a gauge with a reading for each catalogue and these labels."""
        catalogue_labels = _labels(models, next(iter(models.active.catalogues)))
        labels = [*catalogue_labels, *readings[0][0]]
        gauge = Gauge(f"lookalike_index_{name}", text, labels, registry=self.registry)
        for catalogue in models.active.catalogues:
            for more, read in readings:
                shown = gauge.labels(**_labels(models, catalogue), **more) if labels else gauge
                shown.set_function(_reading(models, catalogue, read))


class _Totals(Collector):
    """Counters that the followers keep, and the products of the models that are held."""

    def __init__(self, models: ModelIndexes) -> None:
        self._models = models

    def collect(self) -> Iterator[Metric]:
        """Yield the current counters, and the number of searchable products of each model."""
        for name, (text, count) in _TOTALS.items():
            total = CounterMetricFamily(f"lookalike_index_{name}", text, labels=self._label_names)
            for catalogue in self._models.active.catalogues.values():
                total.add_metric(list(self._of(catalogue.name).values()), count(catalogue.follower.status()))
            yield total
        text = "Products that can be searched, by model."
        held = GaugeMetricFamily("lookalike_index_model_products", text, labels=[*self._label_names, "model", "role"])
        for model_index in self._models:
            model = model_index.manifest.model_id
            for catalogue in model_index.catalogues.values():
                labels = [*self._of(catalogue.name).values(), model, self._models.role(model)]
                held.add_metric(labels, len(catalogue.gallery) if catalogue.is_complete else 0)
        yield held

    def _of(self, catalogue: str) -> Labels:
        return _labels(self._models, catalogue)

    @property
    def _label_names(self) -> list[str]:
        return list(self._of(next(iter(self._models.active.catalogues))))


def _labels(models: ModelIndexes, catalogue: str) -> Labels:
    return {"catalogue": catalogue} if len(models.active.catalogues) > 1 else {}


def _reading(models: ModelIndexes, catalogue: str, read: Reading) -> Callable[[], float]:
    return lambda: read(models.active.of(catalogue))


def _counts(models: ModelIndexes) -> list[tuple[Labels, Reading]]:
    names = enumerate(models.active.manifest.categories)
    return [({"category": name}, partial(_count, category=number)) for number, name in names]


def _count(catalogue: CatalogueIndex, category: int) -> float:
    return catalogue.gallery.counts()[category] if catalogue.is_complete else 0


def _states() -> list[tuple[Labels, Reading]]:
    return [({"state": name}, partial(_is_in, state=name)) for name in get_args(SyncState)]


def _is_in(catalogue: CatalogueIndex, state: SyncState) -> float:
    return catalogue.follower.state == state


def _snapshot(follower: Follower) -> SnapshotStatus:
    return follower.status().snapshot or SnapshotStatus(age_seconds=None, bytes=None, failures=0)


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


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
        "Documents whose state in the index differed from the database.",
        lambda status: status.reconcile.found,
    ),
    "drift_repaired": ("Documents with drift that were repaired.", lambda status: status.reconcile.repaired),
}
