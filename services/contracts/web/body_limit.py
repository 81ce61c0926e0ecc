"""Limits the size of request bodies, and of the JSON around images; the error is a problem document.

Starlette's own limit responds in plain text. This one also reads and discards the rest of the body, up to a bound,
before it responds: if the server closed the connection while the client still sends, the response would be lost.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.contracts.domain.errors import RequestTooLarge
from services.contracts.web.http_problem import HttpProblem
from services.contracts.web.json_size import MAX_JSON_BYTES, JsonSize

_KEY = "lookalike.body"
DISCARD_BYTES = 64 * 1024 * 1024


class _Body:
    def __init__(self, scope: Scope, receive: Receive, max_bytes: int, max_json_bytes: int | None) -> None:
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        self.announced = int(length) if length.isdecimal() else None
        self.max_bytes = max_bytes
        self._max_json_bytes = max_json_bytes
        self._json = JsonSize() if _is_json(headers.get("content-type", "")) else None
        self._receive = receive
        self._received = 0

    async def receive(self) -> Message:
        if (self.announced or 0) > self.max_bytes:
            await self._reject()
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > self.max_bytes:
            await self._reject(message)
        if self._json is not None and self._max_json_bytes is not None:
            await self._check_json(message, self._json, self._max_json_bytes)
        return message

    async def _check_json(self, message: Message, size: JsonSize, max_bytes: int) -> None:
        if size.add(message.get("body", b""), max_bytes):
            return
        await self._discard(message)
        text = f"the JSON has more than {max_bytes:,} bytes, not counting the text of images in base64"
        raise HttpProblem(RequestTooLarge(text))

    async def _reject(self, message: Message | None = None) -> None:
        await self._discard(message)
        detail = f"the request's body is larger than the limit of {self.max_bytes:,} bytes"
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)

    async def _discard(self, message: Message | None) -> None:
        """Read the rest of the body, up to a bound."""
        while (message is None or message.get("more_body", False)) and self._received < self.max_bytes + DISCARD_BYTES:
            message = await self._receive()
            self._received += len(message.get("body", b""))


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


class BodyLimitMiddleware:
    """Raises HTTPException (413) while a body of more than `max_bytes` is read, with or without Content-Length.

    Bodies in JSON have at most `max_json_bytes` without the text of images in base64.
    `paths` maps a path to its own limit, which is the only one for JSON, too.
    """

    def __init__(
        self,
        app: ASGIApp,
        max_bytes: int,
        paths: Mapping[str, int] | None = None,
        max_json_bytes: int = MAX_JSON_BYTES,
    ) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.paths = paths or {}
        self.max_json_bytes = max_json_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        own = self.paths.get(scope.get("path", ""))
        json = self.max_json_bytes if own is None else None
        body = scope[_KEY] = _Body(scope, receive, self.max_bytes if own is None else own, json)
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
