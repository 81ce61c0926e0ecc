"""Opens connections to public addresses only, or to servers that are allowed by name.

The name is resolved once, every address it has must be public, and the connection goes to an address that was checked:
no redirect and no second DNS answer can slip past it.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable

import httpcore

from services.contracts.images.addresses import is_public

Resolver = Callable[[str, int], Awaitable[list[str]]]
MAX_ADDRESSES = 4
CONNECT_S = 2.0  # an address that does not answer must not use up the time of the next one


class AddressRefused(Exception):
    """Carries a refusal out of httpcore, which passes on exceptions that it does not know."""


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses the system's resolver gives for a name, in its order, without doubles.

    Raises:
        OSError: there is no such name, or no answer.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Opens TCP connections to checked addresses only; the servers in `allowed` may be anywhere."""

    def __init__(self, resolver: Resolver, allowed: Iterable[str]) -> None:
        """Remember the allowed servers, as `host:port`.

        Raises:
            ValueError: one is not `host:port`.
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
        # The address is left out of the text: it would tell a stranger what the inside of the network looks like.
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
