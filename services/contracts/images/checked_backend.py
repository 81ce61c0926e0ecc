"""Opens connections only to public addresses, or to servers that are allowed by name.

A name is resolved once, all its addresses must be public, and the connection goes to one of these addresses. A redirect
or a second DNS response therefore cannot lead elsewhere.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable

import httpcore

from services.contracts.images.addresses import is_public

Resolver = Callable[[str, int], Awaitable[list[str]]]
MAX_ADDRESSES = 4
CONNECT_S = 2.0  # leaves time for the next address if one does not respond


class AddressRefused(Exception):
    """A host is not public. httpcore does not wrap exceptions that it does not know."""


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a name from the system's resolver, in its order, without duplicates.

    Raises:
        OSError: the name does not exist, or the resolver does not respond.
    """
    entries = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Opens TCP connections only to public addresses; the servers in `allowed` may have any address."""

    def __init__(self, resolver: Resolver, allowed: Iterable[str]) -> None:
        """Set the allowed servers, as `host:port`.

        Raises:
            ValueError: an entry is not `host:port`.
        """
        self._resolve = resolver
        self._allowed = frozenset(map(_normalised, allowed))
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
        # The text does not contain the address: it would reveal the internal network.
        if _endpoint(host, port) not in self._allowed and not all(map(is_public, addresses)):
            raise AddressRefused(f"{host} is not a public host")
        return addresses[:MAX_ADDRESSES]


def _endpoint(host: str, port: int) -> str:
    return f"{host.strip('[]').rstrip('.').lower()}:{port}"


def _normalised(entry: str) -> str:
    host, _, port = entry.strip().rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"{entry!r} is not host:port")
    return _endpoint(host, int(port))
