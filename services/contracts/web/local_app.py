"""The apps of this process that its other services call without sockets (docs/adr/0029)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = frozenset({"127.0.0.1", "localhost"})
_apps: dict[int, "LocalApp"] = {}  # by port


class LocalApp:
    """An app that is served as any other, and can be called by other services of the process while it runs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._state: Mapping[str, Any] | None = None

    @property
    def state(self) -> Mapping[str, Any] | None:
        """The state of its lifespan, which each request receives; None while it does not run."""
        return self._state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        async def receive_stop() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                self._state = None
            return message

        async def send_start(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._state = scope["state"]
            await send(message)

        await self._app(scope, receive_stop, send_start)


@contextmanager
def local_apps(apps: Mapping[int, LocalApp]) -> Iterator[None]:
    """Let services of this process call these apps without sockets, each under its port, for as long as the block."""
    _apps.update(apps)
    try:
        yield
    finally:
        for port in apps:
            _apps.pop(port, None)


def local_app(scheme: str, host: str, port: int | None) -> LocalApp | None:
    """Return the app of this process at an address; None if there is none."""
    return _apps.get(port or 80) if scheme == "http" and host in HOSTS else None
