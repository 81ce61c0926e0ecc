"""`lookalike evaluate`: the figures of any model directory on any archive."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.manifest import ManifestError, load_manifest
from training.data.dataset import Dataset, read_dataset
from training.data.evidence import Sources, gather, in_part, unseen
from training.data.split import split
from training.errors import TrainingError
from training.evaluation.cost import cost
from training.evaluation.figures import Answers, Measured, answers, figures
from training.evaluation.served_model import ServedModel
from training.evaluation.summary import summary
from training.progress import Terminal
from training.report.grids import real_grids

BASELINE = "baseline"


@dataclass(frozen=True)
class Asked:
    """What is measured on what.

    `part`: `test` (the part the model's seed keeps apart), `all`, or `auto`: `test` on the archive it was trained on.
    `gallery`: another archive to search in; all products of the data set are then the queries. `cost`: measure the time of one
    image, too. `left_out`: marks of senders whose photos are left out, though the model has not seen them. `grids`: a folder for
    pictures of queries with their results.
    """

    sources: Sources
    part: str = "auto"
    gallery: Path | None = None
    cost: bool = True
    left_out: Collection[str] = ()
    grids: Path | None = None


def evaluate_directory(directory: Path, asked: Asked, terminal: Terminal) -> dict[str, Any]:
    """Return all figures of a model version directory such as `models/fashion/1`, ready for JSON.

    Raises:
        ManifestError, ArchiveError, TrainingError: the text is one sentence.
    """
    model = ServedModel.load(directory)
    manifest = model.manifest
    if manifest.categories != CATEGORIES:
        raise TrainingError(f"{directory} tells other categories than the archive's nine: it cannot be measured on it")
    if asked.gallery and asked.part == "test":
        raise TrainingError("--gallery takes all of --dataset as queries: it does not go with --split test")
    asked.sources.refuse_trained_on(manifest)
    data = read_dataset(asked.sources.dataset, manifest.input, terminal)
    said = answers(model, data, terminal)
    found: dict[str, Any] = {"model": manifest.model_id, "architecture": manifest.architecture}
    found |= {"dataset": data.facts(), "rows": data.counts.facts(), "zero_vectors": said.zero_vectors}
    if _keeps_apart(asked, data, manifest.dataset.get("content_sha256")):
        found |= figures_on_test_part(model, said, data, asked, terminal)
    else:
        found |= _figures_on_all(model, said, data, asked, terminal)
    found |= {"cost": cost(directory, baseline_beside(directory))} if asked.cost else {}
    return found | {"summary": summary(found)}


def figures_on_test_part(
    model: ServedModel, said: Answers, data: Dataset, asked: Asked, terminal: Terminal
) -> dict[str, Any]:
    """Return the figures with the test part as queries and the training and validation parts as gallery."""
    seed, size = model.manifest.seed, model.manifest.input
    parts = split(data.ids, seed)
    gallery = np.concatenate([parts.training, parts.validation])
    measured = Measured(data, said, parts.test, said.embedded.take(gallery), parts.validation, seed)
    sender = unseen(model.manifest, asked.left_out)
    evidence = gather(asked.sources, size, in_part("test", seed), sender, seed, terminal)
    about = {
        "queries": {"part": "test", "seed": seed, "count": len(parts.test)},
        "gallery": {"part": "training and validation", "count": len(gallery)},
    }
    if asked.grids:
        real_grids(model, measured, evidence, asked.grids, terminal)
    return about | figures(model, measured, evidence, terminal)


def _figures_on_all(
    model: ServedModel, said: Answers, data: Dataset, asked: Asked, terminal: Terminal
) -> dict[str, Any]:
    """Return the figures with every product as a query; a query never finds itself."""
    seed, size = model.manifest.seed, model.manifest.input
    gallery, name = said.embedded, "all but the query"
    if asked.gallery:
        other = read_dataset(asked.gallery, size, terminal)
        gallery, name = answers(model, other, terminal).embedded, other.name
    everything: NDArray[np.int64] = np.arange(len(data.ids))
    measured = Measured(data, said, everything, gallery, everything[:0], seed)
    sender = unseen(model.manifest, asked.left_out)
    evidence = gather(asked.sources, size, lambda product: True, sender, seed, terminal)
    about = {
        "queries": {"part": "all", "count": len(data.ids)},
        "gallery": {"part": name, "count": len(gallery.ids)},
    }
    if asked.grids:
        real_grids(model, measured, evidence, asked.grids, terminal)
    return about | figures(model, measured, evidence, terminal)


def baseline_beside(directory: Path) -> Path | None:
    """Return the baseline among the model's versions, or None."""
    versions = sorted(directory.resolve().parent.glob("[1-9]*"))
    return next((path for path in versions if _architecture(path) == BASELINE), None)


def _architecture(directory: Path) -> str | None:
    try:
        return load_manifest(directory).architecture
    except ManifestError:
        return None


def _keeps_apart(asked: Asked, data: Dataset, trained_on: str | None) -> bool:
    """Say whether only the test part is asked for."""
    if asked.gallery:
        return False
    return asked.part == "test" or (asked.part == "auto" and data.content_sha256 == trained_on)
