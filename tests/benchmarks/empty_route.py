"""An empty route: the least that a request over HTTP costs in Python. `python -m tests.benchmarks.empty_route PORT`."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.support.waiting import eventually
from tests.support.web.ports import free_port


async def _empty(request: Request) -> Response:
    await request.body()
    return Response(b"{}", media_type="application/json")


@contextmanager
def running_empty_route() -> Iterator[tuple[str, int]]:
    """Run the server in a process of its own; yield the route's URL and the process's id."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    with subprocess.Popen([sys.executable, "-m", "tests.benchmarks.empty_route", str(port)]) as process:
        try:
            eventually(lambda: _responds(url))
            yield url, process.pid
        finally:
            process.terminate()


def _responds(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.TransportError:
        return False


if __name__ == "__main__":
    app = Starlette(routes=[Route("/", _empty, methods=["GET", "POST"])])
    uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="warning")
