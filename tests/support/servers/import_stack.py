"""The processes that an import needs, with the tiny model: embedding and the stand-ins for the two servers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import pymongo

from services.local.supervisor import models_config, models_path, processes
from tests.support.servers.stack import ROOT, eventually, stack_settings
from tests.support.servers.tfs import copy_version

NEEDED = ("mongo", "tfs", "embedding")


@dataclass
class ImportStack:
    """The running processes, and ways to import into them and to look at what came of it."""

    embedding_url: str
    mongo_url: str
    commands: dict[str, tuple[tuple[str, ...], dict[str, str]]]
    log: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start one of the processes; it is not waited for."""
        command, environment = self.commands[name]
        with (self.log / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, env={**os.environ, **environment}, stdout=log, stderr=log, cwd=ROOT
            )

    def kill(self, name: str) -> None:
        """End one of the processes with SIGKILL."""
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def wait_ready(self, within_s: float = 110) -> None:
        """Wait until images can be embedded, if that is among what runs, and products stored."""

        def ready() -> bool:
            for name, process in self.running.items():
                assert process.poll() is None, (self.log / f"{name}.log").read_text()
            try:
                pymongo.MongoClient(self.mongo_url, serverSelectionTimeoutMS=200).admin.command("ping")
                if "embedding" not in self.running:
                    return True
                return httpx.get(self.embedding_url + "/readyz", trust_env=False, timeout=5).status_code == 200
            except (httpx.HTTPError, pymongo.errors.PyMongoError):
                return False

        eventually(ready, within_s)

    def begin(
        self, database: str, *arguments: str | Path, cwd: Path, command: str = "import"
    ) -> "subprocess.Popen[bytes]":
        """Start `lookalike import`, or another command, with these arguments, its summary as JSON on stdout."""
        environment = {
            **os.environ,
            "EMBEDDING_URL": self.embedding_url,
            "MONGO_URL": self.mongo_url,
            "MONGO_DATABASE": database,
            "PYTHONPATH": str(ROOT),
        }
        line = [sys.executable, "-m", "services.cli.main", command, *map(str, arguments), "--json"]
        return subprocess.Popen(line, env=environment, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, database: str, *arguments: str | Path, cwd: Path, command: str = "import") -> "Imported":
        """Run `lookalike import`, or another command, to its end."""
        return finish(self.begin(database, *arguments, cwd=cwd, command=command))

    def products(self, database: str) -> dict[Any, dict[str, Any]]:
        """Return the documents by `_id`."""
        client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(self.mongo_url)
        with client:
            return {document["_id"]: document for document in client[database]["products"].find()}

    def pictures(self, database: str) -> dict[str, bytes]:
        """Return the stored pictures by their products' keys."""
        client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(self.mongo_url)
        with client:
            return {document["_id"]: bytes(document["data"]) for document in client[database]["images"].find()}


@dataclass(frozen=True)
class Imported:
    """How an import ended: exit status, summary, what it said on stderr."""

    status: int
    summary: dict[str, Any]
    said: str

    def counts(self, *names: str) -> tuple[int, ...]:
        """Return some of the summary's counts."""
        return tuple(self.summary[name] for name in names)


def finish(process: "subprocess.Popen[bytes]", within_s: float = 60) -> Imported:
    """Wait for an import to end."""
    out, said = process.communicate(timeout=within_s)
    return Imported(process.returncode, orjson.loads(out) if out else {}, said.decode())


def wait_for_products(stack: ImportStack, database: str, at_least: int) -> None:
    """Wait until so many products are there."""
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(stack.mongo_url)
    with client:
        eventually(lambda: client[database]["products"].count_documents({}) >= at_least, within_s=30)


@contextmanager
def running_import_stack(folder: Path, names: Sequence[str] = NEEDED, within_s: float = 110) -> Iterator[ImportStack]:
    """Run the processes, ready, for as long as the block."""
    own = {"model_dir": copy_version(folder / "fashion", 1), "detector_dir": folder / "detector" / "1"}
    settings = stack_settings(folder).model_copy(update=own)
    for needed in ("log", "data/import"):
        (folder / needed).mkdir(parents=True, exist_ok=True)
    models_path(settings).write_text(models_config(settings))
    commands = {one.name: (one.command, one.environment) for one in processes(settings, "import")}
    stack = ImportStack(settings.embedding_url, settings.mongo_url, commands, folder / "log")
    try:
        for name in names:
            stack.start(name)
        stack.wait_ready(within_s)
        yield stack
    finally:
        for process in stack.running.values():
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 10
        for process in stack.running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
