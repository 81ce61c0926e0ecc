"""The time of one image on one core, relative to another model in the same process."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROUNDS = 150
WARM_UP = 20
ONE_CORE = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}


def cost(directory: Path, reference: Path | None, rounds: int = ROUNDS) -> dict[str, Any]:
    """Return the shortest time of one image through the network alone, on one core, in a process of its own.

    Args:
        directory: of the model.
        reference: the baseline's, called in turns with it; None if there is none.
        rounds: how many turns.

    Returns:
        `ms`, `reference_ms` and `ratio`, the last two None without a reference.
    """
    directories = [directory, *([reference] if reference else [])]
    command = [sys.executable, "-m", "training.evaluation.cost", str(rounds), *(str(d.resolve()) for d in directories)]
    path = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | ONE_CORE | {"PYTHONPATH": path}
    completed = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, env=environment)  # noqa: S603
    ms, *rest = json.loads(completed.stdout)
    return {"ms": ms, "reference_ms": rest[0] if rest else None, "ratio": ms / rest[0] if rest else None}


def measure(directories: list[Path], rounds: int) -> list[float]:
    """Return each model's shortest time for one image in milliseconds; the models are called in turns.

    The shortest of many is the network's own time: other work on the machine only adds to it.
    """
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    calls = [_call(tf, directory) for directory in directories]
    for call in calls * WARM_UP:
        call()
    best = [float("inf")] * len(calls)
    for _ in range(rounds):
        for number, call in enumerate(calls):
            best[number] = min(best[number], *(_seconds(call) for _ in range(3)))
    return [1000 * seconds for seconds in best]


def _call(tf: Any, directory: Path) -> Callable[[], object]:
    import numpy as np

    model = tf.saved_model.load(str(directory))  # the function below refers to it: its variables are deleted with it
    serve = model.signatures["serving_default"]
    _, height, width, _ = serve.structured_input_signature[1]["image"].shape
    image = tf.constant(np.random.default_rng(1).integers(0, 256, (1, height, width, 3), np.uint8))
    return lambda: (model, serve(image=image)["vector"].numpy())


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure([Path(argument) for argument in sys.argv[2:]], int(sys.argv[1]))))
