"""Metrics of requests: the labels come from fixed sets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from services.contracts.web.app import Readiness, make_app
from services.contracts.web.telemetry import METHODS, Metrics


async def ready(_: Request) -> Readiness:
    return Readiness(ready=True)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield


def test_invented_methods_and_paths_add_no_metric() -> None:
    metrics = Metrics()
    app = make_app(
        service="test",
        description="",
        routers=[],
        lifespan=lifespan,
        readiness=ready,
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
