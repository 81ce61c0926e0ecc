"""Metrics of requests: the labels come from fixed sets."""

from fastapi.testclient import TestClient

from services.contracts.web.telemetry import METHODS, Metrics
from tests.support.web_app import app_of


def test_invented_methods_and_paths_add_no_metric() -> None:
    metrics = Metrics()
    app = app_of(
        metrics=metrics,
        max_body_bytes=100,
    )
    with TestClient(app) as client:
        for number in range(50):
            client.request(f"INVENTED{number}", f"/nothing/{number}")
        for method in sorted(METHODS):
            client.request(method, f"/{method}")
    samples = [sample for metric in metrics.registry.collect() for sample in metric.samples]
    assert {sample.labels["method"] for sample in samples} == METHODS | {"other"}
    assert {sample.labels["route"] for sample in samples} == {"unmatched"}
