"""Two shards as processes, and the router in a thread."""

import asyncio
import threading
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nx_27017.server import handle_client

from tests.support.servers.mongo import MongoStandIn, wait_for
from tests.support.sharded.chunks import CHUNKS
from tests.support.sharded.router import Router
from tests.support.waiting import WITHIN_S

SHARDED = frozenset({"products", "images", "seen_images"})
NOOP_S = 1.0
THREADS = 64


@dataclass(frozen=True)
class Cluster:
    """A running cluster."""

    url: str
    router: Router
    shards: Sequence[MongoStandIn]

    def move_all(self, to: int) -> int:
        """Move every chunk to a shard; return how many documents moved."""
        return sum(self.router.move(chunk, to) for chunk in range(CHUNKS))


@contextmanager
def sharded_mongo(folder: Path, sharded: Collection[str] = SHARDED, noop_s: float = NOOP_S) -> Iterator[Cluster]:
    """Run a cluster of two shards for as long as the block lasts."""
    shards = []
    for number in range(2):
        (folder / f"shard{number}").mkdir()
        shards.append(MongoStandIn(folder / f"shard{number}"))
    try:
        for shard in shards:
            shard.start()
        router = Router([shard.url for shard in shards], sharded, noop_s)
        with _served(router) as url:
            wait_for(url)
            yield Cluster(url, router, shards)
        router.close()
    finally:
        for shard in shards:
            shard.stop()


@contextmanager
def _served(router: Router) -> Iterator[str]:
    """Serve a router in a thread; give its address."""
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS))
    connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await handle_client(reader, writer, router)
        finally:
            connections.discard(task)

    thread = threading.Thread(target=loop.run_forever, name="router", daemon=True)
    thread.start()
    starting = asyncio.run_coroutine_threadsafe(asyncio.start_server(connected, "127.0.0.1", 0), loop)
    server = starting.result(WITHIN_S)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"mongodb://127.0.0.1:{port}"
    finally:

        async def end() -> None:
            server.close()
            for task in connections.copy():
                task.cancel()
            await asyncio.gather(*connections.copy(), return_exceptions=True)
            await loop.shutdown_default_executor()

        asyncio.run_coroutine_threadsafe(end(), loop).result(WITHIN_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(WITHIN_S)
        loop.close()
