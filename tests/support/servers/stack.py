"""The whole local stack for tests: real processes on free ports, in a folder of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from services.local.settings import StackSettings
from services.local.stack import Stack
from tests.support.pictures import images
from tests.support.waiting import WITHIN_S, eventually
from tests.support.web.ports import free_ports

JPEG = {"Content-Type": "image/jpeg"}
ROOT = Path(__file__).resolve().parents[3]
MODEL_DIR = Path(os.environ.get("LOOKALIKE_MODEL_DIR") or ROOT / "models" / "fashion" / "3")


def stack_settings(state_dir: Path, *, one_process: bool = False) -> StackSettings:
    """Return settings for a stack of its own, whose services may share a process."""
    gateway, embedding, index, tfs, mongo = free_ports(5)
    return StackSettings(
        gateway_port=gateway,
        embedding_port=embedding,
        index_port=index,
        tfs_port=tfs,
        mongo_port=mongo,
        state_dir=state_dir,
        model_dir=MODEL_DIR,
        one_process=one_process,
    )


@contextmanager
def running_stack(state_dir: Path, *, one_process: bool = False) -> Iterator[Stack]:
    """Run a stack, ready to answer, for as long as the block. Its services may share a process."""
    stack = Stack(stack_settings(state_dir, one_process=one_process))
    try:
        stack.up("test", print)
        yield stack
    finally:
        stack.down()


def wait_until_alive(url: str) -> None:
    """Wait until a service responds."""

    def is_alive() -> bool:
        try:
            return http.get("/livez").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    with httpx.Client(base_url=url, timeout=WITHIN_S, trust_env=False) as http:
        eventually(is_alive)


def wait_for_detector(gateway_url: str) -> None:
    """Return when garments can be detected: a stack is ready before, because searches need no detector."""
    picture = images.encode(images.garment(60, 80))
    with httpx.Client(base_url=gateway_url, timeout=WITHIN_S, trust_env=False) as http:
        eventually(lambda: http.post("/v1/detect", content=picture, headers=JPEG).status_code == httpx.codes.OK)


@contextmanager
def stopped(stack: Stack, process: str) -> Iterator[None]:
    """Keep one process of the stack stopped for as long as the block."""
    _control(stack, "stop", process)
    try:
        yield
    finally:
        _control(stack, "start", process)


def kill(stack: Stack, process: str) -> None:
    """End one process of the stack with SIGKILL; the runner starts it again."""
    _control(stack, "signal", "KILL", process)


def _control(stack: Stack, *words: str) -> None:
    program = Path(sys.executable).with_name("supervisorctl")
    config = stack.settings.state_dir.resolve() / "supervisord.conf"
    subprocess.run([program, "-c", config, *words], check=True, capture_output=True)
