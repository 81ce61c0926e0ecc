"""The results of an engine, when the run is stopped."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from services.bulk import ray_engine
from services.bulk.engine import EngineError, opened, results
from tests.support.fakes.bulk import FakeEngine


class BlockedEngine(FakeEngine):
    """Gives one result; the next one never comes, and closing ends the wait with an error, as Ray does."""

    def __init__(self) -> None:
        super().__init__()
        self.waits, self.closing = threading.Event(), threading.Event()

    def run(self, read: Any, work: Any) -> Iterator[Any]:
        yield "first"
        self.waits.set()
        self.closing.wait()
        raise EngineError("Ray has failed: it was shut down")

    def close(self) -> None:
        super().close()
        self.closing.set()


async def test_a_run_that_waits_for_a_worker_ends_when_it_is_stopped() -> None:
    engine, stopping = BlockedEngine(), asyncio.Event()

    async def stop() -> None:
        await asyncio.to_thread(engine.waits.wait)
        stopping.set()

    stopper = asyncio.create_task(stop())
    assert [result async for result in results(engine, lambda: iter("ab"), lambda: str, stopping)] == ["first"]
    await stopper
    assert engine.is_closed


async def test_a_run_that_is_stopped_before_it_begins_reads_nothing() -> None:
    engine, stopping = FakeEngine(), asyncio.Event()
    stopping.set()
    assert [result async for result in results(engine, lambda: iter("ab"), lambda: str, stopping)] == []
    assert engine.blocks == []


async def test_nothing_is_left_running_after_the_last_result() -> None:
    engine, stopping = FakeEngine(), asyncio.Event()
    assert [result async for result in results(engine, lambda: iter("ab"), lambda: str, stopping)] == ["a", "b"]
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert not engine.is_closed  # other runs may follow


async def test_an_engine_is_closed_however_its_block_ends() -> None:
    engine = FakeEngine()
    with pytest.raises(EngineError):
        async with opened(lambda: engine):
            raise EngineError("Ray has failed")
    assert engine.is_closed


def test_a_cluster_that_is_not_there_is_an_error_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ray_engine._check_reachable(f"127.0.0.1:{port}")
    with pytest.raises(EngineError, match=f"there is no Ray cluster at 127.0.0.1:{port}: "):
        ray_engine._check_reachable(f"127.0.0.1:{port}")
    ray_engine._check_reachable("auto")
