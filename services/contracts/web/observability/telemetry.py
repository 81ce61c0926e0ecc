"""Request ids, the log line of each request, and request metrics, the same in every service."""

import asyncio
import logging
import re
import secrets
import sys
import time
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.contracts.web.lean_imports import structlog
from services.contracts.web.observability.labelled import Labelled
from services.contracts.web.observability.log_lines import LogLines
from services.contracts.web.observability.process_metrics import ProcessMetrics
from services.contracts.web.observability.tracing import QUIET_PATHS, trace_headers, trace_ids

REQUEST_ID_HEADER = "X-Request-ID"
ORDINARY = frozenset({"info", "debug"})
TRACEBACK = frozenset({"exc_info", "exception", "stack"})
PLAIN = re.compile(r"[^\s=\"']*")
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_notes: ContextVar[dict[str, Any] | None] = ContextVar("notes", default=None)
_ID_FIELD = REQUEST_ID_HEADER.lower().encode()
# Of every response that does not say otherwise: nothing guesses a type, and nothing is kept.
DEFAULTS = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))
# The methods that metrics and log lines name; any other is "other", because clients may invent methods.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def request_id() -> str | None:
    """Return the id of the current request, or None outside a request."""
    return _request_id.get()


def outgoing_headers() -> dict[str, str]:
    """Return the headers that pass the request id and the trace to the next service."""
    return {**response_headers(), **trace_headers()}


def response_headers() -> dict[str, str]:
    """Return the header with the request id, for the client."""
    current = _request_id.get()
    return {} if current is None else {REQUEST_ID_HEADER: current}


def note(**facts: Any) -> None:
    """Add fields to the log line of the current request. Outside a request this does nothing."""
    notes = _notes.get()
    if notes is not None:
        notes.update(facts)


def noted(name: str) -> Any:
    """Return a field of the log line of the current request; None if it has not been added."""
    return (_notes.get() or {}).get(name)


def configure_logging(service: str, *, json: bool, level: str = "INFO", delay_s: float = 0.0) -> None:
    """Write the records of structlog and of the standard library to stderr, as JSON or as readable lines.

    At the end of the process, `logging` writes the lines that wait.

    Args:
        service: the name in each line.
        json: whether a line is JSON.
        level: the lowest that is written.
        delay_s: how long a line about ordinary work may wait for others, in seconds.
    """
    lines = LogLines(sys.stderr, delay_s)
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        add_trace,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.dict_tracebacks if json else structlog.processors.StackInfoRenderer(),
    ]
    renderer: structlog.types.Processor = structlog.processors.JSONRenderer() if json else ReadableLines()
    structlog.configure(
        processors=[*shared, _rendered_later(renderer)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    )
    handler = logging.StreamHandler(lines)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for noisy in ("httpx", "httpcore", "uvicorn.access", "pymongo", "python_multipart"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    structlog.contextvars.bind_contextvars(service=service)


def _rendered_later(renderer: structlog.types.Processor) -> structlog.types.Processor:
    """Return a processor that leaves the rendering of ordinary lines to when they are written, after their request."""

    def render(logger: Any, name: str, event: structlog.types.EventDict) -> Any:
        if name not in ORDINARY or not TRACEBACK.isdisjoint(event):
            return renderer(logger, name, event)
        return ((lambda: str(renderer(logger, name, event)),), {})

    return render


class ReadableLines:
    """Renders log lines for people, as structlog's renderer for consoles does, which takes three times as long."""

    def __init__(self) -> None:
        self._with_traceback = structlog.dev.ConsoleRenderer(colors=False)

    def __call__(self, logger: Any, name: str, event: structlog.types.EventDict) -> str:
        """Return a line; several with a traceback."""
        if not TRACEBACK.isdisjoint(event):
            return self._with_traceback(logger, name, event)
        parts = [f"{event.pop('timestamp', '')} [{event.pop('level', ''):<9}] {event.pop('event', ''):<30}"]
        for key, value in sorted(event.items()):
            # Text that has blanks or quotes is as Python writes it.
            parts.append(f"{key}={value if isinstance(value, str) and PLAIN.fullmatch(value) else repr(value)}")
        return " ".join(parts).rstrip(" ")


def add_trace(_: Any, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Add the ids of the current trace to a log line."""
    event.update(trace_ids())
    return event


class Metrics:
    """A service's Prometheus registry with the metrics that every service has."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Labelled(
            Histogram(
                "lookalike_http_request_duration_seconds",
                "Time to answer a request, in seconds.",
                ("method", "route", "status"),
                buckets=BUCKETS_S,
                registry=self.registry,
            )
        )
        self._tasks = Gauge("lookalike_asyncio_tasks", "Tasks of the event loop.", registry=self.registry)
        self.process = ProcessMetrics(self.registry)

    async def endpoint(self, _: Request) -> Response:
        """Return the metrics in Prometheus' text format."""
        self._tasks.set(len(asyncio.all_tasks()))
        return Response(generate_latest(self.registry), media_type="text/plain; version=0.0.4; charset=utf-8")


class TelemetryMiddleware:
    """Gives each request an id, measures it and writes its log line; gives each response the fields of DEFAULTS."""

    def __init__(self, app: ASGIApp, service: str, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics
        self.log = structlog.get_logger().bind(service=service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        identity = _incoming_id(scope) or secrets.token_hex(8)
        _request_id.set(identity)
        notes: dict[str, Any] = {}
        _notes.set(notes)
        started = time.perf_counter()
        status = 500
        self.metrics.process.in_flight.inc()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _with_fields(message.get("headers", ()), identity)
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            self._finish(scope, identity, status, time.perf_counter() - started, notes)

    def _finish(self, scope: Scope, identity: str, status: int, seconds: float, notes: dict[str, Any]) -> None:
        route = getattr(scope.get("route"), "path", scope["path"] if scope["path"] in QUIET_PATHS else "unmatched")
        method = scope["method"] if scope["method"] in METHODS else "other"
        self.metrics.requests.labels(method, str(route), str(status)).observe(seconds)
        self.metrics.process.in_flight.dec()
        self.metrics.process.count_problem(notes.get("problem"), notes.get("limit"), status)
        if scope["path"] in QUIET_PATHS and status < 400:
            return
        facts = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 2)}
        self.log.info("request", request_id=identity, **facts, **notes)


def _with_fields(fields: Iterable[tuple[bytes, bytes]], identity: str) -> list[tuple[bytes, bytes]]:
    """Return the fields of a response with the request's id, and with those of DEFAULTS that it lacks."""
    kept = [field for field in fields if field[0] != _ID_FIELD]
    names = {name for name, _ in kept}
    return [*kept, (_ID_FIELD, identity.encode()), *(field for field in DEFAULTS if field[0] not in names)]


def _incoming_id(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == _ID_FIELD:
            text = str(value.decode("latin-1"))
            return text if _ACCEPTED_ID.fullmatch(text) else None
    return None
