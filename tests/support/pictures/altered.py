"""A second model for a benchmark, made of the first: same contract, another input size, vectors of its own."""

import json
import subprocess
import sys
from pathlib import Path

SIDE = 96
# The network is that of the first model; its vector is weighted and permuted. Cosines within the new model differ from
# the first one's, and those between the two models have no meaning.
_MAKE = """
import os, sys
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
import numpy as np
import tensorflow as tf

first, out, height, width, dimension, side = *sys.argv[1:3], *map(int, sys.argv[3:])
rng = np.random.default_rng(3)

class Altered(tf.Module):
    def __init__(self):
        super().__init__()
        self.loaded = tf.saved_model.load(first)
        self.weights = tf.constant(rng.uniform(0.2, 3.0, dimension), tf.float32)
        self.order = tf.constant(rng.permutation(dimension), tf.int32)

    @tf.function(input_signature=[tf.TensorSpec((None, side, side, 3), tf.uint8, name="image")])
    def serve(self, image):
        small = tf.cast(tf.round(tf.image.resize(image, (height, width), "area")), tf.uint8)
        seen = self.loaded.signatures["serving_default"](image=small)
        vector = tf.gather(seen["vector"] * self.weights, self.order, axis=1)
        return {"probabilities": seen["probabilities"], "vector": vector}

model = Altered()
tf.saved_model.save(model, out, signatures={"serving_default": model.serve})
"""


def altered_model(first: Path, version: int = 2) -> Path:
    """Write another version next to a model directory; return its directory."""
    manifest = json.loads((first / "manifest.json").read_text())
    out = first.parent / str(version)
    size = manifest["input"]
    numbers = [size["height"], size["width"], manifest["dimension"], SIDE]
    done = subprocess.run(
        [sys.executable, "-c", _MAKE, str(first), str(out), *map(str, numbers)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    changes = {"version": version, "architecture": "altered", "input": {"height": SIDE, "width": SIDE}}
    (out / "manifest.json").write_text(json.dumps({**manifest, **changes}))
    return out
