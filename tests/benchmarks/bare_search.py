"""A search without services: prepare the photo, run the network, search the vectors, all in one process.

`python -m tests.benchmarks.bare_search MODEL_DIR PHOTO VECTORS.npy` reads lines of a number from stdin. For each it
does that many searches and writes a line of JSON: `ms`, the time of each, and `cpu_ms`, their processor time together.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

K = 10


class BareSearch:
    """The process, which keeps the model and the vectors between its searches."""

    def __init__(self, model_dir: Path, photo: Path, vectors: Path) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.bare_search", str(model_dir), str(photo), str(vectors)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def start(self, count: int) -> None:
        """Begin `count` searches."""
        assert self._process.stdin
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()

    def result(self) -> dict[str, Any]:
        """Return the figures of the searches once they are done."""
        assert self._process.stdout
        result: dict[str, Any] = json.loads(self._process.stdout.readline())
        return result

    def run(self, count: int) -> dict[str, Any]:
        """Do `count` searches; return their figures."""
        self.start(count)
        return self.result()

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def serve(model_dir: Path, photo: Path, vectors: Path) -> None:
    """Search as often as stdin says."""
    os.environ["OMP_NUM_THREADS"] = "1"
    import numpy as np

    from services.contracts.domain.manifest import load_manifest
    from services.contracts.images.preparation import prepare_image
    from services.engine.flat_search import FaissFlat
    from services.local.tfs.savedmodel import SavedModel

    size, file = load_manifest(model_dir).input, photo.read_bytes()
    signature = SavedModel(model_dir).signatures["serving_default"]
    flat = FaissFlat(np.load(vectors))

    def search() -> None:
        picture, _ = prepare_image(file, size)
        vector = signature.run({"image": picture[None]})["vector"][0]
        flat.nearest(vector / np.linalg.norm(vector), K, None)

    for _ in range(20):
        search()
    for line in sys.stdin:
        busy, times = time.process_time(), []
        for _ in range(int(line)):
            started = time.perf_counter()
            search()
            times.append((time.perf_counter() - started) * 1000)
        print(json.dumps({"cpu_ms": (time.process_time() - busy) * 1000, "ms": times}), flush=True)


if __name__ == "__main__":
    serve(*map(Path, sys.argv[1:]))
