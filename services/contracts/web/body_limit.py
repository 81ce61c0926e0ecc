"""Limits the size of request bodies; the error is a problem document.

Starlette's own limit responds in plain text. This one also reads and discards the rest of the body, up to a bound,
before it responds: if the server closed the connection while the client still sends, the response would be lost.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_KEY = "lookalike.body"
DISCARD_BYTES = 64 * 1024 * 1024


class _Body:
    def __init__(self, scope: Scope, receive: Receive, max_bytes: int) -> None:
        length = Headers(scope=scope).get("content-length", "")
        self.announced = int(length) if length.isdecimal() else None
        self.max_bytes = max_bytes
        self._receive = receive
        self._received = 0

    async def receive(self) -> Message:
        if (self.announced or 0) > self.max_bytes:
            await self._reject()
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > self.max_bytes:
            await self._reject(message)
        return message

    async def _reject(self, message: Message | None = None) -> None:
        while (message is None or message.get("more_body", False)) and self._received < self.max_bytes + DISCARD_BYTES:
            message = await self._receive()
            self._received += len(message.get("body", b""))
        detail = f"the request's body is larger than the limit of {self.max_bytes:,} bytes"
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)


class BodyLimitMiddleware:
    """Raises HTTPException (413) while a body of more than `max_bytes` is read, with or without Content-Length.

    `paths` maps a path to its own limit.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, paths: Mapping[str, int] | None = None) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.paths = paths or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = scope[_KEY] = _Body(scope, receive, self.paths.get(scope.get("path", ""), self.max_bytes))
        await self.app(scope, body.receive, send)


def limit_body(scope: Any, max_bytes: int) -> int:
    """Lower the limit of this request; return its Content-Length, at most the limit, or else the limit.

    Args:
        scope: the request's ASGI scope; its body must not have been read yet.
        max_bytes: the route's own limit.
    """
    body: _Body = scope[_KEY]
    body.max_bytes = min(body.max_bytes, max_bytes)
    return body.max_bytes if body.announced is None else min(body.announced, body.max_bytes)
