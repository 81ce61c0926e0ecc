"""Online batching: requests that wait while the network is busy are run together, as one batch.

Unlike TensorFlow Serving's batcher this one never waits for more requests to come: on a CPU, what came in during the last
run is the batch, and a lone request is not held up.
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

    def joins(self, other: "_Job") -> bool:
        """Whether both may run in one batch: the same network, and inputs that differ in the first dimension only."""
        return self.signature is other.signature and all(
            array.shape[1:] == other.inputs[name].shape[1:] for name, array in self.inputs.items()
        )


class Batcher:
    """Runs requests in a few threads of its own.

    Args:
        max_batch: rows of one run; a single request may be larger and runs alone.
        threads: runs at the same time.
        max_waiting: requests that may wait; more are refused by `queue.Full`.
    """

    def __init__(self, max_batch: int = 64, threads: int = 1, max_waiting: int = 256) -> None:
        self._max_batch = max_batch
        self._waiting: queue.Queue[_Job | None] = queue.Queue(max_waiting)
        self._threads = [threading.Thread(target=self._work, name=f"batch-{i}", daemon=True) for i in range(threads)]
        for thread in self._threads:
            thread.start()

    def run(self, signature: Signature, inputs: Arrays) -> dict[str, Array]:
        """Return the signature's outputs for checked inputs; blocks until they are there.

        Raises:
            queue.Full: too many requests are waiting.
            Exception: what TensorFlow raised in the run.
        """
        rows = {array.shape[0] for array in inputs.values()} if signature.batches else set()
        if len(rows) != 1:
            return signature.run(inputs)
        job = _Job(signature, inputs, rows.pop())
        self._waiting.put_nowait(job)
        return job.result.result()

    def close(self) -> None:
        """Let the threads end once what waits has been run."""
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
        """Return the batch that begins with `first`, the job that did not fit, and whether the end was met."""
        batch, rows = [first], first.rows
        for job in self._drain():
            if job is None:
                return batch, None, True
            if rows + job.rows > self._max_batch or not job.joins(first):
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
        except Exception as error:  # each waiting request has to hear of it, whatever it is
            for job in batch:
                job.result.set_exception(error)
            return
        start = 0
        for job in batch:
            job.result.set_result({n: array[start : start + job.rows] for n, array in outputs.items()})
            start += job.rows
