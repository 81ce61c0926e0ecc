"""The metrics of a service's process, as Prometheus reads them."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from services.contracts.web.observability.process_metrics import ProcessMetrics, Readout


def lines(registry: CollectorRegistry, start: str) -> list[str]:
    """Return the samples whose names begin with a text, without the times of their creation."""
    text = generate_latest(registry).decode()
    return [line for line in text.splitlines() if line.startswith(start) and "_created" not in line]


def test_a_process_shows_its_version_memory_platform_and_garbage_collections() -> None:
    registry = CollectorRegistry()
    ProcessMetrics(registry).describe("index", "1.2.3")
    assert lines(registry, "lookalike_build_info") == ['lookalike_build_info{service="index",version="1.2.3"} 1.0']
    for name in ("process_resident_memory_bytes", "python_info", "python_gc_collections_total"):
        assert lines(registry, name), name


@pytest.mark.parametrize(
    ("problem", "limit", "status", "problems", "refused"),
    [
        (None, None, 200, [], []),
        (None, None, 503, [], []),
        (None, None, 499, [], []),
        (None, None, 500, ["internal"], []),
        ("invalid-image", None, 422, ["invalid-image"], []),
        ("invalid-image", None, 500, ["invalid-image"], []),
        ("too-many-requests", "places", 429, ["too-many-requests"], ["places"]),
        (None, "places", 200, [], ["places"]),
    ],
)
def test_problems_and_limits_are_counted(
    problem: str | None, limit: str | None, status: int, problems: list[str], refused: list[str]
) -> None:
    registry = CollectorRegistry()
    metrics = ProcessMetrics(registry)
    for _ in range(2):
        metrics.count_problem(problem, limit, status)
    assert lines(registry, "lookalike_problems_total{") == [
        f'lookalike_problems_total{{problem="{slug}"}} 2.0' for slug in problems
    ]
    assert lines(registry, "lookalike_requests_refused_total{") == [
        f'lookalike_requests_refused_total{{limit="{name}"}} 2.0' for name in refused
    ]


@pytest.mark.parametrize(("name", "kind"), [("lookalike_things", "gauge"), ("lookalike_things_total", "counter")])
def test_a_readout_has_the_kind_of_its_name_and_the_samples_of_now(name: str, kind: str) -> None:
    samples = {"a": 1.0}
    registry = CollectorRegistry()
    registry.register(Readout(name, "Things.", "thing", lambda: samples))
    samples["b"] = 2.5
    assert f"# TYPE {name} {kind}" in generate_latest(registry).decode()
    assert lines(registry, name) == [f'{name}{{thing="a"}} 1.0', f'{name}{{thing="b"}} 2.5']
