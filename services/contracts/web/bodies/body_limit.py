"""Limits the size of request bodies, and of the JSON around images; the error is a problem document.

Starlette's own limit responds in plain text. This one also reads and discards the rest of the body, up to a bound,
before it responds: if the server closed the connection while the client still sends, the response would be lost.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.contracts.domain.errors import AmbiguousLength, RequestTimeout, RequestTooLarge, TooManyRequests
from services.contracts.web.bodies.json_size import MAX_JSON_BYTES, JsonSize
from services.contracts.web.http_problem import HttpProblem
from services.contracts.web.problems import problem_response
from services.contracts.web.requests.fields import field_of
from services.contracts.web.requests.in_flight import BytesInFlight

_KEY = "lookalike.body"
LENGTHS = (b"content-length", b"transfer-encoding")
DISCARD_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class BodyRate:
    """The least rate at which a body arrives, in bytes a second, after a time in seconds for its first bytes."""

    bytes_per_s: int = 16 * 1024
    grace_s: float = 15.0

    def seconds(self, received: int) -> float:
        """Return the time until the next bytes must have arrived, since the beginning."""
        return self.grace_s + received / self.bytes_per_s

    @property
    def text(self) -> str:
        """The rate in words."""
        return f"{self.bytes_per_s:,} bytes a second"


class _Body:
    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        max_bytes: int,
        max_json_bytes: int | None,
        rate: BodyRate,
        in_flight: BytesInFlight | None,
    ) -> None:
        length = field_of(scope, b"content-length") or ""
        self.announced = int(length) if length.isdecimal() else None
        self.max_bytes = max_bytes
        self._max_json_bytes = max_json_bytes
        self._json = JsonSize() if _is_json(field_of(scope, b"content-type") or "") else None
        self._receive = receive
        self._received = 0
        self._rate = rate
        self._in_flight = in_flight
        self._client = str((scope.get("client") or ("",))[0])
        self._began: float | None = None
        self._is_read = False
        self._counted = 0

    async def receive(self) -> Message:
        if (self.announced or 0) > self.max_bytes:
            await self._reject()
        message = await self._next()
        if self._received > self.max_bytes:
            await self._reject(message)
        self._count(message)
        if self._json is not None and self._max_json_bytes is not None:
            await self._check_json(message, self._json, self._max_json_bytes)
        return message

    async def _next(self) -> Message:
        """Return the next message, within the time that the bytes received so far allow.

        Raises:
            HttpProblem: the time is over.
        """
        if self._is_read:  # now only the client's departure is of interest
            return await self._receive()
        now = asyncio.get_running_loop().time()
        self._began = now if self._began is None else self._began
        try:
            async with asyncio.timeout_at(self._began + self._rate.seconds(self._received)):
                message = await self._receive()
        except TimeoutError:
            raise HttpProblem(RequestTimeout(f"the body arrives slower than {self._rate.text}")) from None
        self._received += len(message.get("body", b""))
        self._is_read = not message.get("more_body", False)
        return message

    def _count(self, message: Message) -> None:
        """Count bytes that are kept in memory.

        Raises:
            HttpProblem: there are too many.
        """
        if self._in_flight is None:
            return
        size = len(message.get("body", b""))
        self._counted += size
        try:
            self._in_flight.add(self._client, size)
        except TooManyRequests as error:
            raise HttpProblem(error) from None

    def end(self) -> None:
        """Forget the bytes: the request has been answered."""
        if self._in_flight is not None:
            self._in_flight.remove(self._client, self._counted)

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
            message = await self._next()


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


class BodyLimitMiddleware:
    """Raises HTTPException (413) while a body of more than `max_bytes` is read, with or without Content-Length.

    Bodies in JSON have at most `max_json_bytes` without the text of images in base64.
    `paths` maps a path to its own limit, which is the only one for JSON, too. Where it is larger, the body is not kept
    in memory.
    A body arrives at the least rate, and the bodies in memory together are bounded by `in_flight`.
    """

    def __init__(
        self,
        app: ASGIApp,
        max_bytes: int,
        paths: Mapping[str, int] | None = None,
        max_json_bytes: int = MAX_JSON_BYTES,
        rate: BodyRate | None = None,
        in_flight: BytesInFlight | None = None,
    ) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.paths = paths or {}
        self.max_json_bytes = max_json_bytes
        self.rate = rate or BodyRate()
        self.in_flight = in_flight

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if sum([name in LENGTHS for name, _ in scope["headers"]]) > 1:
            error = AmbiguousLength("the request has more than one field of Content-Length and Transfer-Encoding")
            await problem_response(error)(scope, receive, send)
            return
        own = self.paths.get(scope.get("path", ""))
        json = self.max_json_bytes if own is None else None
        body = scope[_KEY] = _Body(
            scope,
            receive,
            self.max_bytes if own is None else own,
            json,
            self.rate,
            None if own is not None and own > self.max_bytes else self.in_flight,
        )
        try:
            await self.app(scope, body.receive, send)
        finally:
            body.end()


def limit_body(scope: Any, max_bytes: int) -> int:
    """Lower the limit of this request; return its Content-Length, at most the limit, or else the limit.

    Args:
        scope: the request's ASGI scope; its body must not have been read yet.
        max_bytes: the route's own limit.
    """
    body: _Body = scope[_KEY]
    body.max_bytes = min(body.max_bytes, max_bytes)
    return body.max_bytes if body.announced is None else min(body.announced, body.max_bytes)
