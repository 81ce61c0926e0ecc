"""Street garments with their vectors and colours, for look models."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.look.colours import lab
from training.data.archives.street import StreetGarments, read_street
from training.data.outfits import WornGarments, single_crops
from training.evaluation.evaluated_model import EvaluatedModel
from training.evaluation.search.retrieval import unit
from training.progress import Terminal

WHITE = 245  # of each channel: brighter pixels of a cut-out are its background


def worn_garments(embedding: EvaluatedModel, street: Path, seed: int, terminal: Terminal) -> WornGarments:
    """Read the street garments of the categories, and embed them.

    Raises:
        TrainingError: the path is no such archive.
    """
    garments = single_crops(read_street(street, embedding.manifest.input, seed, terminal), len(CATEGORIES))
    worn = unit(embedding.predict(garments.crops, terminal, "network over crops")[1])
    cutouts = unit(embedding.predict(garments.cutouts, terminal, "network over cut-outs")[1])
    return WornGarments(
        categories=garments.categories.astype(np.int64),
        photos=garments.photos,
        parts=garments.parts,
        worn=worn,
        cutouts=np.where(garments.has_cutout[:, None], cutouts, worn),
        colours=_colours(garments),
    )


def _colours(garments: StreetGarments) -> NDArray[np.float64]:
    """Return the median colours of cut-outs."""
    colours = np.full((len(garments.categories), 3), np.nan)
    for position in np.flatnonzero(garments.has_cutout).tolist():
        pixels = garments.cutouts[position].reshape(-1, 3)
        inside = pixels[(pixels < WHITE).any(axis=1)]
        if len(inside):
            colours[position] = np.median(lab(inside.astype(np.float64)), axis=0)
    return colours
