"""A MongoDB for tests: the one that `MONGO_URL` names, with a database of its own, or a private stand-in."""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymongo
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from tests.support.servers.stack import ROOT
from tests.support.waiting import WITHIN_MS, WITHIN_S, eventually
from tests.support.web.ports import free_port


@dataclass
class MongoStandIn:
    """A stand-in of a test's own, on a free port, that can be killed and started again over the same data."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}"

    @contextmanager
    def products(self) -> Iterator[Collection[dict[str, Any]]]:
        """The collection of products, as another program writes to it."""
        client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(self.url)
        with client:
            yield client["lookalike"]["products"]

    def start(self) -> None:
        command = [sys.executable, "-m", "services.local.mongo", "--data-dir", str(self.folder / "data")]
        command += ["--port", str(self.port)]
        with (self.folder / "out").open("ab") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT)
        wait_for(self.url)

    def kill(self) -> None:
        """SIGKILL: nothing is closed or written."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(WITHIN_S)
            self.process = None


def wait_for(url: str) -> None:
    """Return when a server answers there."""
    client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(url, serverSelectionTimeoutMS=500)

    def answers() -> bool:
        try:
            client.admin.command("ping")
        except PyMongoError:
            return False
        return True

    with client:
        eventually(answers)


@contextmanager
def private_mongo(folder: Path) -> Iterator[MongoStandIn]:
    """Run a stand-in for as long as the block lasts."""
    server = MongoStandIn(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def any_mongo(folder: Path) -> Iterator[str]:
    """Give the address of the server that `MONGO_URL` names, else of a private stand-in."""
    named = os.environ.get("MONGO_URL")
    if named:
        yield named
        return
    with private_mongo(folder) as server:
        yield server.url


@contextmanager
def fresh_database(url: str) -> Iterator[str]:
    """Give the name of a database that is not there yet, and drop it afterwards."""
    name = f"test_{secrets.token_hex(6)}"
    try:
        yield name
    finally:
        client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(url, serverSelectionTimeoutMS=WITHIN_MS)
        with client:
            client.drop_database(name)
