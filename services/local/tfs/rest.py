"""The REST status of a model, as in TensorFlow Serving: `GET /v1/models/NAME` or `/v1/models/NAME/versions/N`."""

import json
import re
import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from services.local.tfs.errors import ServingError
from services.local.tfs.repository import Repository

_PATH = re.compile(r"/v1/models/([^/]+)(?:/versions/(\d{1,18}))?/?")


def status_document(repository: Repository, path: str) -> tuple[HTTPStatus, dict[str, Any]]:
    """Return the HTTP status and the JSON document of a path such as `/v1/models/fashion`."""
    match = _PATH.fullmatch(path)
    if match is None:
        return HTTPStatus.NOT_FOUND, {"error": f"Malformed request: GET {path}"}
    name, number = match[1], match[2]
    try:
        statuses = repository.statuses(name, int(number) if number else None)
    except ServingError as error:
        return HTTPStatus.NOT_FOUND, {"error": str(error)}
    versions = [
        {
            "version": str(version),
            "state": state.name,
            "status": {"error_code": "UNKNOWN" if error else "OK", "error_message": error},
        }
        for version, (state, error) in sorted(statuses.items(), reverse=True)
    ]
    return HTTPStatus.OK, {"model_version_status": versions}


class RestServer:
    """Serves the status over HTTP in its own thread.

    Raises:
        OSError: the server cannot listen on the address.
    """

    def __init__(self, repository: Repository, host: str, port: int) -> None:
        class RestHandler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, document = status_document(repository, self.path)
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Write no log: the status is requested every few seconds."""

        class RestHttpServer(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        self._server = RestHttpServer((host, port), RestHandler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="rest", daemon=True)

    def start(self) -> None:
        """Start the server."""
        self._thread.start()

    def close(self) -> None:
        """Stop the server and close its port."""
        self._server.shutdown()
        self._server.server_close()
