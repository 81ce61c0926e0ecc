"""The figures of a model version: classification, retrieval, people's photos. For any directory and any archive."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.catalogue.kaggle import CATEGORIES
from training.dataset import Dataset, read_dataset
from training.errors import TrainingError
from training.metrics import classification
from training.photos import read_photos
from training.progress import Terminal
from training.retrieval import Embedded, precision_at_k, unit
from training.served import ServedModel
from training.split import split


@dataclass(frozen=True)
class Answers:
    """What the network says of each product of a data set: `embedded.vectors` are unit length."""

    probabilities: NDArray[np.float32]
    embedded: Embedded
    zero_vectors: int


def answers(model: ServedModel, data: Dataset, terminal: Terminal) -> Answers:
    """Run the network over a whole data set."""
    probabilities, vectors = model.predict(data.images, terminal, f"network over {data.name}")
    if not np.isfinite(vectors).all() or not np.isfinite(probabilities).all():
        raise TrainingError(f"the network's answers to {data.name} are not all numbers")
    zero = int((np.linalg.norm(vectors, axis=1) == 0).sum())
    embedded = Embedded(np.array(data.ids), data.labels, data.article_types, data.base_colours, unit(vectors))
    return Answers(probabilities, embedded, zero)


def figures_on_test_part(said: Answers, data: Dataset, seed: int) -> dict[str, Any]:
    """Return the figures with the test part as queries and the training and validation parts as gallery."""
    parts = split(data.ids, seed)
    gallery = np.concatenate([parts.training, parts.validation])
    return {
        "queries": {"part": "test", "seed": seed, "count": len(parts.test)},
        "gallery": {"part": "training and validation", "count": len(gallery)},
        "classification": classification(data.labels[parts.test], said.probabilities[parts.test], CATEGORIES),
        "retrieval": precision_at_k(said.embedded.take(parts.test), said.embedded.take(gallery), CATEGORIES),
    }


def figures_on_all(said: Answers, data: Dataset, gallery: Embedded, gallery_name: str) -> dict[str, Any]:
    """Return the figures with every product as a query; a query never finds itself."""
    return {
        "queries": {"part": "all", "count": len(data.ids)},
        "gallery": {"part": gallery_name, "count": len(gallery.ids)},
        "classification": classification(data.labels, said.probabilities, CATEGORIES),
        "retrieval": precision_at_k(said.embedded, gallery, CATEGORIES),
    }


def photo_figures(model: ServedModel, path: Path, terminal: Terminal) -> dict[str, Any]:
    """Return the nine-way accuracy on people's photos, of senders whom training did not see."""
    seen = model.manifest.dataset.get("photos", {}).get("senders_seen", ())
    photos = read_photos(path, model.manifest.input, CATEGORIES, terminal, frozenset(seen))
    probabilities, _ = model.predict(photos.images, terminal, "network over photos")
    return {
        "archive": path.resolve().name,
        "senders": len(set(photos.senders.tolist())),
        "which_senders": "those that training has not seen" if photos.senders_left_out else "all in the archive",
        "senders_left_out": photos.senders_left_out,
        "outside_the_nine": photos.outside_the_nine,
        "unreadable": photos.unreadable,
        "classification": classification(photos.labels, probabilities, CATEGORIES),
    }


def evaluate_directory(
    directory: Path,
    dataset: Path,
    part: str,
    terminal: Terminal,
    gallery: Path | None = None,
    photos: Path | None = None,
) -> dict[str, Any]:
    """Return all figures of a model version directory, ready for JSON.

    Args:
        directory: such as `models/fashion/1`.
        dataset: the archive whose products are the queries.
        part: `test` (the part the model's seed keeps apart), `all`, or `auto`: `test` on the archive it was trained on.
        terminal: gets the progress.
        gallery: another archive to search in; all products of `dataset` are then the queries.
        photos: the Clothing dataset, for the accuracy on people's photos.

    Raises:
        ManifestError, ArchiveError, TrainingError: the text is one sentence.
    """
    model = ServedModel.load(directory)
    if model.manifest.categories != CATEGORIES:
        raise TrainingError(f"{directory} tells other categories than the archive's nine: it cannot be measured on it")
    if gallery and part == "test":
        raise TrainingError("--gallery takes all of --dataset as queries: it does not go with --split test")
    data = read_dataset(dataset, model.manifest.input, terminal)
    said = answers(model, data, terminal)
    figures: dict[str, Any] = {"model": model.manifest.model_id, "architecture": model.manifest.architecture}
    figures |= {"dataset": data.facts(), "rows": data.counts.facts(), "zero_vectors": said.zero_vectors}
    if gallery:
        other = read_dataset(gallery, model.manifest.input, terminal)
        figures |= figures_on_all(said, data, answers(model, other, terminal).embedded, other.name)
    elif part == "test" or (part == "auto" and data.content_sha256 == model.manifest.dataset.get("content_sha256")):
        figures |= figures_on_test_part(said, data, model.manifest.seed)
    else:
        figures |= figures_on_all(said, data, said.embedded, "all but the query")
    return figures | ({"photos": photo_figures(model, photos, terminal)} if photos else {})
