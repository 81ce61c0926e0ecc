"""The workers of a bulk import or re-embedding, as a command is given them."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class BulkOptions:
    """Where the workers run, and who runs the network.

    Attributes:
        workers: their number. Default: the processors of this machine, or of the cluster.
        address: of a Ray cluster. Default: a local one is started for the run.
        gpus: GPUs of each worker, which may be a fraction.
        model_dir: the model that each worker runs itself. Default: the embedding service runs the model.
    """

    workers: int | None = None
    address: str | None = None
    gpus: float = 0.0
    model_dir: Path | None = None
