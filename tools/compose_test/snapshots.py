"""The index's snapshot volume: starts from it, also without the database, and starts with a damaged one."""

import base64
import time
from collections.abc import Callable
from typing import Any

import httpx

from tools.compose_test.checks import finds_itself, products
from tools.compose_test.project import Project, check, docker, eventually

WITHIN_S = 90.0
FLIP = (
    "import pathlib\n"
    "(path,) = pathlib.Path('/snapshots').glob('*.snapshot')\n"
    "whole = bytearray(path.read_bytes())\n"
    "whole[len(whole) // 2] ^= 1\n"
    "path.write_bytes(whole)\n"
)


def sync(gateway: str) -> dict[str, Any]:
    """Return how the index follows the database."""
    return dict(httpx.get(f"{gateway}/v1/stats", timeout=10, trust_env=False).json()["sync"])


def all_checks(project: Project, gateway: str, photos: dict[str, bytes], say: Callable[[str], None]) -> None:
    """Run the checks; the stack is level before and after.

    Raises:
        Failed: the index does not return to its state.
    """
    say("\nThe index's snapshot")
    eventually(lambda: _is_level(gateway), WITHIN_S, "the index is level")
    check(sync(gateway)["loaded_from"] == "snapshot", f"down and up again, the index came from {sync(gateway)}")
    _without_mongodb(project, gateway, photos, say)
    _flipped_bit(project, gateway, say)
    _foreign_volume(project, gateway, photos, say)


def _is_level(gateway: str) -> bool:
    status = sync(gateway)
    return status["state"] == "following" and status["reconcile"]["last_at"] is not None


def _without_mongodb(project: Project, gateway: str, photos: dict[str, bytes], say: Callable[[str], None]) -> None:
    """Start the index while MongoDB is down: it searches its snapshot and reports that it may be behind."""
    before = products(gateway)
    for service in ("mongo", "index"):
        docker("stop", "--time", "10", project.container(service))
    began = time.monotonic()
    docker("start", project.container("index"))
    project.wait_healthy("index")
    seconds = time.monotonic() - began
    eventually(lambda: sync(gateway)["stale"], WITHIN_S, "the index says that it may be behind")
    status = sync(gateway)
    check(status["loaded_from"] == "snapshot", f"without MongoDB the index came from {status}")
    check(products(gateway) == before, f"{products(gateway)} products without MongoDB, {before} before")
    for key, photo in photos.items():
        itself = any(finds_itself(gateway, photo, name) for name in (key, f"sample-{key}"))
        check(itself, f"without MongoDB {key} is not found by its own photo")
    docker("start", project.container("mongo"))
    eventually(lambda: _is_level(gateway), WITHIN_S, "the index is level again")
    drift = sync(gateway)["reconcile"]["found"]
    check(drift == 0, f"{drift} documents had drifted")
    say(f"  MongoDB down: the index is healthy {seconds:.1f} s after its start, with {before} products; no drift")


def _flipped_bit(project: Project, gateway: str, say: Callable[[str], None]) -> None:
    """Flip a bit of the snapshot: the index logs one line and reads everything from MongoDB."""
    before = products(gateway)
    docker("stop", "--time", "10", project.container("index"))
    _as_root(project, "python", "-c", FLIP)
    docker("start", project.container("index"))
    project.wait_healthy("index")
    eventually(lambda: sync(gateway)["loaded_from"] == "database", WITHIN_S, "the index has read everything again")
    eventually(lambda: products(gateway) == before, WITHIN_S, "every product is there again")
    said = _said(project, "the snapshot is damaged or cut short")
    say(f"  a flipped bit: {said}")


def _foreign_volume(project: Project, gateway: str, photos: dict[str, bytes], say: Callable[[str], None]) -> None:
    """Give the volume to another user: the index logs one line and continues; the guide's command repairs it."""
    _as_root(project, "chown", "0:0", "/snapshots")
    _write_a_product(gateway, next(iter(photos.values())))
    said = eventually(lambda: _error(gateway), WITHIN_S, "the index says that it cannot write its snapshot")
    check("/snapshots belongs to user 0, and this process is user 10001" in said, f"a foreign volume: {said}")
    check(products(gateway) > 0, "the index does not continue without its snapshot")
    _as_root(project, "chown", "10001:10001", "/snapshots")
    _write_a_product(gateway, next(iter(photos.values())))
    eventually(lambda: not _error(gateway), WITHIN_S, "the snapshot is written again")
    say(f"  a volume of another user: {said}")


def _error(gateway: str) -> str:
    return str(sync(gateway)["snapshot"]["last_error"] or "")


def _write_a_product(gateway: str, photo: bytes) -> None:
    body = {"title": "Kept in the snapshot", "image_base64": base64.b64encode(photo).decode()}
    httpx.put(f"{gateway}/v1/products/snapshot-test", json=body, timeout=20, trust_env=False).raise_for_status()


def _as_root(project: Project, *command: str) -> None:
    """Run a command in a container of the index's image that has the index's volumes."""
    image = project.inspect("index")["Config"]["Image"]
    program, *words = command
    volumes = ("--volumes-from", project.container("index"))
    docker("run", "--rm", "--user", "0", *volumes, "--entrypoint", program, image, *words)


def _said(project: Project, text: str) -> str:
    """Return the only line of the index's log with the text."""
    lines = [line for line in docker("logs", project.container("index"), must=False).splitlines() if text in line]
    check(len(lines) == 1, f"{len(lines)} lines of the index's log say '{text}'")
    return lines[0].strip()
