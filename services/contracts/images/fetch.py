"""Fetches images from URLs of clients and feeds without reaching the internal network.

`checked_backend` opens the connections. One deadline covers the whole fetch, and the size is bounded. `preparation`
checks whether the bytes are an image.
"""

import asyncio
import re
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache, cached_property
from http import HTTPStatus
from http.client import responses

import ada_url
import httpcore
import httpx

from services.contracts.domain.errors import (
    ImageServerUnavailable,
    ImageTooLarge,
    ImageUrlFailed,
    ImageUrlRefused,
    LookalikeError,
    UpstreamTimeout,
)
from services.contracts.images.checked_backend import AddressRefused, CheckedBackend, Resolver, resolve
from services.contracts.images.web_address import WebAddressError, normalised

REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Statuses of temporary failures: RFC 9110, section 15; RFC 6585, section 4; RFC 8470, section 5.2.
TEMPORARY_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
VALIDATOR = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,254}")
MAX_URL_LENGTH = 4096
MAX_REDIRECTS = 5
START_BYTES = 64  # enough to recognise an image format
USER_AGENT = "Lookalike/0.1 (image search; fetches product images)"
HEADERS: dict[bytes | str, bytes | str] = {
    "User-Agent": USER_AGENT,
    "Accept": "image/*",
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class Validators:
    """The headers by which a server recognises an unchanged image: RFC 9110, section 8.8."""

    etag: str | None = None
    last_modified: str | None = None

    def __bool__(self) -> bool:
        """Whether one of the values is set."""
        return self.etag is not None or self.last_modified is not None

    def headers(self) -> dict[bytes | str, bytes | str]:
        """Return the headers of a conditional request: its response is 304 if the image has not changed."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value is not None}


NO_VALIDATORS = Validators()


@dataclass(frozen=True, slots=True)
class FetchedImage:
    """The unchecked bytes at a URL. `data` is None if the image has not changed since the validators were sent."""

    data: bytes | None
    validators: Validators


@cache
def _certificates() -> ssl.SSLContext:
    """Return the certificates of the web, which take 2.5 MB: once for all fetchers."""
    return httpx.create_ssl_context()


class ImageFetcher:
    """Fetches images by URL over pooled connections; one instance in a process. It uses no cookies and no proxies."""

    def __init__(
        self,
        max_bytes: int = 10 * 1024 * 1024,
        timeout_s: float = 5.0,
        allowed_hosts: Iterable[str] = (),
        max_connections: int = 32,
        resolver: Resolver = resolve,
    ) -> None:
        """Create the fetcher without opening a connection.

        Args:
            max_bytes: the largest size of one image.
            timeout_s: deadline of a whole fetch, in seconds: names, redirects and body.
            allowed_hosts: `host:port` of servers that are allowed although they are not public.
            max_connections: the most open connections; other fetches wait within their own deadline.
            resolver: returns the addresses of a name and port.

        Raises:
            ValueError: an entry of `allowed_hosts` is not `host:port`.
        """
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._max_connections = max_connections
        self._backend = CheckedBackend(resolver, allowed_hosts)

    @cached_property
    def _pool(self) -> httpcore.AsyncConnectionPool:
        """The connections, made with the first fetch: a service that fetches nothing needs no certificates."""
        return httpcore.AsyncConnectionPool(
            ssl_context=_certificates(),
            max_connections=self._max_connections,
            max_keepalive_connections=self._max_connections,
            keepalive_expiry=15.0,
            network_backend=self._backend,
        )

    async def close(self) -> None:
        """Close the pooled connections."""
        if "_pool" in self.__dict__:
            await self._pool.aclose()

    async def fetch(self, url: str) -> bytes:
        """Return the unchecked bytes at a URL.

        Raises:
            LookalikeError: as `get`.
        """
        return (await self.get(url)).data or b""

    async def get(self, url: str, known: Validators = NO_VALIDATORS) -> FetchedImage:
        """Return the unchecked bytes at a URL, or None as data if they have not changed since `known`.

        Raises:
            ImageUrlRefused: not a URL, not http or https, with credentials, or the host is not public.
            ImageServerUnavailable: no such host, no connection, or a temporary status.
            ImageUrlFailed: a status other than 200, too many redirects, or no bytes.
            ImageTooLarge: more bytes than the limit.
            UpstreamTimeout: not finished within the deadline.
        """
        return await self._guarded(url, known, start_only=False)

    async def probe(self, url: str) -> bytes:
        """Return the first bytes at a URL, to check that it exists. It may also be the URL of a page.

        Raises:
            LookalikeError: as `get`, except for the size.
        """
        return (await self._guarded(url, NO_VALIDATORS, start_only=True)).data or b""

    async def _guarded(self, url: str, known: Validators, *, start_only: bool) -> FetchedImage:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._follow(_parsed(url), known, start_only=start_only)
        except (TimeoutError, httpcore.TimeoutException):
            bound = f"{self._timeout_s:g} s"
            raise UpstreamTimeout(f"the image URL did not return its image within {bound}") from None
        except AddressRefused as error:
            raise ImageUrlRefused(f"the image URL must not be fetched: {error}") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
            raise ImageServerUnavailable(f"the connection to the image URL's server failed: {_reason(error)}") from None

    async def _follow(self, url: str, known: Validators, *, start_only: bool) -> FetchedImage:
        for _ in range(MAX_REDIRECTS + 1):
            outcome = await self._retried(url, known, start_only=start_only)
            if isinstance(outcome, FetchedImage):
                return outcome
            url = _parsed(outcome, url)
        raise ImageUrlFailed(f"the image URL redirects more than {MAX_REDIRECTS} times")

    async def _retried(self, url: str, known: Validators, *, start_only: bool) -> FetchedImage | str:
        """Retry once after a broken connection: a server may close an idle connection just when it is used again."""
        try:
            return await self._get(url, known, start_only=start_only)
        except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError):
            return await self._get(url, known, start_only=start_only)

    async def _get(self, url: str, known: Validators, *, start_only: bool) -> FetchedImage | str:
        """Return the image, or its start, or the target of a redirect."""
        target = _target(url)
        request_headers = HEADERS | ({"Accept": "*/*"} if start_only else known.headers())
        async with self._pool.stream("GET", target, headers=request_headers) as response:
            raw_headers = {name.lower(): value for name, value in response.headers}
            headers = {name: value.decode("latin-1") for name, value in raw_headers.items()}
            if response.status in REDIRECTS and b"location" in headers:
                return _location(raw_headers[b"location"])
            if response.status == HTTPStatus.NOT_MODIFIED and known:
                return FetchedImage(None, _validators(headers) or known)
            _check_status(response.status, headers)
            if start_only:
                return FetchedImage(await _start(response), NO_VALIDATORS)
            _check_encoding(headers)
            return FetchedImage(await self._body(response, headers), _validators(headers))

    async def _body(self, response: httpcore.Response, headers: dict[bytes, str]) -> bytes:
        announced = headers.get(b"content-length", "")
        if announced.isdigit() and int(announced) > self._max_bytes:
            raise _too_large(self._max_bytes)
        body = bytearray()
        async for part in response.aiter_stream():
            body += part
            if len(body) > self._max_bytes:
                raise _too_large(self._max_bytes)
        if not body:
            raise ImageUrlFailed("the response of the image URL is empty")
        return bytes(body)


def _parsed(text: str, base: str | None = None) -> str:
    if len(text) > MAX_URL_LENGTH:
        raise ImageUrlRefused(f"the image URL is longer than {MAX_URL_LENGTH} characters")
    try:
        return normalised(text, base)
    except WebAddressError as error:
        raise ImageUrlRefused(f"the image URL {error}") from None


def _target(address: str) -> httpcore.URL:
    url = ada_url.URL(address)
    port = int(url.port) if url.port else None
    return httpcore.URL(
        scheme=url.protocol.rstrip(":"), host=url.hostname.strip("[]"), port=port, target=url.pathname + url.search
    )


def _location(value: bytes) -> str:
    """Return the address of a redirect. Servers send other bytes than ASCII in UTF-8 or in Latin-1."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


async def _start(response: httpcore.Response) -> bytes:
    start = bytearray()
    async for part in response.aiter_stream():
        start += part[:START_BYTES]
        if len(start) >= START_BYTES:
            break
    if not start:
        raise ImageUrlFailed("the response of the image URL is empty")
    return bytes(start)


def _validators(headers: dict[bytes, str]) -> Validators:
    """Return the validators in a response, without values that cannot be sent back in a request header."""
    values = (headers.get(name, "") for name in (b"etag", b"last-modified"))
    return Validators(*(value if VALIDATOR.fullmatch(value) else None for value in values))


def _check_status(status: int, headers: dict[bytes, str]) -> None:
    detail = f"the image URL answered {status} {responses.get(status, '')}".rstrip()
    if status in TEMPORARY_STATUSES:
        raise ImageServerUnavailable(detail, wait_s=_wait_s(headers.get(b"retry-after", "")))
    if status != HTTPStatus.OK:
        raise ImageUrlFailed(detail)


def _wait_s(retry_after: str) -> float | None:
    """Return the seconds that a Retry-After header gives, directly or by a date, or None."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _check_encoding(headers: dict[bytes, str]) -> None:
    # Nothing is decompressed here: a few kilobytes of gzip can expand to gigabytes. The request asks for `identity`.
    if headers.get(b"content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise ImageUrlFailed(
            "the response of the image URL is compressed, although the request asked for an uncompressed one"
        )


def _too_large(limit: int) -> LookalikeError:
    return ImageTooLarge(f"the image URL returns more than the limit of {limit:,} bytes")


def _reason(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text.removeprefix("[Errno ").split("] ", 1)[-1]
