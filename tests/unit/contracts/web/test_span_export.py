"""Spans sent with OpenTelemetry's own exporter to a collector that reads them off the wire."""

import sys
from collections.abc import Iterator

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from structlog.testing import capture_logs

from services.contracts.web.observability import tracing
from services.contracts.web.observability.span_export import CollectorExporter
from services.contracts.web.observability.telemetry import Metrics
from tests.support.servers.collector import Collector, running_collector
from tests.support.web.web_app import app_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


@pytest.fixture
def collector() -> Iterator[Collector]:
    with running_collector() as collector:
        yield collector


@pytest.fixture(autouse=True)
def no_provider_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_provider", None)
    monkeypatch.setattr(tracing, "_shutdown", None)


def client() -> TestClient:
    """A service with a route that calls another service."""
    router = APIRouter()

    @router.get("/things/{thing}")
    async def thing(thing: str) -> str:
        with tracing.call_span("index"):
            return thing

    return TestClient(app_of(router, metrics=Metrics(), max_body_bytes=100))


def spans() -> list[ReadableSpan]:
    with TracerProvider().get_tracer("test").start_as_current_span("call index") as span:
        pass
    assert isinstance(span, ReadableSpan)
    return [span]


def test_a_request_and_its_calls_arrive_at_the_collector_as_one_trace(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # nothing listens there
    tracing.configure("index", collector.address, 1.0, is_public=False)
    with client() as http:
        assert http.get("/things/7", headers=CALLER).json() == "7"
        assert http.get("/livez").status_code == 200
    tracing.close()
    assert {path for path, _ in collector.requests} == {"/v1/traces"}
    spans = collector.spans()
    assert spans.keys() == {"GET /things/{thing}", "call index"}
    assert {service for service, _ in spans.values()} == {"lookalike-index"}
    (_, route), (_, call) = spans["GET /things/{thing}"], spans["call index"]
    assert route.trace_id.hex() == call.trace_id.hex() == TRACE
    assert call.parent_span_id == route.span_id


@pytest.mark.parametrize(("is_public", "received"), [(False, {"GET /things/{thing}", "call index"}), (True, set())])
def test_only_inside_the_caller_decides_what_is_traced(
    collector: Collector, is_public: bool, received: set[str]
) -> None:
    tracing.configure("gateway", f"{collector.address}/v1/traces", 0.0, is_public=is_public)
    with client() as http:
        http.get("/things/7", headers=CALLER)
    tracing.close()
    assert collector.spans().keys() == received


def test_a_collector_that_does_not_answer_holds_up_neither_requests_nor_the_end(collector: Collector) -> None:
    collector.goes_on.clear()
    tracing.configure("gateway", collector.address, 1.0, is_public=True)
    with client() as http:
        assert http.get("/things/7").json() == "7"
        tracing.close()
        assert collector.is_called.wait(60)
        assert http.get("/things/8").json() == "8"
    tracing.close()
    assert not collector.goes_on.is_set()


def test_the_log_says_once_that_the_collector_takes_no_spans_and_once_that_it_does_again(collector: Collector) -> None:
    exporter = CollectorExporter("gateway", collector.address)
    with capture_logs() as lines:
        collector.status = 404
        assert [exporter.export(spans()) for _ in range(3)] == [SpanExportResult.FAILURE] * 3
        collector.status = 200
        assert [exporter.export(spans()) for _ in range(2)] == [SpanExportResult.SUCCESS] * 2
    assert [(line["event"], line["service"]) for line in lines] == [
        ("traces_not_received", "gateway"),
        ("traces_received", "gateway"),
    ]
    assert "404" in lines[0]["reason"]


def test_without_the_packages_the_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "services.contracts.web.observability.span_export")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(tracing.TracingError, match="setting TRACES_ENDPOINT: traces need packages"):
        tracing.configure("gateway", "http://collector:4318", 1.0, is_public=True)
