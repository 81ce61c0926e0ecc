"""A collector of traces for tests: an HTTP server that decodes what OpenTelemetry's exporter sends."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


class Collector:
    """What a collector received, and how it answers.

    Attributes:
        status: the status of its responses.
        requests: path and decoded body of each request.
        is_called: set when a request has arrived.
        goes_on: while it is not set, requests get no answer.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.status = 200
        self.requests: list[tuple[str, Any]] = []
        self.is_called, self.goes_on = threading.Event(), threading.Event()
        self.goes_on.set()

    def spans(self) -> dict[str, tuple[str, Any]]:
        """Return the name of the service and the span, by the span's name."""
        return {
            span.name: (attribute.value.string_value, span)
            for _, request in self.requests
            for part in request.resource_spans
            for attribute in part.resource.attributes
            if attribute.key == "service.name"
            for scope in part.scope_spans
            for span in scope.spans
        }


@contextmanager
def running_collector() -> Iterator[Collector]:
    """Serve a collector on a free port for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.requests.append((self.path, ExportTraceServiceRequest.FromString(body)))
            collector.is_called.set()
            collector.goes_on.wait(60)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(collector.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield collector
    finally:
        collector.goes_on.set()
        server.shutdown()
        thread.join()
        server.server_close()
