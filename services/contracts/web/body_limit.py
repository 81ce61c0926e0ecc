"""A bound on each request's body, answered with a problem document.

Starlette's own limit answers in plain text when the size is announced. This one also reads on and discards, up to a
bound, before it answers: a connection that is closed on a client that still sends loses the answer on its way.
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
        self._seen = 0

    async def receive(self) -> Message:
        if (self.announced or 0) > self.max_bytes:
            await self._refuse()
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > self.max_bytes:
            await self._refuse(message)
        return message

    async def _refuse(self, message: Message | None = None) -> None:
        while (message is None or message.get("more_body", False)) and self._seen < self.max_bytes + DISCARD_BYTES:
            message = await self._receive()
            self._seen += len(message.get("body", b""))
        detail = f"the request's body is larger than the {self.max_bytes:,} bytes that are taken here"
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)


class BodyLimitMiddleware:
    """Raises 413 (HTTPException) where a body of more than `max_bytes` is read, announced or not.

    `paths` have bounds of their own.
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
    """Lower the bound for this request; return how many bytes may come: the announced ones, else as many as are taken.

    Args:
        scope: the request's ASGI scope; nothing of its body has been read yet.
        max_bytes: the route's own bound.
    """
    body: _Body = scope[_KEY]
    body.max_bytes = min(body.max_bytes, max_bytes)
    return body.max_bytes if body.announced is None else min(body.announced, body.max_bytes)
