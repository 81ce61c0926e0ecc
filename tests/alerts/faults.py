"""The faults of the fault run, and the alerts that each raises."""

import asyncio
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import psutil  # type: ignore[import-untyped]

from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.notes import LAST_BACKUP
from services.local.stack import Stack
from services.sample_shop.catalogue import sample_query
from tests.alerts.index_faults import node_of_another_model, unreported_write
from tests.load.processes import processes
from tests.support.pictures import images
from tests.support.servers.stack import JPEG, ROOT, stopped
from tests.support.waiting import eventually

# What a machine without free processors raises at any time.
OF_THE_MACHINE = {"LookalikeEventLoopBlocked", "LookalikeSearchSlow"}
FAILING = {"LookalikeSearchErrors", "LookalikeUpstreamErrors"}
VARIABLES = {
    **{"INDEX_SNAPSHOT_S": "2", "INDEX_RECONCILE_S": "10"},  # so that a full disk and drift show soon
    "GATEWAY_EVENTS_ENABLED": "true",
}
CROWD = 120  # searches at once; the gateway has 64 places
PHOTO = "photo.jpg"
DOWN_S = 10.0  # longer than the wait of LookalikeServiceDown in the run


@dataclass(frozen=True)
class Fault:
    """A fault, how long it lasts, and the alerts that it raises."""

    name: str
    make: Callable[[Stack], AbstractContextManager[object]]
    seconds: float
    alerts: frozenset[str]


def without(process: str) -> Callable[[Stack], AbstractContextManager[object]]:
    """Stop a process of the stack."""
    return lambda stack: stopped(stack, process)


def halting(name: str, stopped_s: float, running_s: float) -> Callable[[Stack], AbstractContextManager[object]]:
    """Stop a process with SIGSTOP and continue it, again and again."""

    @contextmanager
    def fault(stack: Stack) -> Iterator[None]:
        end, process = threading.Event(), processes(stack)[name]

        def run() -> None:
            while not end.is_set():
                process.suspend()
                end.wait(stopped_s)
                process.resume()
                end.wait(running_s)

        with _thread(run, end):
            yield

    return fault


@contextmanager
def crowd(stack: Stack) -> Iterator[None]:
    """Search by photo from more clients at once than there are places."""
    end, photo = threading.Event(), sample_query(3)

    async def search(http: httpx.AsyncClient) -> None:
        while not end.is_set():
            response = await http.post("/v1/search", content=photo, headers=JPEG)
            await asyncio.sleep(0.05 if response.is_success else 0.5)

    async def together() -> None:
        limits = httpx.Limits(max_connections=CROWD)
        url = stack.settings.gateway_url
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False, limits=limits) as http:
            await asyncio.gather(*(search(http) for _ in range(CROWD)))

    with _thread(lambda: asyncio.run(together()), end):
        yield


@contextmanager
def pictures_of_nothing(stack: Stack) -> Iterator[None]:
    """Search by pictures without clothing, more often than others search by photos of it."""
    end, picture = threading.Event(), images.flat_png(80, 80)

    def run() -> None:
        with httpx.Client(base_url=stack.settings.gateway_url, timeout=20, trust_env=False) as http:
            while not end.wait(0.05):
                http.post("/v1/search", content=picture, headers={"Content-Type": "image/png"})

    with _thread(run, end):
        yield


@contextmanager
def events_without_database(stack: Stack) -> Iterator[None]:
    """Send events while the database is stopped."""
    end = threading.Event()
    click = {"action_name": "click", "event_attributes": {"object": {"object_id": "p"}}}

    def run() -> None:
        with httpx.Client(base_url=stack.settings.gateway_url, timeout=20, trust_env=False) as http:
            while not end.wait(0.2):
                http.post("/v1/events", json=click)

    with stopped(stack, "mongo"), _thread(run, end):
        yield


@contextmanager
def index_without_its_sources(stack: Stack) -> Iterator[None]:
    """Start the index without a snapshot while the database is stopped."""
    with stopped(stack, "mongo"):
        with stopped(stack, "index"):
            shutil.rmtree(stack.settings.state_dir / "snapshots")
            time.sleep(DOWN_S)
        yield


