"""The figures of street garments: categories, types, and whether a garment finds its own cut-out."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from training.data.archives.street import StreetGarments
from training.data.garment_types import STREET_TYPES
from training.evaluation.classification import classification
from training.evaluation.evaluated_model import EvaluatedModel
from training.evaluation.search.retrieval import EmbeddedProducts, unit, unlabelled_products
from training.evaluation.search.type_agreement import type_agreement
from training.progress import Terminal

FIRST_RESULTS = 10
Floats = NDArray[np.float32]


class QueryOutputs(Protocol):
    """Pictures by their outputs: true categories int64 (n,), probabilities and unit vectors, float32."""

    @property
    def labels(self) -> NDArray[np.int64]: ...

    @property
    def probabilities(self) -> Floats: ...

    @property
    def vectors(self) -> Floats: ...


def street_figures(
    model: EvaluatedModel,
    archive: StreetGarments,
    garments: StreetGarments,
    pictures: QueryOutputs,
    gallery: EmbeddedProducts,
    terminal: Terminal,
) -> dict[str, Any]:
    """Return the figures of street garments of the nine categories, ready for JSON.

    Args:
        model: to evaluate.
        archive: all garments.
        garments: those to evaluate, of the nine categories.
        pictures: the outputs for their crops.
        gallery: studio shots.
        terminal: shows the progress.

    Returns:
        `classification`, with `macro`, the mean recall of the categories that have garments; `type_agreement` within
        the garment's category, None if no label has types; `own_cutout`: see `own_cutout`.
    """
    result = classification(pictures.labels, pictures.probabilities, CATEGORIES)
    recalls = [row["recall"] for row in result["per_category"] if row["support"]]
    queries = unlabelled_products(pictures.labels, pictures.vectors)
    return {
        "archive": garments.name,
        "photos": len(set(garments.photos.tolist())),
        "classification": result | {"macro": float(np.mean(recalls))},
        "type_agreement": type_agreement(garments.labels, queries, gallery, STREET_TYPES),
        "own_cutout": own_cutout(model, garments, pictures.vectors, archive.take(archive.has_cutout), terminal),
    }


def own_cutout(
    model: EvaluatedModel, garments: StreetGarments, vectors: Floats, cutouts: StreetGarments, terminal: Terminal
) -> dict[str, Any] | None:
    """Return how often a garment in the street finds its own cut-out among those of its category; None without any.

    Args:
        model: to evaluate.
        garments: in the street.
        vectors: of their crops, float32 (n, dim), unit length.
        cutouts: garments with a cut-out.
        terminal: shows the progress.
    """
    places = {item: place for place, item in enumerate(cutouts.items.tolist()) if item}
    own = np.array([places.get(item, -1) for item in garments.items.tolist()], np.int64)
    queries = np.flatnonzero(own >= 0)
    if not len(queries):
        return None
    gallery = unit(model.predict(cutouts.cutouts, terminal, "network over cut-outs")[1])
    similar = vectors[queries] @ gallery.T
    itself = similar[np.arange(len(queries)), own[queries]]
    others = cutouts.categories[None, :] == garments.categories[queries, None]
    ranks = ((similar > itself[:, None]) & others).sum(axis=1)
    return {
        "count": len(queries),
        "gallery": "all cut-outs of its category",
        "first": float((ranks == 0).mean()),
        "first_ten": float((ranks < FIRST_RESULTS).mean()),
    }
