"""The processes: started, killed with SIGKILL and restarted."""

import asyncio
import re
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import orjson

from tests.faults import comparison
from tests.faults.availability import Availability
from tests.faults.plan import Kill
from tests.support.servers.import_stack import ImportStack, running_import_stack
from tests.support.servers.index import IndexProcess
from tests.support.servers.milvus import MilvusProcess, running_milvus
from tests.support.servers.mongo import wait_for
from tests.support.waiting import WITHIN_S, eventually

SNAPSHOT_S = 2.0
PAUSE_S = 1.0  # between two imports
Restart = Callable[[Kill], Any]


class Servers:
    """The database stand-in, the index and the gateway, and the counts of their kills and restarts."""

    def __init__(
        self,
        stack: ImportStack,
        index: IndexProcess,
        availability: Availability,
        snapshots: Path,
        milvus: MilvusProcess | None = None,
    ) -> None:
        self.stack = stack
        self.index = index
        self.availability = availability
        self.snapshots = snapshots
        self.milvus = milvus
        self.killed = {"index": 0, "database": 0} | ({} if milvus is None else {"milvus": 0})
        if "gateway" in stack.running:
            self.killed["gateway"] = 0
        self.restarts = 0
        self._turns = {kind: asyncio.Lock() for kind in self.killed}

    async def kill(self, kill: Kill) -> None:
        """Kill a server, wait, and restart it; return when it answers."""
        end_database = self.stack.stop if kill.is_stop else self.stack.kill
        ways: dict[str, tuple[Callable[[], None], Restart]] = {
            "database": (lambda: end_database("mongo"), self._start_database),
            "index": (lambda: self.index.stop(signal.SIGKILL), self._start_index),
            "gateway": (lambda: self.stack.kill("gateway"), self._start_gateway),
        }
        if self.milvus is not None:
            ways["milvus"] = (self.milvus.stop, self._start_milvus)
        end, begin = ways[kill.kind]
        async with self._turns[kill.kind]:
            self.availability.stopped(kill.kind)
            await asyncio.to_thread(end)
            self.killed[kill.kind] += 1
            await asyncio.sleep(kill.down_s)
            await begin(kill)
            self.restarts += 1
            self.availability.started(kill.kind)

    async def _start_database(self, _: Kill) -> None:
        self.stack.start("mongo")
        await asyncio.to_thread(wait_for, self.stack.mongo_url)

    async def _start_gateway(self, _: Kill) -> None:
        self.stack.start("gateway")
        await self.wait_alive()

    async def wait_alive(self) -> None:
        """Return when the gateway answers."""
        address = f"{self.stack.gateway_url}/livez"
        await asyncio.to_thread(eventually, lambda: _answers(address))

    async def _start_milvus(self, _: Kill) -> None:
        milvus = self.milvus
        if milvus is not None:  # it loads its collections after it responds
            await asyncio.to_thread(milvus.start)
            await asyncio.to_thread(eventually, lambda: comparison.is_searchable(milvus))

    async def _start_index(self, kill: Kill) -> None:
        for path in self.snapshots.glob("*.snapshot"):
            spoil(path, kill.snapshot)
        await asyncio.to_thread(self.index.start)
        await self.wait_ready()

    async def wait_ready(self) -> None:
        """Return when the index is ready: it may wait for the database."""
        async with httpx.AsyncClient(base_url=self.index.url, trust_env=False) as http, asyncio.timeout(WITHIN_S):
            while (await http.get("/readyz")).status_code != httpx.codes.OK:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    def log_counts(self) -> dict[str, int]:
        """Return the counts of some events in the index's log, over all starts."""
        log = self.index.log()  # a killed process may leave half a line before the next one's first
        events = re.findall(r'"event": ?"(\w+)"', log)
        named = {
            "loads from the database": "index_loaded",
            "resumed from a snapshot": "snapshot_loaded",
            "snapshots found damaged": "snapshot_unusable",
        }
        counts = {name: events.count(event) for name, event in named.items()}
        return {**counts, "documents repaired by comparing": sum(map(int, re.findall(r'"drifted": ?(\d+)', log)))}


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def spoil(path: Path, how: str) -> None:
    """Remove a snapshot, or flip one bit of it."""
    if how == "removed":
        path.unlink()
    elif how == "damaged":
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)


@asynccontextmanager
async def running_servers(folder: Path, names: tuple[str, ...], engine: str = "faiss") -> AsyncIterator[Servers]:
    """Run the stack's processes of these names and the index, ready, for as long as the block."""
    snapshots = folder / "snapshots"
    settings = {"INDEX_SNAPSHOT_DIR": str(snapshots), "INDEX_SNAPSHOT_S": str(SNAPSHOT_S), "INDEX_LOG_JSON": "true"}
    with ExitStack() as exits:
        stack = exits.enter_context(running_import_stack(folder, names))
        milvus = exits.enter_context(running_milvus(folder / "milvus")) if engine == "milvus" else None
        if milvus is not None:
            settings |= {"INDEX_ENGINE": "milvus", "INDEX_MILVUS_URI": milvus.uri, "INDEX_SEARCH_TIMEOUT_S": "10"}
        index = IndexProcess(folder, stack.mongo_url, **settings)
        servers = Servers(stack, index, Availability(), snapshots, milvus)
        try:
            await asyncio.to_thread(index.start)
            await servers.wait_ready()
            if "gateway" in names:
                await servers.wait_alive()
            yield servers
        finally:
            await asyncio.to_thread(index.stop)
            index.http.close()


class Importer:
    """`lookalike import` of a feed that changes, again and again."""

    def __init__(self, stack: ImportStack, feed: Any, journal: Any) -> None:
        """Import nothing yet. `feed` writes the file and returns its writes, which `journal` records."""
        self.killed = self.runs = self.rows = 0
        self._stack = stack
        self._feed = feed
        self._journal = journal
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = asyncio.Lock()

    async def run(self, ending: asyncio.Event) -> None:
        """Import until `ending` is set; the last import is not killed."""
        while not ending.is_set():
            await self.once()
            with suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), PAUSE_S)

    async def once(self) -> None:
        """Change the feed and import it.

        Raises:
            AssertionError: the import failed, without having been killed.
        """
        writes = await asyncio.to_thread(self._feed.write)
        self._journal.begin(writes)
        path = self._feed.path
        self._process = self._stack.begin("lookalike", path, "--wait", f"{WITHIN_S:g}", cwd=path.parent)
        out, errors = await asyncio.to_thread(self._process.communicate)
        status = self._process.returncode
        self._process = None
        if status == -signal.SIGKILL:
            return
        assert status == 0, f"the import ended with {status}: {out.decode()} {errors.decode()}"
        summary = orjson.loads(out)
        self.runs += 1
        self.rows += summary["imported"] + summary["updated"]
        self._journal.acknowledge(writes, time.monotonic())

    async def kill(self, kill: Kill) -> None:
        """Kill an import while it runs."""
        async with self._turn:  # each kill ends an import of its own
            before = self.killed
            while self.killed == before:
                await asyncio.sleep(0.5 + kill.down_s)
                if self._process is not None and self._process.poll() is None:
                    self._process.kill()
                    self.killed += 1
