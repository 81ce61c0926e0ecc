"""Batching: requests that wait while the network is busy are run together.

Unlike TensorFlow Serving's batcher, this one never waits for more requests. On a CPU the requests that arrive during a
run form the next batch, and a single request is not delayed.
"""

import queue
import threading
from collections.abc import Iterator
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
    """Runs requests in its own threads.

    Args:
        max_batch: the most rows of one run; a larger request runs alone.
        threads: concurrent runs.
        max_waiting: the most waiting requests; another one raises `queue.Full`.
    """

    def __init__(self, max_batch: int = 64, threads: int = 1, max_waiting: int = 256) -> None:
        self._max_batch = max_batch
        self._waiting: queue.Queue[_Job | None] = queue.Queue(max_waiting)
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
        self._waiting.put_nowait(job)
        return job.result.result()

    def close(self) -> None:
        """Run the waiting requests, then end the threads."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join(timeout=5)

    def _work(self) -> None:
        carried: _Job | None = None
        while True:
            first = carried or self._waiting.get()
            if first is None:
                return
            batch, carried, closing = self._gather(first)
            self._run(batch)
            if closing:
                return

    def _gather(self, first: _Job) -> tuple[list[_Job], _Job | None, bool]:
        """Return the batch that starts with `first`, the job that did not fit, and whether the batcher closes."""
        batch, rows = [first], first.rows
        for job in self._drain():
            if job is None:
                return batch, None, True
            if rows + job.rows > self._max_batch or not job.can_join(first):
                return batch, job, False
            batch.append(job)
            rows += job.rows
        return batch, None, False

    def _drain(self) -> Iterator[_Job | None]:
        while True:
            try:
                yield self._waiting.get_nowait()
            except queue.Empty:
                return

    def _run(self, batch: list[_Job]) -> None:
        try:
            joined = {n: np.concatenate([job.inputs[n] for job in batch]) for n in batch[0].inputs}
            outputs = batch[0].signature.run(joined if len(batch) > 1 else batch[0].inputs)
        except Exception as error:  # every request of the batch gets the error
            for job in batch:
                job.result.set_exception(error)
            return
        start = 0
        for job in batch:
            job.result.set_result({n: array[start : start + job.rows] for n, array in outputs.items()})
            start += job.rows
