"""Times in metrics are in seconds, and counts are those of what happened."""

from typing import Any

from services.gateway.metrics import GatewayMetrics


def value(metrics: Any, name: str, **labels: str) -> float | None:
    collected: float | None = metrics.registry.get_sample_value(name, labels)
    return collected


def test_a_search_is_counted_once_and_its_stages_are_in_seconds() -> None:
    metrics = GatewayMetrics()
    metrics.record_search("photo", "ok", "Shoes", {"decode": 500.0, "total": 2000.0})
    metrics.record_search("photo", "ok", "Shoes", {"decode": 250.0})
    name = "lookalike_search_stage_duration_seconds_sum"
    assert value(metrics, name, kind="photo", stage="decode") == 0.75
    assert value(metrics, name, kind="photo", stage="total") == 2.0
    assert value(metrics, "lookalike_searches_total", kind="photo", outcome="ok", category="Shoes") == 2


def test_events_are_counted_by_what_became_of_them() -> None:
    metrics = GatewayMetrics()
    metrics.count_events(["click", "click", "like"])
    metrics.count_rejected_events(0)
    assert value(metrics, "lookalike_events_total", action="", result="rejected") is None
    metrics.count_rejected_events(2)
    metrics.count_lost_events(3)
    metrics.count_logged_searches("dropped", 4)
    metrics.count_order("learned")
    counts = [
        value(metrics, "lookalike_events_total", action=action, result=result)
        for action, result in (("click", "kept"), ("like", "kept"), ("", "rejected"), ("", "failed"))
    ]
    assert counts == [2, 1, 2, 3]
    assert value(metrics, "lookalike_logged_searches_total", result="dropped") == 4
    assert value(metrics, "lookalike_ordered_searches_total", order="learned") == 1
