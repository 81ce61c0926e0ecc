"""docs/metrics.md lists every metric of every service, with its labels and its meaning, and no other."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from services.contracts.web.app import Readiness
from services.contracts.web.requests.connections import ConnectionLimits, OpenConnections
from services.contracts.web.run import show_connections
from services.embedding.admission import Admission
from services.embedding.metrics import EmbeddingMetrics
from tests.support.fakes.gateway_fakes import running_gateway
from tests.support.servers.index import app_around, new_replica

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "metrics.md").read_text()
UNITS = ("_seconds", "_bytes", "_ratio", "_info")
COUNTS = re.compile(
    r"_(total|up|open|taken|places|ready|following|state|rows|flight|entries|requests|products|applied|models|tasks|skipped)$"
)
Documented = tuple[str, str, str]


class _Models:
    """The models of an embedding service."""

    def in_use(self) -> dict[str, Any]:
        return {"fashion/3": SimpleNamespace(readiness=Readiness(ready=True), is_breaker_open=False)}


def rows_of(registry: CollectorRegistry) -> set[Documented]:
    """Return name, labels and meaning of each metric of the project in a registry."""
    metrics = [metric for metric in registry.collect() if metric.name.startswith("lookalike_")]
    return {(_name(metric), _labels(registry, metric), metric.documentation.rstrip(".")) for metric in metrics}


def _name(metric: Metric) -> str:
    return metric.name + ("_total" if metric.type == "counter" else "")


def _labels(registry: CollectorRegistry, metric: Metric) -> str:
    collector: Any = registry._names_to_collectors.get(metric.name)
    names = getattr(collector, "_labelnames", None) or [getattr(collector, "_label", "")]
    sampled = [list(sample.labels) for sample in metric.samples if "le" not in sample.labels]
    return ", ".join(f"`{name}`" for name in (sampled[0] if sampled else names) if name)


@pytest.fixture(scope="module")
def registries() -> Iterator[dict[str, CollectorRegistry]]:
    embedding = EmbeddingMetrics()
    embedding.show(_Models(), Admission(1, 1))  # type: ignore[arg-type]
    index = app_around(new_replica())
    with running_gateway() as gateway, TestClient(index):
        app: FastAPI = gateway.client.app  # type: ignore[assignment]
        app.state.metrics.hedging(0.0)
        show_connections(OpenConnections(ConnectionLimits()), app.state.metrics.registry)
        yield {
            "gateway": app.state.metrics.registry,
            "embedding": embedding.registry,
            "index": index.state.metrics.registry,
        }


def documented() -> set[Documented]:
    rows = re.findall(r"^\| `(lookalike_\w+)` \| ([^|]*) \| ([^|]*) \|$", PAGE, re.MULTILINE)
    return {(name, labels.strip(), text.strip()) for name, labels, text in rows}


def test_the_page_has_every_metric_and_no_other(registries: dict[str, CollectorRegistry]) -> None:
    coded = set().union(*(rows_of(registry) for registry in registries.values()))
    assert sorted(coded - documented()) == []
    assert sorted(documented() - coded) == []


def test_no_label_is_an_id_of_a_product_a_request_or_a_client(registries: dict[str, CollectorRegistry]) -> None:
    labels = {
        label
        for registry in registries.values()
        for _, names, _ in rows_of(registry)
        for label in re.findall(r"`(\w+)`", names)
    }
    assert labels == {
        "action", "cache", "database", "catalogue", "category", "filtered", "first", "kind", "limit", "method", "model",
        "node", "order", "outcome", "problem", "reason", "result", "role", "route", "service", "stage", "state",
        "status", "upstream", "version", "work",
    }  # fmt: skip


def test_a_name_has_a_unit_or_counts_things(registries: dict[str, CollectorRegistry]) -> None:
    names = {name for registry in registries.values() for name, _, _ in rows_of(registry)}
    assert sorted(name for name in names if not name.endswith(UNITS) and not COUNTS.search(name)) == []
