"""The processes that an import needs, with the tiny model: embedding and the stand-ins for the two servers."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import pymongo

from services.local.supervisor import models_config, models_path, processes
from tests.support.servers.commands import run_command
from tests.support.servers.stack import ROOT, stack_settings
from tests.support.servers.tfs import copy_version
from tests.support.waiting import PATIENT, WITHIN_S, eventually

EVENTS = {"GATEWAY_EVENTS_ENABLED": "true"}  # of the gateway, if it is among what runs
NEEDED = ("mongo", "tfs", "embedding")


@dataclass
class ImportStack:
    """The running processes, and ways to import into them and to look at what came of it.

    Attributes:
        models: the folder of the versions of the model.
    """

    embedding_url: str
    mongo_url: str
    models: Path
    commands: dict[str, tuple[tuple[str, ...], dict[str, str]]]
    log: Path
    gateway_url: str = ""
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, **variables: str) -> None:
        """Start one of the processes with these environment variables; it is not waited for."""
        command, environment = self.commands[name]
        with (self.log / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, env={**PATIENT, **os.environ, **environment, **variables}, stdout=log, stderr=log, cwd=ROOT
            )

    def kill(self, name: str) -> None:
        """End one of the processes with SIGKILL."""
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def stop(self, name: str) -> None:
        """End one of the processes with SIGTERM."""
        process = self.running.pop(name)
        process.terminate()
        process.wait()

    def wait_ready(self) -> None:
        """Wait until images can be embedded, if that is among what runs, and products stored."""

        def ready() -> bool:
            for name, process in self.running.items():
                assert process.poll() is None, (self.log / f"{name}.log").read_text()
            try:
                database.admin.command("ping")
                return "embedding" not in self.running or embedding.get("/readyz").status_code == httpx.codes.OK
            except (httpx.HTTPError, pymongo.errors.PyMongoError):
                return False

        database: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
            self.mongo_url, serverSelectionTimeoutMS=200
        )
        with database, httpx.Client(base_url=self.embedding_url, trust_env=False, timeout=WITHIN_S) as embedding:
            eventually(ready)

    def begin(
        self, database: str, *arguments: str | Path, cwd: Path, command: str = "import"
    ) -> "subprocess.Popen[bytes]":
        """Start `lookalike import`, or another command, with these arguments, its summary as JSON on stdout."""
        environment = {**os.environ, **self._addresses(database), "PYTHONPATH": str(ROOT)}
        line = [sys.executable, "-m", "services.cli.main", command, *map(str, arguments), "--json"]
        return subprocess.Popen(line, env=environment, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, database: str, *arguments: str | Path, cwd: Path, command: str = "import") -> "Imported":
        """Run `lookalike import`, or another command, to its end in this process."""
        ended = run_command(command, *arguments, "--json", environment=self._addresses(database), cwd=cwd)
        return Imported(ended.status, orjson.loads(ended.printed or "{}"), ended.said)

    def _addresses(self, database: str) -> dict[str, str]:
        return {"EMBEDDING_URL": self.embedding_url, "MONGO_URL": self.mongo_url, "MONGO_DATABASE": database}

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


def finish(process: "subprocess.Popen[bytes]") -> Imported:
    """Wait for an import to end."""
    out, said = process.communicate(timeout=WITHIN_S)
    return Imported(process.returncode, orjson.loads(out) if out else {}, said.decode())


def wait_for_products(stack: ImportStack, database: str, at_least: int) -> None:
    """Wait until so many products are there."""
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(stack.mongo_url)
    with client:
        eventually(lambda: client[database]["products"].count_documents({}) >= at_least)


@contextmanager
def running_import_stack(folder: Path, names: Sequence[str] = NEEDED) -> Iterator[ImportStack]:
    """Run the processes, ready, for as long as the block."""
    models = folder / "fashion"
    own = {"model_dir": copy_version(models, 1), "detector_dir": folder / "detector" / "1"}
    settings = stack_settings(folder).model_copy(update=own)
    for needed in ("log", "data/import"):
        (folder / needed).mkdir(parents=True, exist_ok=True)
    models_path(settings).write_text(models_config(settings))
    commands = {
        process.name: (process.command, {**process.environment, **EVENTS}) for process in processes(settings, "import")
    }
    stack = ImportStack(
        settings.embedding_url, settings.mongo_url, models, commands, folder / "log", settings.gateway_url
    )
    try:
        for name in names:
            stack.start(name)
        stack.wait_ready()
        yield stack
    finally:
        for process in stack.running.values():
            process.send_signal(signal.SIGTERM)
        for process in stack.running.values():
            process.wait(WITHIN_S)
