"""Fetches an image from a URL that a stranger or a feed gave, without being led to the inside of the network.

The name is resolved once, every address it has must be public, and the connection goes to an address that was checked:
the check sits where the socket is opened, so no redirect and no second DNS answer can slip past it. There is one deadline
for everything and one bound on bytes. Whether the bytes are an image is for `imaging` to say.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from http.client import responses

import httpcore
import httpx

from services.contracts.addresses import is_public
from services.contracts.errors import ImageTooLarge, ImageUrlFailed, ImageUrlRefused, LookalikeError, UpstreamTimeout

Resolver = Callable[[str, int], Awaitable[list[str]]]
SCHEMES = {"http": 80, "https": 443}
REDIRECTS = frozenset({301, 302, 303, 307, 308})
HOST = re.compile(rb"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")  # a name (IDNA already), IPv4 or IPv6 without a zone
MAX_URL_LENGTH = 4096
MAX_ADDRESSES = 4
MAX_REDIRECTS = 5
START_BYTES = 64  # tell an image from what is none
CONNECT_S = 2.0  # an address that does not answer must not use up the time of the next one
USER_AGENT = "Lookalike/0.1 (image search; fetches product images)"
HEADERS: dict[bytes | str, bytes | str] = {
    "User-Agent": USER_AGENT,
    "Accept": "image/*",
    "Accept-Encoding": "identity",
}


class _Refused(Exception):
    """Carries a refusal out of httpcore, which passes on exceptions that it does not know."""


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses the system's resolver gives for a name, in its order, without doubles.

    Raises:
        OSError: there is no such name, or no answer.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Opens TCP connections to checked addresses only; names in `allowed` ("host:port") may be anywhere."""

    def __init__(self, resolver: Resolver, allowed: frozenset[str]) -> None:
        self._resolve = resolver
        self._allowed = allowed
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._checked(host, port)
        for number, address in enumerate(addresses, start=1):
            try:
                return await self._inner.connect_tcp(address, port, timeout or CONNECT_S, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(addresses):
                    raise
        raise httpcore.ConnectError("the name has no address")

    async def _checked(self, host: str, port: int) -> list[str]:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError):
            raise httpcore.ConnectError("the name cannot be resolved") from None
        # The address is left out of the text: it would tell a stranger what the inside of the network looks like.
        if _endpoint(host, port) not in self._allowed and not all(map(is_public, addresses)):
            raise _Refused(f"{host} is not a public host")
        return addresses[:MAX_ADDRESSES]


def _endpoint(host: str, port: int) -> str:
    return f"{host.strip('[]').rstrip('.').lower()}:{port}"


def _normalised(entry: str) -> str:
    host, _, port = entry.strip().rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"{entry!r} is not host:port")
    return _endpoint(host, int(port))


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
            network_backend=_CheckedBackend(resolver, frozenset(map(_normalised, allowed_hosts))),
        )

    async def close(self) -> None:
        """Close the pooled connections."""
        await self._pool.aclose()

    async def fetch(self, url: str) -> bytes:
        """Return the bytes at a URL, unjudged: they may be anything.

        Raises:
            ImageUrlRefused: not http or https, with credentials, not a URL, or a host that is not public.
            ImageUrlFailed: no such host, no connection, another status than 200, too many redirects, no bytes.
            ImageTooLarge: more bytes than the limit.
            UpstreamTimeout: not finished within the deadline.
        """
        return await self._guarded(url, start_only=False)

    async def probe(self, url: str) -> bytes:
        """Return the first bytes at a URL, which may lead to a page as well, to see whether it leads anywhere.

        Raises:
            LookalikeError: as `fetch`, but for the size.
        """
        return await self._guarded(url, start_only=True)

    async def _guarded(self, url: str, *, start_only: bool) -> bytes:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._follow(_parsed(url), start_only=start_only)
        except (TimeoutError, httpcore.TimeoutException):
            bound = f"{self._timeout_s:g} s"
            raise UpstreamTimeout(f"the image URL did not give its image in time: at most {bound}") from None
        except _Refused as error:
            raise ImageUrlRefused(f"the image URL may not be fetched: {error}") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
            raise ImageUrlFailed(f"the image URL's server could not be talked to: {_reason(error)}") from None

    async def _follow(self, url: httpx.URL, *, start_only: bool) -> bytes:
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._asked(url, start_only=start_only)
            if isinstance(answer, bytes):
                return answer
            url = _parsed(answer, url)
        raise ImageUrlFailed(f"the image URL redirects more than {MAX_REDIRECTS} times")

    async def _asked(self, url: httpx.URL, *, start_only: bool) -> bytes | str:
        """Ask once more where the connection broke: a server may close one that is kept open just as it is used again."""
        try:
            return await self._get(url, start_only=start_only)
        except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError):
            return await self._get(url, start_only=start_only)

    async def _get(self, url: httpx.URL, *, start_only: bool) -> bytes | str:
        """Return the body, or its start, or where a redirect leads."""
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        wanted = HEADERS | {"Accept": "*/*"} if start_only else HEADERS
        async with self._pool.stream("GET", target, headers=wanted) as response:
            headers = {name.lower(): value.decode("latin-1") for name, value in response.headers}
            if response.status in REDIRECTS and b"location" in headers:
                return headers[b"location"]
            _check_status(response.status)
            if start_only:
                return await _start(response)
            _check_encoding(headers)
            return await self._body(response, headers)

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


def _check_status(status: int) -> None:
    if status != HTTPStatus.OK:
        raise ImageUrlFailed(f"the image URL answered {status} {responses.get(status, '')}".rstrip())


def _check_encoding(headers: dict[bytes, str]) -> None:
    # Nothing is unpacked here: a few kilobytes of gzip can hold gigabytes. We asked for `identity`.
    if headers.get(b"content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise ImageUrlFailed("the image URL answered with a compressed body although none was asked for")


def _too_large(limit: int) -> LookalikeError:
    return ImageTooLarge(f"the image URL gives more than the {limit:,} bytes that are taken")


def _reason(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text.removeprefix("[Errno ").split("] ", 1)[-1]
