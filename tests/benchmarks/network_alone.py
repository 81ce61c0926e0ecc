"""The network by itself: the SavedModel in one process, images already decoded, nothing else."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

BATCH = 64
SECONDS = 6.0


def rate(model_dir: Path) -> float:
    """Return the images a second that the network does alone."""
    return figures(model_dir)["rate"]


def figures(model_dir: Path) -> dict[str, float]:
    """Return `rate`, images a second, and `cpu_ms`, processor time an image, measured in a process of its own."""
    command = [sys.executable, "-m", __spec__.name, str(model_dir)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def measure(model_dir: Path) -> dict[str, float]:
    """Load the model here and run it on noise, batch after batch."""
    import numpy as np

    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
    import tensorflow as tf

    size = json.loads((model_dir / "manifest.json").read_bytes())["input"]
    shape = (BATCH, size["height"], size["width"], 3)
    images = tf.constant(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
    serve = tf.saved_model.load(str(model_dir)).signatures["serving_default"]
    for _ in range(5):
        serve(image=images)["vector"].numpy()
    started, busy, done = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - started < SECONDS:
        serve(image=images)["vector"].numpy()
        done += BATCH
    return {"rate": done / (time.perf_counter() - started), "cpu_ms": (time.process_time() - busy) * 1000 / done}


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
