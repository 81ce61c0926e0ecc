"""A real Milvus server for tests, where `python -m tools.milvus_server` has installed it."""

import fcntl
import importlib.util
import logging
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from services.index.milvus.collection import MilvusCollection, MilvusOptions, MilvusServer
from tests.support.servers.stack import ROOT
from tests.support.waiting import WITHIN_S, eventually
from tests.support.web.ports import free_port
from tools.milvus_server import PYTHON

IS_INSTALLED = PYTHON.exists() and importlib.util.find_spec("pymilvus") is not None
needs_milvus = pytest.mark.skipif(
    not IS_INSTALLED,
    reason="no Milvus: pip install pymilvus, and python -m tools.milvus_server (400 MB, Linux on x86-64)",
)


class MilvusProcess:
    """A Milvus server on a free port, with its data in a folder. After `kill`, `start` continues with them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "tools.milvus_server", "run", str(self._folder), str(self.port)]
        with (self._folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        eventually(self.responds)

    @property
    def pid(self) -> int:
        """The id of the running process."""
        assert self.process is not None
        return self.process.pid

    def responds(self) -> bool:
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # it logs every failed call with its stack
        from pymilvus import MilvusClient

        assert self.process is not None
        assert self.process.poll() is None, (self._folder / "server.log").read_text()[-2000:]
        try:
            client = MilvusClient(uri=self.uri, timeout=1)
            client.list_collections(timeout=1)
            client.close()
        except Exception:
            return False
        return True

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End the server. Milvus needs seconds to stop by itself, and has to survive being killed anyway."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(WITHIN_S)
            self.process = None

    def options(self, **others: object) -> MilvusOptions:
        return MilvusOptions(self.uri, **others)  # type: ignore[arg-type]

    def connection(self, **others: object) -> MilvusServer:
        return MilvusServer(self.options(**others))


def build_index(collection: MilvusCollection) -> None:
    """Let Milvus build the index of all rows now, and wait until it has. New rows are searched without one."""

    def is_built(client: Any) -> bool:
        return not int(client.describe_index(collection.name, "vector").get("pending_index_rows", 0))

    collection.server.call(lambda client: client.flush(collection.name, timeout=WITHIN_S))
    eventually(lambda: collection.server.call(is_built))


@contextmanager
def running_milvus(folder: Path) -> Iterator[MilvusProcess]:
    """Run a server for as long as the block lasts. A machine has one at a time: the etcd inside has fixed ports."""
    with (Path(tempfile.gettempdir()) / "lookalike-milvus.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = MilvusProcess(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
