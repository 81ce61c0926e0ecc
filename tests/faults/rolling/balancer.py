"""A Service of Kubernetes in small: new connections go to the pods that are ready, in turns; open ones stay."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

CHUNK = 65_536


class Balancer:
    """Balances connections over ports of this machine.

    Attributes:
        ports: of the pods that get new connections.
        port: of its own.
    """

    def __init__(self) -> None:
        self.ports: list[int] = []
        self.port = 0
        self._turn = 0
        self._connections: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Balancer"]:
        """Accept connections for as long as the block lasts."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._connections:
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        self._turn += 1
        try:
            with contextlib.suppress(OSError):
                pod = await asyncio.open_connection("127.0.0.1", self.ports[self._turn % len(self.ports)])
                await asyncio.gather(_copied(reader, pod[1]), _copied(pod[0], writer))
        finally:
            writer.close()
            self._connections.discard(task)


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass everything on until the end, and end the other side then."""
    try:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                writer.write(data)
                await writer.drain()
    finally:
        writer.close()
