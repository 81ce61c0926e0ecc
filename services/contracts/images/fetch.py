"""Fetches an image from a URL that a stranger or a feed gave, without being led to the inside of the network.

`checked_backend` opens the connections. There is one deadline for everything and one bound on bytes. Whether the bytes
are an image is for `imaging` to say.
"""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import responses

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

SCHEMES = {"http": 80, "https": 443}
REDIRECTS = frozenset({301, 302, 303, 307, 308})
# What a server answers that cannot do it just now: RFC 9110, section 15; RFC 6585, section 4; RFC 8470, section 5.2.
TEMPORARY_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
HOST = re.compile(rb"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")  # a name (IDNA already), IPv4 or IPv6 without a zone
VALIDATOR = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,254}")
MAX_URL_LENGTH = 4096
MAX_REDIRECTS = 5
START_BYTES = 64  # tell an image from what is none
USER_AGENT = "Lookalike/0.1 (image search; fetches product images)"
HEADERS: dict[bytes | str, bytes | str] = {
    "User-Agent": USER_AGENT,
    "Accept": "image/*",
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class Validators:
    """By what a server tells whether a picture is still the one that it gave: RFC 9110, section 8.8."""

    etag: str | None = None
    last_modified: str | None = None

    def __bool__(self) -> bool:
        """Whether there is anything to tell it by."""
        return self.etag is not None or self.last_modified is not None

    def headers(self) -> dict[bytes | str, bytes | str]:
        """Return the headers of a request that is answered with 304 if nothing has changed."""
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in named.items() if value is not None}


NO_VALIDATORS = Validators()


@dataclass(frozen=True, slots=True)
class FetchedImage:
    """The bytes at a URL, unjudged: they may be anything. None where they are still those of the validators given."""

    data: bytes | None
    validators: Validators


class ImageFetcher:
    """Fetches images by URL. One instance a process: it pools connections. No cookies, no proxies."""

    def __init__(
        self,
        max_bytes: int = 10 * 1024 * 1024,
        timeout_s: float = 5.0,
        allowed_hosts: Iterable[str] = (),
        max_connections: int = 32,
        resolver: Resolver = resolve,
    ) -> None:
        """Open nothing yet.

        Args:
            max_bytes: bound on one image's bytes.
            timeout_s: one deadline for all of a fetch: names, redirects and body.
            allowed_hosts: `host:port` of servers that may be fetched from although they are not public.
            max_connections: bound on open connections; more fetches wait, on their own deadline.
            resolver: name and port → addresses.

        Raises:
            ValueError: an entry of `allowed_hosts` is not `host:port`.
        """
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=max_connections,
            max_keepalive_connections=max_connections,
            keepalive_expiry=15.0,
            network_backend=CheckedBackend(resolver, allowed_hosts),
        )

    async def close(self) -> None:
        """Close the pooled connections."""
        await self._pool.aclose()

    async def fetch(self, url: str) -> bytes:
        """Return the bytes at a URL, unjudged: they may be anything.

        Raises:
            LookalikeError: as `get`.
        """
        return (await self.get(url)).data or b""

    async def get(self, url: str, known: Validators = NO_VALIDATORS) -> FetchedImage:
        """Return the bytes at a URL, unless they are still those that `known` came with.

        Raises:
            ImageUrlRefused: not http or https, with credentials, not a URL, or a host that is not public.
            ImageServerUnavailable: no such host, no connection, or a status that says that it may be had later.
            ImageUrlFailed: another status than 200, too many redirects, no bytes.
            ImageTooLarge: more bytes than the limit.
            UpstreamTimeout: not finished within the deadline.
        """
        return await self._guarded(url, known, start_only=False)

    async def probe(self, url: str) -> bytes:
        """Return the first bytes at a URL, which may lead to a page as well, to see whether it leads anywhere.

        Raises:
            LookalikeError: as `get`, but for the size.
        """
        return (await self._guarded(url, NO_VALIDATORS, start_only=True)).data or b""

    async def _guarded(self, url: str, known: Validators, *, start_only: bool) -> FetchedImage:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._follow(_parsed(url), known, start_only=start_only)
        except (TimeoutError, httpcore.TimeoutException):
            bound = f"{self._timeout_s:g} s"
            raise UpstreamTimeout(f"the image URL did not give its image in time: at most {bound}") from None
        except AddressRefused as error:
            raise ImageUrlRefused(f"the image URL may not be fetched: {error}") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
            raise ImageServerUnavailable(f"the image URL's server could not be talked to: {_reason(error)}") from None

    async def _follow(self, url: httpx.URL, known: Validators, *, start_only: bool) -> FetchedImage:
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._asked(url, known, start_only=start_only)
            if isinstance(answer, FetchedImage):
                return answer
            url = _parsed(answer, url)
        raise ImageUrlFailed(f"the image URL redirects more than {MAX_REDIRECTS} times")

    async def _asked(self, url: httpx.URL, known: Validators, *, start_only: bool) -> FetchedImage | str:
        """Ask once more where the connection broke: a server may close one that is kept open just as it is used again."""
        try:
            return await self._get(url, known, start_only=start_only)
        except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError):
            return await self._get(url, known, start_only=start_only)

    async def _get(self, url: httpx.URL, known: Validators, *, start_only: bool) -> FetchedImage | str:
        """Return the body, or its start, or where a redirect leads."""
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        wanted = HEADERS | ({"Accept": "*/*"} if start_only else known.headers())
        async with self._pool.stream("GET", target, headers=wanted) as response:
            headers = {name.lower(): value.decode("latin-1") for name, value in response.headers}
            if response.status in REDIRECTS and b"location" in headers:
                return headers[b"location"]
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
            raise ImageUrlFailed("the image URL gave an empty answer")
        return bytes(body)


