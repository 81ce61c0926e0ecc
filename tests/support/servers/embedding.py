"""The embedding service for tests: as an app in this process, or as another process."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi.testclient import TestClient

from services.contracts.wire.framing import FRAMED, pack
from tests.support.pictures import images
from tests.support.servers.tfs import ScriptedServing, manifest
from tests.support.waiting import PATIENT, WITHIN_S, eventually
from tests.support.web.ports import free_port

ROOT = Path(__file__).resolve().parents[3]
RAW = {"Content-Type": "image/jpeg"}
BATCH = {"Content-Type": FRAMED}


def write_model(folder: Path, version: int = 1, **changes: Any) -> Path:
    """Write the files of a model directory that the service reads; return the directory."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "saved_model.pb").touch()
    facts = {"thresholds": {"min_score": 0.5}, **changes}
    (folder / "manifest.json").write_text(manifest(version, **facts).model_dump_json())
    return folder


def problem(response: Any, status: int, slug: str) -> dict[str, Any]:
    """Check a problem document and return it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["type"] == f"/problems/{slug}"
    assert document["status"] == status
    assert document["detail"]
    assert document["request_id"] == response.headers["x-request-id"]
    return document


@dataclass
class Service:
    """The service as an app, and its scripted TensorFlow Serving."""

    client: TestClient
    serving: ScriptedServing

    @property
    def readiness(self) -> Any:
        """The document of /readyz."""
        return self.client.get("/readyz").json()

    def embed(self, body: bytes, kind: str = "image/jpeg") -> Any:
        """Send one image as the body."""
        return self.client.post("/v1/embed", content=body, headers={"Content-Type": kind})

    def batch(self, files: Iterable[bytes], **params: str) -> Any:
        """Send files as a batch."""
        return self.client.post("/v1/embed/batch", params=params, content=pack(files), headers=BATCH)


@dataclass
class EmbeddingProcess:
    """A running embedding service: its process, an HTTP client and its log."""

    process: subprocess.Popen[bytes]
    http: httpx.Client
    log: Path

    @property
    def resident_mb(self) -> float:
        """Memory in use, in MB (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) / 1000 for line in status.splitlines() if line.startswith("VmRSS"))

    def ready(self) -> bool:
        """Whether /readyz has the status 200."""
        try:
            return self.http.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def wait_until_ready(self) -> None:
        """Wait until images can be embedded; fail with the log if the process has exited."""

        def is_ready() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            return self.ready()

        eventually(is_ready)


@contextmanager
def running_embedding(model_dir: Path, tfs_address: str, **settings: str) -> Iterator[EmbeddingProcess]:
    """Run the service during the block, and wait until it is alive. `settings` are environment variables."""
    port = free_port()
    environment = {
        **PATIENT,
        **os.environ,
        "EMBEDDING_PORT": str(port),
        "EMBEDDING_MODEL_DIR": str(model_dir),
        **settings,
    }
    environment["TFS_ADDRESS"] = tfs_address
    with tempfile.TemporaryDirectory(prefix="lookalike-embedding-") as folder:
        log = Path(folder) / "log"
        command = [sys.executable, "-m", "services.embedding"]
        with log.open("wb") as file:
            process = subprocess.Popen(command, env=environment, stdout=file, stderr=file, cwd=ROOT)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=WITHIN_S, trust_env=False) as http:
            running = EmbeddingProcess(process, http, log)
            try:
                eventually(lambda: _alive(running))
                yield running
            finally:
                process.kill()
                process.wait()


def wait_until_serves(url: str, model: str) -> None:
    """Wait until the service at an address embeds images with a model, such as `fashion/2`."""
    with httpx.Client(base_url=url, timeout=WITHIN_S, trust_env=False) as http:

        def is_served() -> bool:
            response = http.post("/v1/embed", params={"model": model}, content=images.jpeg(), headers=RAW)
            assert response.status_code in (200, 404, 503), response.text
            return response.status_code == httpx.codes.OK

        eventually(is_served)


def _alive(running: EmbeddingProcess) -> bool:
    assert running.process.poll() is None, running.log.read_text()
    try:
        return running.http.get("/livez").status_code == 200
    except httpx.TransportError:
        return False
