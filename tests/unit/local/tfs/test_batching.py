"""The stand-in's batching: waiting requests run together, and each gets its own rows."""

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from services.local.tfs.batching import Batcher
from services.local.tfs.savedmodel import Signature
from tests.support.waiting import WITHIN_S, eventually


@dataclass(frozen=True)
class Doubler(Signature):
    """A signature that doubles its input. Its runs wait for `gate`; `begun` is set when one of them begins."""

    runs: list[int] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)

    def run(self, inputs: Any) -> Any:
        self.begun.set()
        self.gate.wait(WITHIN_S)
        self.runs.append(len(inputs["x"]))
        if (inputs["x"] < 0).any():
            raise ValueError("negative")
        return {"y": inputs["x"] * 2}


def rows(*values: float) -> dict[str, Any]:
    return {"x": np.array(values, np.float32)}


def waiting(batcher: Batcher) -> int:
    return len(batcher._waiting)


@pytest.fixture
def doubler() -> Doubler:
    signature = Doubler("doubler", {}, {}, None)  # without tensors, every first dimension has any size
    signature.gate.set()
    return signature


def test_a_single_request_runs_at_once(doubler: Doubler) -> None:
    batcher = Batcher()
    assert batcher.run(doubler, rows(1, 2))["y"].tolist() == [2, 4]
    batcher.close()


def test_waiting_requests_are_joined_and_each_gets_its_own_rows(doubler: Doubler) -> None:
    batcher = Batcher()
    doubler.gate.clear()
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(batcher.run, doubler, rows(0))
        assert doubler.begun.wait(WITHIN_S)
        rest = [pool.submit(batcher.run, doubler, rows(*([n] * n))) for n in range(1, 6)]
        eventually(lambda: waiting(batcher) == 5)
        doubler.gate.set()
        assert first.result(WITHIN_S)["y"].tolist() == [0]
        assert [future.result(WITHIN_S)["y"].tolist() for future in rest] == [[2 * n] * n for n in range(1, 6)]
    assert doubler.runs == [1, 15]
    batcher.close()


def test_the_size_of_a_batch_is_limited(doubler: Doubler) -> None:
    batcher = Batcher(max_batch=4)
    doubler.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(batcher.run, doubler, rows(0))
        assert doubler.begun.wait(WITHIN_S)
        rest = [pool.submit(batcher.run, doubler, rows(n, n, n)) for n in range(3)]
        eventually(lambda: waiting(batcher) == 3)
        doubler.gate.set()
        assert first.result(WITHIN_S)
        assert [future.result(WITHIN_S)["y"].tolist() for future in rest] == [[2 * n] * 3 for n in range(3)]
    assert doubler.runs == [1, 3, 3, 3]
    batcher.close()


def test_inputs_of_other_shapes_run_separately(doubler: Doubler) -> None:
    batcher = Batcher()
    doubler.gate.clear()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(batcher.run, doubler, rows(0))
        assert doubler.begun.wait(WITHIN_S)
        flat = pool.submit(batcher.run, doubler, rows(1))
        eventually(lambda: waiting(batcher) == 1)
        wide = pool.submit(batcher.run, doubler, {"x": np.ones((1, 3), np.float32)})
        eventually(lambda: waiting(batcher) == 2)
        doubler.gate.set()
        assert first.result(WITHIN_S)
        assert flat.result(WITHIN_S)["y"].tolist() == [2]
        assert wide.result(WITHIN_S)["y"].tolist() == [[2, 2, 2]]
    batcher.close()


def test_an_error_does_not_affect_the_next_batch(doubler: Doubler) -> None:
    batcher = Batcher()
    with pytest.raises(ValueError, match="negative"):
        batcher.run(doubler, rows(-1))
    assert batcher.run(doubler, rows(1))["y"].tolist() == [2]
    batcher.close()


def test_an_excess_request_is_rejected(doubler: Doubler) -> None:
    batcher = Batcher(max_waiting=1)
    doubler.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(batcher.run, doubler, rows(0))
        assert doubler.begun.wait(WITHIN_S)
        queued = pool.submit(batcher.run, doubler, rows(1))
        eventually(lambda: waiting(batcher) == 1)
        with pytest.raises(queue.Full):
            batcher.run(doubler, rows(2))
        doubler.gate.set()
        assert running.result(WITHIN_S)
        assert queued.result(WITHIN_S)
    batcher.close()


def test_closing_runs_the_waiting_requests_and_ends_the_threads(doubler: Doubler) -> None:
    batcher = Batcher()
    doubler.gate.clear()
    with ThreadPoolExecutor(3) as pool:
        running = pool.submit(batcher.run, doubler, rows(1))
        assert doubler.begun.wait(WITHIN_S)
        queued = pool.submit(batcher.run, doubler, rows(2))
        eventually(lambda: waiting(batcher) == 1)
        closing = pool.submit(batcher.close)
        doubler.gate.set()
        assert running.result(WITHIN_S)["y"].tolist() == [2]
        assert queued.result(WITHIN_S)["y"].tolist() == [4]
        closing.result(WITHIN_S)
    assert not any(thread.is_alive() for thread in batcher._threads)