def _parsed(text: str, base: httpx.URL | None = None) -> httpx.URL:
    if len(text) > MAX_URL_LENGTH:
        raise ImageUrlRefused(f"the image URL is longer than {MAX_URL_LENGTH} characters")
    try:
        url = httpx.URL(text) if base is None else base.join(text)
        host = url.raw_host
    except (httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise ImageUrlRefused(f"the image URL is not a valid URL: {error}") from None
    if url.scheme not in SCHEMES:
        raise ImageUrlRefused("the image URL must begin with http:// or https://")
    if not HOST.fullmatch(host):
        raise ImageUrlRefused("the image URL names no valid host")
    if url.userinfo:
        raise ImageUrlRefused("the image URL must not hold a user name or password")
    return url


async def _start(response: httpcore.Response) -> bytes:
    start = bytearray()
    async for part in response.aiter_stream():
        start += part[:START_BYTES]
        if len(start) >= START_BYTES:
            break
    if not start:
        raise ImageUrlFailed("the image URL gave an empty answer")
    return bytes(start)


def _validators(headers: dict[bytes, str]) -> Validators:
    """Return what an answer may be recognised by; what no request could hold again is left out."""
    found = (headers.get(name, "") for name in (b"etag", b"last-modified"))
    return Validators(*(value if VALIDATOR.fullmatch(value) else None for value in found))


def _check_status(status: int, headers: dict[bytes, str]) -> None:
    said = f"the image URL answered {status} {responses.get(status, '')}".rstrip()
    if status in TEMPORARY_STATUSES:
        raise ImageServerUnavailable(said, wait_s=_wait_s(headers.get(b"retry-after", "")))
    if status != HTTPStatus.OK:
        raise ImageUrlFailed(said)


def _wait_s(retry_after: str) -> float | None:
    """Return the seconds that a Retry-After header names, itself or by a date; None where it names none."""
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
    # Nothing is unpacked here: a few kilobytes of gzip can hold gigabytes. We asked for `identity`.
    if headers.get(b"content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise ImageUrlFailed("the image URL answered with a compressed body although none was asked for")


def _too_large(limit: int) -> LookalikeError:
    return ImageTooLarge(f"the image URL gives more than the {limit:,} bytes that are taken")


def _reason(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text.removeprefix("[Errno ").split("] ", 1)[-1]
