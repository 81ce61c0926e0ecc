"""Metrics of requests: the labels come from fixed sets."""

import asyncio

import pytest
import structlog
from fastapi import APIRouter
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from services.contracts.domain.errors import TooManyRequests, UpstreamTimeout
from services.contracts.web.observability.process_metrics import ProcessMetrics
from services.contracts.web.observability.telemetry import METHODS, Metrics, ReadableLines
from services.contracts.web.observability.upstream_calls import UpstreamCalls
from tests.support.web.web_app import app_of


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
    samples = [sample for metric in metrics.requests.metric.collect() for sample in metric.samples]
    assert {sample.labels["method"] for sample in samples} == METHODS | {"other"}
    assert {sample.labels["route"] for sample in samples} == {"unmatched"}


def test_a_problem_and_the_limit_that_refused_a_request_are_counted() -> None:
    router = APIRouter()

    @router.get("/full")
    async def full() -> None:
        raise TooManyRequests("too many", limit="places")

    @router.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError

    metrics = Metrics()
    with TestClient(app_of(router, metrics=metrics, max_body_bytes=100), raise_server_exceptions=False) as client:
        for path in ("/full", "/full", "/broken", "/nothing", "/livez"):
            client.get(path)
        text = client.get("/metrics").text
    assert 'lookalike_problems_total{problem="too-many-requests"} 2.0' in text
    assert 'lookalike_problems_total{problem="internal"} 1.0' in text
    assert 'lookalike_problems_total{problem="not-found"} 1.0' in text
    assert 'lookalike_requests_refused_total{limit="places"} 2.0' in text
    assert "lookalike_http_requests_in_flight 1.0" in text  # the request for the metrics itself
    assert 'lookalike_build_info{service="test",version="' in text


def test_the_outcome_of_a_call_is_ok_or_the_slug_of_its_problem() -> None:
    registry = CollectorRegistry()
    calls = UpstreamCalls(registry)
    with calls.timed("index"):
        pass
    with pytest.raises(UpstreamTimeout), calls.timed("index"):
        raise UpstreamTimeout("late")
    with pytest.raises(ZeroDivisionError), calls.timed("tfs"):
        raise ZeroDivisionError
    name = "lookalike_upstream_request_duration_seconds_count"
    for upstream, outcome in (("index", "ok"), ("index", "upstream-timeout"), ("tfs", "internal")):
        assert registry.get_sample_value(name, {"upstream": upstream, "outcome": outcome}) == 1


async def test_the_lag_of_the_event_loop_is_measured() -> None:
    registry = CollectorRegistry()
    metrics = ProcessMetrics(registry, loop_interval_s=0.001)
    async with metrics.watching_loop():
        while not registry.get_sample_value("lookalike_event_loop_lag_seconds_count"):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    assert registry.get_sample_value("lookalike_event_loop_lag_seconds_sum") >= 0  # type: ignore[operator]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"route": "/v1/search", "ms": 12.5, "model": None, "stages_ms": {"decode": 1.5, "index": 0.4}},
        {
            "plain": "a,b:c",
            "blank": "a b",
            "quotes": "it's",
            "quoted": '"',
            "equals": "a=b",
            "tab": "a\tb",
            "empty": "",
        },
        {"language": "Größe", "z": 1, "a": True},
    ],
)
def test_readable_lines_are_those_of_structlog(fields: dict[str, object]) -> None:
    event = {"event": "request", "level": "info", "timestamp": "2026-11-30T03:00:00.123456Z", **fields}
    expected = structlog.dev.ConsoleRenderer(colors=False)(None, "info", dict(event))
    assert ReadableLines()(None, "info", event) == expected


def test_a_value_of_several_lines_is_one_line() -> None:
    text = ReadableLines()(None, "info", {"event": "request", "path": "a\r\nb\u2028c"})
    assert len(text.splitlines()) == 1


def test_readable_lines_show_tracebacks() -> None:
    try:
        raise ZeroDivisionError
    except ZeroDivisionError as error:
        text = ReadableLines()(None, "error", {"event": "unhandled", "exc_info": error})
    assert "Traceback" in text and "ZeroDivisionError" in text
