"""The kinds of faults of a process: how each begins and ends, and the proof that it happened (Linux)."""

import asyncio
import contextlib
import resource
import signal
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]

from tests.support.waiting import WITHIN_S

SLICE_S = 0.25  # of a delay: stopped for most of it, running for the rest
STOPPED_SHARE = 0.7
UNLIMITED = resource.RLIM_INFINITY


@dataclass
class Proof:
    """What was seen of a fault; empty if it did not happen."""

    text: str = ""


Current = Callable[[], psutil.Process | None]  # the running process of the part, None while it starts


@contextlib.asynccontextmanager
async def kill(current: Current, seconds: float) -> AsyncIterator[Proof]:
    """Kill a process; the supervisor starts another one. The block runs for `seconds`."""
    proof, before = Proof(), await _running(current)
    before.send_signal(signal.SIGKILL)
    with contextlib.suppress(psutil.TimeoutExpired):
        await asyncio.to_thread(before.wait, WITHIN_S)
    yield proof
    await asyncio.sleep(seconds)
    deadline = time.monotonic() + WITHIN_S
    while (after := await asyncio.to_thread(current)) is None and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    if not before.is_running() and after is not None and after.pid != before.pid:
        proof.text = f"process {before.pid} ended, {after.pid} runs"


@contextlib.asynccontextmanager
async def stop(current: Current, seconds: float) -> AsyncIterator[Proof]:
    """Stop a process with SIGSTOP for `seconds`: its connections stay, and nothing answers."""
    proof, process = Proof(), await _running(current)
    process.suspend()
    try:
        yield proof
        await asyncio.sleep(seconds)
        if process.status() == psutil.STATUS_STOPPED:
            proof.text = f"process {process.pid} was stopped"
    finally:
        process.resume()


@contextlib.asynccontextmanager
async def delay(current: Current, seconds: float) -> AsyncIterator[Proof]:
    """Let a process run for a small part of the time only, for `seconds`: it answers late."""
    proof, process, stopped = Proof(), await _running(current), 0.0
    used = sum(process.cpu_times()[:2])
    try:
        yield proof
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.monotonic()
            process.suspend()
            await asyncio.sleep(SLICE_S * STOPPED_SHARE)
            stopped += time.monotonic() - began if process.status() == psutil.STATUS_STOPPED else 0.0
            process.resume()
            await asyncio.sleep(SLICE_S * (1 - STOPPED_SHARE))
    finally:
        process.resume()
    if stopped:
        ran = sum(process.cpu_times()[:2]) - used
        proof.text = f"process {process.pid} was stopped for {stopped:.1f} of {seconds:.1f} s, and ran for {ran:.1f} s"


@contextlib.asynccontextmanager
async def disk_full(current: Current, seconds: float) -> AsyncIterator[Proof]:
    """Let every write of a process to a file fail for `seconds`, as on a full disk."""
    proof, process = Proof(), await _running(current)
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield proof
        await asyncio.sleep(seconds)
        if resource.prlimit(process.pid, resource.RLIMIT_FSIZE)[0] == 0:
            proof.text = f"process {process.pid} could write 0 bytes"
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))


async def _running(current: Current) -> psutil.Process:
    process = await asyncio.to_thread(current)
    assert process is not None, "the process is not running"
    return process


KINDS: dict[str, Callable[[Current, float], contextlib.AbstractAsyncContextManager[Proof]]] = {
    "kill": kill,
    "stop": stop,
    "delay": delay,
    "disk full": disk_full,
}
