"""Faults that make the index differ: from the database, and from the model of the other index node."""

import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import httpx

from services.contracts.domain.manifest import load_manifest
from services.local.stack import Stack
from services.local.supervisor import SCRIPTS
from services.sample_shop.catalogue import sample_query
from tests.support.servers.stack import JPEG, ROOT, stopped
from tests.support.waiting import eventually
from tests.support.web.ports import free_port

OTHER_MODEL = ROOT / "models" / "fashion" / "2"
SETTLE_S = 5.0


@contextmanager
def unreported_write(stack: Stack) -> Iterator[None]:
    """Remove a product from the file of the stand-in for MongoDB, and the change event that its trigger writes."""
    path = stack.settings.state_dir / "data" / "test" / "lookalike.db"
    with closing(sqlite3.connect(path, timeout=30)) as database, database:
        database.execute("BEGIN IMMEDIATE")
        (last,) = database.execute("SELECT max(id) FROM _neosqlite_changestream").fetchone()
        database.execute("DELETE FROM products WHERE id = (SELECT max(id) FROM products)")
        database.execute("DELETE FROM _neosqlite_changestream WHERE id > ?", (last,))
    yield


@contextmanager
def node_of_another_model(stack: Stack) -> Iterator[None]:
    """Give one category to a second index node, which has a database and a model of its own."""
    settings = stack.settings
    category = _searched_category(settings.gateway_url)
    others = [name for name in load_manifest(settings.model_dir).categories if name != category]
    first, second = (f"http://127.0.0.1:{port}" for port in (settings.index_port, free_port()))
    node = {
        "INDEX_PORT": second.rpartition(":")[2],
        "INDEX_MODEL_DIR": str(OTHER_MODEL),
        "INDEX_CATEGORIES": category,
        "MONGO_URL": settings.mongo_url,
        "MONGO_DATABASE": "another",
    }
    command = [sys.executable, "-m", "services.index"]
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(command, env={**os.environ, **node}, cwd=ROOT, stdout=nowhere, stderr=nowhere)
    try:
        eventually(lambda: _is_ready(second))
        with (
            _with(stack, "index", INDEX_CATEGORIES=",".join(others)),
            _with(stack, "gateway", INDEX_URL=f"{first},{second}"),
        ):
            eventually(lambda: _is_ready(settings.gateway_url))
            time.sleep(SETTLE_S)
            yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _with(stack: Stack, process: str, **variables: str) -> Iterator[None]:
    """Run a process of the stack with other variables. The index forgets its snapshot, which would not fit."""
    script = stack.settings.state_dir / SCRIPTS / f"{process}.sh"
    before = script.read_text()
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    _restart(stack, process, lambda: script.write_text(before.replace("\nexec ", f"\n{exports}exec ")))
    try:
        yield
    finally:
        _restart(stack, process, lambda: script.write_text(before))


def _restart(stack: Stack, process: str, change: Callable[[], object]) -> None:
    with stopped(stack, process):
        if process == "index":
            shutil.rmtree(stack.settings.state_dir / "snapshots", ignore_errors=True)
        change()


def _searched_category(url: str) -> str:
    """Return the category of the photo that is searched all the time."""
    response = httpx.post(f"{url}/v1/search", content=sample_query(3), headers=JPEG, timeout=20, trust_env=False)
    return str(response.raise_for_status().json()["category"]["name"])


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False
