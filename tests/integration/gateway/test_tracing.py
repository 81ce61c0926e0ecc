"""One trace spans a search through gateway, embedding, index and TensorFlow Serving: the services in this process."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.contracts.domain.errors import UpstreamTimeout
from services.contracts.web.observability import telemetry, tracing
from services.embedding.app import create_app as embedding_app
from services.embedding.settings import EmbeddingSettings
from services.gateway.app import create_app as gateway_app
from services.gateway.settings import GatewaySettings
from tests.support.fakes.index_api import product
from tests.support.pictures import images
from tests.support.servers.embedding import write_model
from tests.support.servers.index import app_around, new_replica
from tests.support.servers.tfs import ScriptedServing, good_reply, scripted_serving
from tests.support.waiting import WITHIN_S, eventually

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER_SPAN = 0x00F067AA0BA902B7
CALLER = {"traceparent": f"00-{TRACE}-{CALLER_SPAN:016x}-01"}


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve an app in a thread, on a free port, for as long as the block lasts."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        eventually(lambda: server.started)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(WITHIN_S)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_provider", provider)
    return exporter


@pytest.fixture
def gateway(spans: InMemorySpanExporter, tmp_path: Path) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The gateway's address, and the metadata of the calls that TensorFlow Serving receives."""
    replica = new_replica()
    replica.apply([], [product(number) for number in range(3)])
    received: list[dict[str, str]] = []
    serving = RecordingServing(received)
    with ExitStack() as stack:
        address = stack.enter_context(scripted_serving(serving))
        settings = EmbeddingSettings(
            model_dir=write_model(tmp_path / "1"), tfs_address=address, tfs_timeout_s=WITHIN_S, ready_interval_s=60
        )
        embedding = stack.enter_context(served(embedding_app(settings)))
        index = stack.enter_context(served(app_around(replica)))
        patient: dict[str, Any] = dict.fromkeys(
            ("search_timeout_s", "embedding_timeout_s", "index_timeout_s"), WITHIN_S
        )
        own = GatewaySettings(
            embedding_url=embedding,
            index_urls=(index,),
            mongo_url="mongodb://127.0.0.1:1",  # type: ignore[arg-type]
            **patient,
        )
        url = stack.enter_context(served(gateway_app(own)))
        with httpx.Client(base_url=url, timeout=WITHIN_S, trust_env=False) as http:
            eventually(lambda: http.get("/readyz").json()["ready"])
        received.clear()
        spans.clear()
        yield url, received


class RecordingServing(ScriptedServing):
    """A scripted server that records the metadata of calls."""

    def __init__(self, received: list[dict[str, str]]) -> None:
        super().__init__(good_reply)
        self._received = received

    def Predict(self, request: Any, context: Any) -> Any:
        self._received.append({key: str(value) for key, value in context.invocation_metadata()})
        return super().Predict(request, context)


def search(url: str, **headers: str) -> httpx.Response:
    response = httpx.post(
        f"{url}/v1/search?crop=none",
        content=images.jpeg(),
        headers={"Content-Type": "image/jpeg", **headers},
        timeout=WITHIN_S,
        trust_env=False,
    )
    assert response.status_code == 200, response.text
    return response


def trace_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.trace_id:032x}"


def is_child(span: ReadableSpan, parent: ReadableSpan) -> bool:
    return span.parent is not None and parent.context is not None and span.parent.span_id == parent.context.span_id


def test_a_search_is_one_trace_through_all_services(
    gateway: tuple[str, list[dict[str, str]]], spans: InMemorySpanExporter
) -> None:
    url, received = gateway
    response = search(url, **CALLER)

    def have_ended() -> bool:
        """Whether the three services have ended their spans, each after its response."""
        names = [span.name for span in spans.get_finished_spans()]
        return sum("/v1/search" in name for name in names) == 2 and any("/v1/embed" in name for name in names)

    eventually(have_ended)
    finished = [span for span in spans.get_finished_spans() if "/v1/status" not in span.name]
    by_trace = {trace_of(span) for span in finished}
    assert by_trace == {TRACE}
    edge = next(span for span in finished if span.parent and span.parent.span_id == CALLER_SPAN)
    called = {span.name: span for span in finished if span.kind.name == "CLIENT"}
    assert called.keys() >= {"call embedding", "call index", "call tfs"}
    assert is_child(called["call embedding"], edge)
    embed = next(span for span in finished if "/v1/embed" in span.name)
    assert is_child(embed, called["call embedding"])
    assert is_child(called["call tfs"], embed)
    searched = next(span for span in finished if "/v1/search" in span.name and span is not edge)
    assert is_child(searched, called["call index"])
    assert {metadata["traceparent"].split("-")[1] for metadata in received} == {TRACE}
    assert "traceparent" not in response.headers


def test_without_a_provider_nothing_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_provider", None)
    with tracing.call_span("index"):
        assert tracing.trace_headers() == {}
        assert tracing.trace_ids() == {}


def test_log_lines_have_the_ids_of_the_trace(spans: InMemorySpanExporter) -> None:
    with tracing.call_span("index"):
        event = telemetry.add_trace(None, "info", {"event": "request"})
    (span,) = spans.get_finished_spans()
    assert event["trace_id"] == trace_of(span)
    assert telemetry.add_trace(None, "info", {"event": "request"}) == {"event": "request"}


def test_a_failed_call_has_the_problem_in_its_span(spans: InMemorySpanExporter) -> None:
    with pytest.raises(UpstreamTimeout), tracing.call_span("index"):
        raise UpstreamTimeout("late")
    (span,) = spans.get_finished_spans()
    assert span.attributes == {"peer.service": "index", "error.type": "upstream-timeout"}
    assert span.status.is_ok is False
