"""Traces with OpenTelemetry: one trace for a request through gateway, embedding, index and TensorFlow Serving.

FastAPI itself makes the span of each request. Calls of other services have spans of their own, and pass the trace on
with the W3C header `traceparent`. Without TRACES_ENDPOINT there is no trace, and the SDK is not needed.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services.contracts.domain.errors import LookalikeError

QUIET_PATHS = frozenset({"/livez", "/readyz", "/metrics", "/v1/status", "/v1/revision"})
MISSING = (
    "setting TRACES_ENDPOINT: traces need packages that are not installed: "
    "pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"
)
_PROPAGATOR = TraceContextTextMapPropagator()
_provider: TracerProvider | None = None
_shutdown: Callable[[], None] | None = None
CLOSE_S = 0.5
NO_SPAN = nullcontext()


class TracingError(Exception):
    """Traces cannot be sent. The text names the setting."""


def configure(service: str, endpoint: str, ratio: float, *, is_public: bool) -> None:
    """Send spans to a collector.

    Args:
        service: the service's name.
        endpoint: address of the collector for OTLP over HTTP, such as `http://collector:4318/v1/traces`; this path is
            the default.
        ratio: part of the requests that are traced, 0 to 1, if the caller's trace does not decide it.
        is_public: whether callers may be anyone: they then cannot decide it.

    Raises:
        TracingError: the packages are not installed.
    """
    try:
        from services.contracts.web.observability.span_export import collector_provider
    except ImportError:
        raise TracingError(MISSING) from None
    global _provider, _shutdown
    provider = collector_provider(service, endpoint, ratio, is_public=is_public)
    _provider, _shutdown = provider, provider.shutdown


def close() -> None:
    """Send the spans that wait. After CLOSE_S they are dropped: a collector that does not answer holds up no stop."""
    if _shutdown is not None:
        closing = threading.Thread(target=_shutdown, daemon=True)
        closing.start()
        closing.join(CLOSE_S)


def is_on() -> bool:
    """Return whether requests are traced."""
    return _provider is not None


def fastapi_options() -> TelemetryConfig:
    """Return what FastAPI's `telemetry` takes: spans of requests if they are traced, and nothing else."""
    return {
        "tracing": is_on(),
        "tracer_provider": _provider,
        "metrics": False,
        "logs": False,
        "operation_spans": False,
        "exclude": lambda scope: scope["path"] in QUIET_PATHS,
    }


def trace_headers() -> dict[str, str]:
    """Return the header that passes the current trace on; none without a trace."""
    headers: dict[str, str] = {}
    if _provider is not None:
        _PROPAGATOR.inject(headers)
    return headers


def trace_ids() -> Mapping[str, str]:
    """Return the ids of the current trace and span for log lines; none without a trace."""
    if _provider is None:
        return {}
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


def call_span(upstream: str) -> AbstractContextManager[None]:
    """Make a span of a call to another service or server, if the request is traced."""
    return NO_SPAN if _provider is None else _call_span(_provider, upstream)


@contextmanager
def _call_span(provider: TracerProvider, upstream: str) -> Iterator[None]:
    tracer = provider.get_tracer("lookalike")
    with tracer.start_as_current_span(
        f"call {upstream}", kind=SpanKind.CLIENT, record_exception=False, set_status_on_exception=False
    ) as span:
        span.set_attribute("peer.service", upstream)
        try:
            yield
        except LookalikeError as error:
            span.set_attribute("error.type", error.slug)
            span.set_status(StatusCode.ERROR)
            raise
