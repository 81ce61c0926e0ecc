"""The index service for tests: its app around a replica of the test, or a process with a database."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.middleware import Middleware

from services.contracts.domain.catalogues import DEFAULT_CATALOGUE
from services.contracts.domain.manifest import InputSize, Manifest, ManifestError
from services.contracts.domain.parts import WHOLE, Part
from services.contracts.web.app import make_app
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery
from services.engine.revision import Revision
from services.gateway.index_nodes.client import IndexClient
from services.index.app import readiness
from services.index.follow.follower import Follower
from services.index.metrics import IndexMetrics
from services.index.models.model_index import ModelIndex
from services.index.models.model_indexes import ModelIndexes
from services.index.models.note_file import ModelNoteFile
from services.index.replica.replica import Replica
from services.index.replica.writer import ReplicaWriter
from services.index.revision_field import RevisionMiddleware
from services.index.routes import router
from services.index.state import IndexState
from tests.support.servers.stack import ROOT
from tests.support.waiting import PATIENT, WITHIN_S, eventually
from tests.support.web.ports import free_port
from tests.support.web.service_transport import AnsweringTransport

CATEGORIES = ("Topwear", "Shoes", "Bags", "Bottomwear", "Watches", "Innerwear", "Jewellery", "Eyewear", "Socks")
MANIFEST = Manifest(
    name="fashion",
    version=1,
    architecture="none",
    input=InputSize(height=8, width=8),
    categories=CATEGORIES,
    dimension=64,
    unit_length=True,
    parameters=1,
    seed=0,
    command="tests",
    created="2026-01-01T00:00:00Z",
)


def write_model(folder: Path, version: int = 1) -> Path:
    """Write a model directory of which there is only what the index reads; return it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(MANIFEST.model_copy(update={"version": version}).model_dump_json())
    (folder / "saved_model.pb").touch()
    return folder


def app_around(
    replica: Replica | None,
    manifest: Manifest = MANIFEST,
    revision: Revision | None = None,
    /,
    **others: Replica | None,
) -> FastAPI:
    """Return the service's app without a database: it shows these replicas, or is still loading.

    Args:
        replica: of the default catalogue.
        manifest: the model's.
        revision: the replicas'; None if the engine does not say when it changes.
        others: of other catalogues, by their names.
    """
    held = replica.gallery.held if replica else frozenset(range(len(CATEGORIES)))
    part = replica.part if replica else WHOLE
    followers = {name: _follower(each) for name, each in {DEFAULT_CATALOGUE: replica, **others}.items()}
    metrics = IndexMetrics()
    models = ModelIndexes(manifest, _nothing_else, lambda _: followers, ModelNoteFile(None, ""))
    indexed = models._held[manifest.model_id] = ModelIndex(manifest, followers, revision)
    for catalogue in indexed.catalogues.values():
        catalogue.calibrator.calibrate()
    models._switch()
    metrics.show(models)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        with ThreadPoolExecutor(2) as threads:
            yield {"index": IndexState(models, held, threads, threads, 30.0, metrics, part, revision=revision)}

    return make_app(
        service="index",
        description="",
        routers=[router],
        lifespan=lifespan,
        readiness=readiness,
        metrics=metrics,
        max_body_bytes=100_000,
        inner_middleware=[] if revision is None else [Middleware(RevisionMiddleware, revision=revision)],
    )


def client_of(http: TestClient, name: str = "node") -> IndexClient:
    """Return the gateway's client of an index app that runs in this process."""

    def respond(request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        response = http.request(request.method, path, content=request.content, headers=dict(request.headers))
        return httpx.Response(response.status_code, content=response.content, headers=response.headers)

    return IndexClient(f"http://{name}", 10, transport=AnsweringTransport(respond))


def _follower(replica: Replica | None) -> Follower:
    follower = Follower(None, lambda: new_replica())  # type: ignore[arg-type]
    follower._writer = None if replica is None else ReplicaWriter(replica)
    return follower


def _nothing_else(model: str) -> Manifest:
    raise ManifestError(f"there is no {model}")


def new_replica(
    held: Collection[int] | None = None, part: Part = WHOLE, *, revision: Revision | None = None
) -> Replica:
    gallery = Gallery(len(CATEGORIES), 64, FaissFlat, held=held, revision=revision)
    return Replica(gallery, "fashion/1", "fashion/1", part)


class IndexProcess:
    """`python -m services.index` on a free port. `code` is the folder of its code, which may be another release's."""

    def __init__(
        self, folder: Path, mongo_url: str, database: str = "lookalike", *, code: str = str(ROOT), **settings: str
    ) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self._environment = {
            **PATIENT,
            "INDEX_POLL_S": "0.05",  # a stop waits for the thread that asks for changes
            **os.environ,
            "MONGO_URL": mongo_url,
            "MONGO_DATABASE": database,
            "INDEX_PORT": self.url.rpartition(":")[2],
            "INDEX_MODEL_DIR": str(write_model(folder / "model")),
            **settings,
        }
        self._log, self._code = folder / "index.log", code
        self.http = httpx.Client(base_url=self.url, timeout=WITHIN_S, trust_env=False)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "services.index"]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self._code, env=self._environment, stdout=log, stderr=log)
        eventually(lambda: self.answers("/livez"))

    def answers(self, path: str) -> bool:
        try:
            return self.http.get(path).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = self.http.get("/v1/status").json()
        return status

    def catalogue(self, name: str = DEFAULT_CATALOGUE) -> dict[str, Any]:
        """Return the status of a catalogue."""
        catalogue: dict[str, Any] = self.status()["catalogues"][name]
        return catalogue

    def search(self, vector: Any, category: int = 0, **more: Any) -> list[dict[str, Any]]:
        """Return the hits of a search."""
        body = {"category": category, "vector": [float(x) for x in vector], "model": "fashion/1", **more}
        answer = self.http.post("/v1/search", json=body)
        assert answer.status_code == httpx.codes.OK, answer.text
        hits: list[dict[str, Any]] = answer.json()["hits"]
        return hits

    def log(self) -> str:
        return self._log.read_text()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(WITHIN_S)
            self.process = None


@contextmanager
def running_index(
    folder: Path, mongo_url: str, database: str = "lookalike", *, code: str = str(ROOT), **settings: str
) -> Iterator[IndexProcess]:
    """Run an index service for as long as the block lasts; it need not be ready."""
    service = IndexProcess(folder, mongo_url, database, code=code, **settings)
    service.start()
    try:
        yield service
    finally:
        service.stop()
        service.http.close()
