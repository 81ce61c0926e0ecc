"""The stand-in's online batching: what waits together runs together, and everyone gets his own rows."""

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from services.local.tfs.batching import Batcher
from tests.support.stack import eventually


class Doubler:
    """A signature that doubles its input, and can be held up."""

    batches = True

    def __init__(self) -> None:
        self.runs: list[int] = []
        self.gate = threading.Event()
        self.gate.set()

    def run(self, inputs: Any) -> Any:
        self.gate.wait(10)
        self.runs.append(len(inputs["x"]))
        if (inputs["x"] < 0).any():
            raise ValueError("negative")
        return {"y": inputs["x"] * 2}


def rows(*values: float) -> dict[str, Any]:
    return {"x": np.array(values, np.float32)}


def waiting(batcher: Batcher) -> int:
    return batcher._waiting.qsize()


@pytest.fixture
def doubler() -> Doubler:
    return Doubler()


def test_a_lone_request_is_run_at_once(doubler: Doubler) -> None:
    batcher = Batcher()
    assert batcher.run(doubler, rows(1, 2))["y"].tolist() == [2, 4]
    batcher.close()


def test_requests_that_wait_are_joined_and_each_gets_its_own_rows(doubler: Doubler) -> None:
    batcher = Batcher()
    doubler.gate.clear()
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(batcher.run, doubler, rows(0))
        eventually(lambda: waiting(batcher) == 0)
        rest = [pool.submit(batcher.run, doubler, rows(*([n] * n))) for n in range(1, 6)]
        eventually(lambda: waiting(batcher) == 5)
        doubler.gate.set()
        assert first.result(5)["y"].tolist() == [0]
        assert [answer.result(5)["y"].tolist() for answer in rest] == [[2 * n] * n for n in range(1, 6)]
    assert doubler.runs == [1, 15]
    batcher.close()


def test_no_batch_is_larger_than_the_bound(doubler: Doubler) -> None:
    batcher = Batcher(max_batch=4)
    doubler.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(batcher.run, doubler, rows(0))
        eventually(lambda: waiting(batcher) == 0)
        rest = [pool.submit(batcher.run, doubler, rows(n, n, n)) for n in range(3)]
        eventually(lambda: waiting(batcher) == 3)
        doubler.gate.set()
        assert first.result(5)
        assert [answer.result(5)["y"].tolist() for answer in rest] == [[2 * n] * 3 for n in range(3)]
    assert doubler.runs == [1, 3, 3, 3]
    batcher.close()


def test_inputs_of_other_shapes_run_on_their_own(doubler: Doubler) -> None:
    batcher = Batcher()
    doubler.gate.clear()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(batcher.run, doubler, rows(0))
        eventually(lambda: waiting(batcher) == 0)
        flat = pool.submit(batcher.run, doubler, rows(1))
        eventually(lambda: waiting(batcher) == 1)
        wide = pool.submit(batcher.run, doubler, {"x": np.ones((1, 3), np.float32)})
        eventually(lambda: waiting(batcher) == 2)
        doubler.gate.set()
        assert first.result(5)
        assert flat.result(5)["y"].tolist() == [2]
        assert wide.result(5)["y"].tolist() == [[2, 2, 2]]
    batcher.close()


def test_an_error_reaches_every_request_of_the_batch_and_the_next_one_works(doubler: Doubler) -> None:
    batcher = Batcher()
    with pytest.raises(ValueError, match="negative"):
        batcher.run(doubler, rows(-1))
    assert batcher.run(doubler, rows(1))["y"].tolist() == [2]
    batcher.close()


def test_more_than_may_wait_is_refused(doubler: Doubler) -> None:
    batcher = Batcher(max_waiting=1)
    doubler.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(batcher.run, doubler, rows(0))
        eventually(lambda: waiting(batcher) == 0)
        queued = pool.submit(batcher.run, doubler, rows(1))
        eventually(lambda: waiting(batcher) == 1)
        with pytest.raises(queue.Full):
            batcher.run(doubler, rows(2))
        doubler.gate.set()
        assert running.result(5)
        assert queued.result(5)
    batcher.close()


def test_what_waits_when_it_is_closed_is_still_answered(doubler: Doubler) -> None:
    batcher = Batcher()
    doubler.gate.clear()
    with ThreadPoolExecutor(3) as pool:
        running = pool.submit(batcher.run, doubler, rows(1))
        eventually(lambda: waiting(batcher) == 0)
        queued = pool.submit(batcher.run, doubler, rows(2))
        eventually(lambda: waiting(batcher) == 1)
        closing = pool.submit(batcher.close)
        doubler.gate.set()
        assert running.result(5)["y"].tolist() == [2]
        assert queued.result(5)["y"].tolist() == [4]
        closing.result(5)