@contextmanager
def full_disk(stack: Stack) -> Iterator[None]:
    """Let every write of the index to a file fail, and change a product, so that there is something to write."""
    process: psutil.Process = processes(stack)["index"]
    _, hard = process.rlimit(psutil.RLIMIT_FSIZE)
    process.rlimit(psutil.RLIMIT_FSIZE, (0, hard))
    try:
        _import(stack, _feed("changed"))
        yield
    finally:
        process.rlimit(psutil.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def rejecting_import(stack: Stack) -> Iterator[None]:
    """Import a feed whose images do not exist."""
    _import(stack, "id,image_url\n" + "".join(f"r{row},http://127.0.0.1:1/{row}.jpg\n" for row in range(5)))
    yield
    _import(stack, _feed("whole"))


@contextmanager
def killed_import(stack: Stack) -> Iterator[None]:
    """Kill an import."""
    process = _begin_import(stack, _feed(*(f"killed-{row}" for row in range(20_000))))
    eventually(lambda: _is_importing(stack))
    process.kill()
    process.wait()
    yield
    _import(stack, _feed("whole"))


@contextmanager
def old_import(stack: Stack) -> Iterator[None]:
    """Date the last import back by four days."""
    _import(stack, _feed("whole"))

    async def date_back(database: CatalogueDatabase) -> None:
        for record in await database.notes.list_imports(100):
            times = {name: _earlier(record[name]) for name in ("started_at", "finished_at") if record.get(name)}
            await database.notes.put_import(record["id"], {**record, **times})

    _with_database(stack, date_back)
    yield
    _import(stack, _feed("whole"))


@contextmanager
def old_backup(stack: Stack) -> Iterator[None]:
    """Write down that the last backup was four days ago."""

    async def date_back(database: CatalogueDatabase) -> None:
        await database.notes.put(LAST_BACKUP, {"begun_at": _earlier(datetime.now(UTC).isoformat())})

    _with_database(stack, date_back)
    yield


FAULTS = (
    Fault("none", lambda _: nullcontext(), 30, frozenset()),
    Fault("MongoDB is stopped", without("mongo"), 50, frozenset({"LookalikeDatabaseDown", "LookalikeIndexStale"})),
    Fault(
        "MongoDB is stopped while events are sent",
        events_without_database,
        60,
        frozenset({"LookalikeDatabaseDown", "LookalikeIndexStale", "LookalikeEventsLost"}),
    ),
    Fault("TensorFlow Serving is stopped", without("tfs"), 40, frozenset({"LookalikeNetworkUnavailable", *FAILING})),
    Fault("embedding is stopped", without("embedding"), 40, frozenset({"LookalikeServiceDown", *FAILING})),
    Fault(
        "the index is stopped",
        without("index"),
        40,
        frozenset({"LookalikeServiceDown", "LookalikeIndexNodeDown", *FAILING}),
    ),
    Fault(
        "TensorFlow Serving stands still for 2 s, again and again",
        halting("tfs", 2, 0.2),
        80,
        frozenset({"LookalikeSearchSlow"}),
    ),
    Fault(
        "the gateway has a tenth of its time",
        halting("gateway", 0.9, 0.1),
        60,
        frozenset({"LookalikeEventLoopBlocked"}),
    ),
    Fault("120 searches at once", crowd, 80, frozenset({"LookalikeRequestsRefused"})),
    Fault("pictures without clothing", pictures_of_nothing, 270, frozenset({"LookalikeNoClothing"})),
    Fault(
        "the index starts without database and snapshot",
        index_without_its_sources,
        100,
        frozenset(
            {
                *("LookalikeServiceDown", "LookalikeIndexNotReady", "LookalikeIndexNodeDown", "LookalikeDatabaseDown"),
                *FAILING,
            }
        ),
    ),
    Fault("a feed without images is imported", rejecting_import, 40, frozenset({"LookalikeImportRejectsRows"})),
    Fault("an import is killed", killed_import, 60, frozenset({"LookalikeImportFailed"})),
    Fault("the last import was four days ago", old_import, 40, frozenset({"LookalikeImportOld"})),
    Fault("the index's disk is full", full_disk, 40, frozenset({"LookalikeSnapshotFails"})),
    Fault(
        "an index node has another model",
        node_of_another_model,
        40,
        frozenset({"LookalikeIndexModelsDiffer", "LookalikeSearchErrors"}),
    ),
    Fault("a write without a change event", unreported_write, 40, frozenset({"LookalikeIndexDrift"})),
    Fault("the last backup was four days ago", old_backup, 40, frozenset({"LookalikeBackupOld"})),
)


def _with_database(stack: Stack, change: Callable[[CatalogueDatabase], Awaitable[None]]) -> None:
    async def run() -> None:
        async with CatalogueDatabase(stack.settings.mongo_url, "lookalike") as database:
            await change(database)

    asyncio.run(run())


def _earlier(moment: str) -> str:
    return (datetime.fromisoformat(moment) - timedelta(days=4)).isoformat()


def _feed(*ids: str) -> str:
    """Return a feed of products that all have the same photo, which lies next to the feed."""
    return "id,image\n" + "".join(f"{product},{PHOTO}\n" for product in ids)


def _import(stack: Stack, text: str) -> None:
    """Import a feed in CSV with the program."""
    _begin_import(stack, text).wait()


def _begin_import(stack: Stack, text: str) -> subprocess.Popen[bytes]:
    settings = stack.settings
    feed = settings.state_dir / "feed.csv"
    feed.write_text(text)
    (settings.state_dir / PHOTO).write_bytes(sample_query(3))
    addresses = {"MONGO_URL": settings.mongo_url, "EMBEDDING_URL": settings.embedding_url}
    command = [sys.executable, "-m", "services.cli.main", "import", str(feed)]
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(command, env={**os.environ, **addresses}, cwd=ROOT, stdout=nowhere, stderr=nowhere)


def _is_importing(stack: Stack) -> bool:
    with httpx.Client(base_url=stack.settings.gateway_url, timeout=20, trust_env=False) as http:
        return any(record["state"] == "running" for record in http.get("/v1/imports").json()["imports"])


@contextmanager
def _thread(run: Callable[[], None], end: threading.Event) -> Iterator[None]:
    """Run a thread until the block ends."""
    with ExitStack() as cleanup:
        thread = threading.Thread(target=run)
        thread.start()
        cleanup.callback(thread.join)
        cleanup.callback(end.set)
        yield
