"""Batching: requests that wait while the network is busy are run together.

Unlike TensorFlow Serving's batcher, this one never waits for more requests. On a CPU the requests that arrive during a
run form the next batch, and a single request is not delayed.
"""

import queue
import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np

from services.local.tfs.savedmodel import Array, Arrays, Signature


@dataclass
class _Job:
    signature: Signature
    inputs: Arrays
    rows: int
    result: "Future[dict[str, Array]]" = field(default_factory=Future)

    def can_join(self, other: "_Job") -> bool:
        """Whether both can run in one batch: the same signature, and the same shapes except for the first dimension."""
        return self.signature is other.signature and all(
            array.shape[1:] == other.inputs[name].shape[1:] for name, array in self.inputs.items()
        )


class Batcher:
    """Runs a request in the thread of its caller, or in its own threads while others run.

    Args:
        max_batch: the most rows of one run; a larger request runs alone.
        threads: concurrent runs.
        max_waiting: the most waiting requests; another one raises `queue.Full`.
    """

    def __init__(self, max_batch: int = 64, threads: int = 1, max_waiting: int = 256) -> None:
        self._max_batch = max_batch
        self._max_running = threads
        self._max_waiting = max_waiting
        self._waiting: deque[_Job] = deque()
        self._running = 0
        self._is_closing = False
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=self._work, name=f"batch-{i}", daemon=True) for i in range(threads)]
        for thread in self._threads:
            thread.start()

    def run(self, signature: Signature, inputs: Arrays) -> dict[str, Array]:
        """Run a signature on checked inputs and wait for its outputs.

        Raises:
            queue.Full: too many requests are waiting.
            Exception: TensorFlow's error in the run.
        """
        rows = {array.shape[0] for array in inputs.values()} if signature.is_batchable else set()
        if len(rows) != 1:
            return signature.run(inputs)
        job = _Job(signature, inputs, rows.pop())
        with self._changed:
            is_alone = not self._waiting and self._running < self._max_running
            if is_alone:
                self._running += 1
            elif len(self._waiting) >= self._max_waiting:
                raise queue.Full
            else:
                self._waiting.append(job)
                self._changed.notify()
        if is_alone:  # no other thread has to wake up
            self._run([job])
        return job.result.result()

    def close(self) -> None:
        """Run the waiting requests, then end the threads."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=5)

    def _work(self) -> None:
        while batch := self._next():
            self._run(batch)

    def _next(self) -> list[_Job]:
        """Return the next batch once it may run; none when the batcher closes."""
        with self._changed:
            self._changed.wait_for(lambda: self._running < self._max_running and (self._waiting or self._is_closing))
            batch: list[_Job] = []
            while self._waiting and self._fits(self._waiting[0], batch):
                batch.append(self._waiting.popleft())
            self._running += bool(batch)
            self._changed.notify()  # another batch may be able to run
            return batch

    def _fits(self, job: _Job, batch: list[_Job]) -> bool:
        if not batch:
            return True
        return sum(other.rows for other in batch) + job.rows <= self._max_batch and job.can_join(batch[0])

    def _run(self, batch: list[_Job]) -> None:
        """Run a batch that is counted as running; every request of it gets its outputs, or the error."""
        try:
            joined = {n: np.concatenate([job.inputs[n] for job in batch]) for n in batch[0].inputs}
            outputs = batch[0].signature.run(joined if len(batch) > 1 else batch[0].inputs)
        except Exception as error:
            for job in batch:
                job.result.set_exception(error)
            return
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify()
        start = 0
        for job in batch:
            job.result.set_result({n: array[start : start + job.rows] for n, array in outputs.items()})
            start += job.rows
