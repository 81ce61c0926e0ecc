"""Spans of calls, and the ids by which lines and headers name them."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from services.contracts.domain.errors import UpstreamTimeout
from services.contracts.web.observability import tracing
from services.contracts.web.observability.telemetry import add_trace, outgoing_headers


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """The spans that have ended, of a service that is traced."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_provider", provider)
    yield exporter
    provider.shutdown()


def only(spans: InMemorySpanExporter) -> ReadableSpan:
    (span,) = spans.get_finished_spans()
    return span


def test_a_call_is_a_span_whose_ids_are_in_lines_and_headers(spans: InMemorySpanExporter) -> None:
    with tracing.call_span("index"):
        ids = tracing.trace_ids()
        line = add_trace(None, "info", {"event": "x"})
        headers = outgoing_headers()
    span = only(spans)
    assert (span.name, span.kind) == ("call index", SpanKind.CLIENT)
    assert span.attributes == {"peer.service": "index"}
    assert span.status.status_code is StatusCode.UNSET
    assert ids == {"trace_id": f"{span.context.trace_id:032x}", "span_id": f"{span.context.span_id:016x}"}
    assert line == {"event": "x", **ids}
    assert headers.keys() == {"traceparent"}
    assert headers["traceparent"].startswith(f"00-{ids['trace_id']}-{ids['span_id']}-")


def test_a_call_that_fails_says_how(spans: InMemorySpanExporter) -> None:
    with pytest.raises(UpstreamTimeout), tracing.call_span("index"):
        raise UpstreamTimeout("late")
    span = only(spans)
    assert span.attributes == {"peer.service": "index", "error.type": "upstream-timeout"}
    assert span.status.status_code is StatusCode.ERROR
    assert span.events == ()


def test_outside_a_span_there_are_no_ids(spans: InMemorySpanExporter) -> None:
    assert tracing.trace_ids() == {}
    assert outgoing_headers() == {}
    assert tracing.fastapi_options()["tracing"] is True


def test_without_a_collector_nothing_is_traced() -> None:
    with tracing.call_span("index"):
        assert (tracing.trace_ids(), tracing.trace_headers()) == ({}, {})
    options = tracing.fastapi_options()
    switches = {name: value for name, value in options.items() if isinstance(value, bool)}
    assert switches == {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}
    is_excluded = options["exclude"]
    assert is_excluded is not None
    assert [is_excluded({"path": path}) for path in ("/livez", "/v1/search")] == [True, False]
