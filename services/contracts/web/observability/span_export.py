"""Sends spans to a collector by OTLP over HTTP. Needs OpenTelemetry's SDK: imported on demand only."""

import logging
from collections.abc import Sequence
from urllib.parse import urlsplit

import requests
import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

EXPORT_S = 2.0  # for a batch, retries included
LIBRARY = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
PATH = "/v1/traces"
log = structlog.get_logger()


def collector_provider(service: str, endpoint: str, ratio: float, *, is_public: bool) -> TracerProvider:
    """Return a provider that sends spans in batches, from a thread of its own; the arguments are those of `configure`.

    It does not stop by itself when the process ends, because the SDK would then wait for the collector for 30 s.
    """
    own = TraceIdRatioBased(ratio)
    remote = {"remote_parent_sampled": own, "remote_parent_not_sampled": own} if is_public else {}
    resource = Resource.create({"service.name": f"lookalike-{service}"})
    provider = TracerProvider(sampler=ParentBased(own, **remote), resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(CollectorExporter(service, endpoint)))
    return provider


class CollectorExporter(SpanExporter):
    """Sends batches of spans, and logs when the collector stops taking them and when it takes them again."""

    def __init__(self, service: str, endpoint: str) -> None:
        session = requests.Session()
        session.trust_env = False  # as all calls between services: not through the proxies of the environment
        address = endpoint if urlsplit(endpoint).path.strip("/") else endpoint.rstrip("/") + PATH
        self._exporter = OTLPSpanExporter(endpoint=address, timeout=EXPORT_S, session=session)
        self._service = service
        self._is_received = True
        self._messages = _Messages()
        library = logging.getLogger(LIBRARY)
        library.handlers, library.propagate = [self._messages], False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch. It is dropped if the collector does not take it within EXPORT_S."""
        self._messages.texts.clear()
        result: SpanExportResult = self._exporter.export(spans)
        is_received = result is SpanExportResult.SUCCESS
        if is_received is not self._is_received:
            self._is_received = is_received
            if is_received:
                log.info("traces_received", service=self._service)
            else:
                log.warning("traces_not_received", service=self._service, reason=" ".join(self._messages.texts[:1]))
        return result

    def shutdown(self) -> None:
        """End retries."""
        self._exporter.shutdown()


class _Messages(logging.Handler):
    """Keeps what the library logs, the first message of a batch first: it has the reason."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())
