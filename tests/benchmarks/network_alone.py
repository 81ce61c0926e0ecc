"""The network by itself: the SavedModel in one process, images already decoded, nothing else. `python -m` prints images/s."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

BATCH = 64
SECONDS = 6.0


def rate(model_dir: Path) -> float:
    """Return the images a second that the network does alone, measured in a process of its own."""
    command = [sys.executable, "-m", __spec__.name, str(model_dir)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return float(json.loads(done.stdout))


def measure(model_dir: Path) -> float:
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
    started, done = time.perf_counter(), 0
    while time.perf_counter() - started < SECONDS:
        serve(image=images)["vector"].numpy()
        done += BATCH
    return done / (time.perf_counter() - started)


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
