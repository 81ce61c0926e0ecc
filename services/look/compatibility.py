"""How well garments of two categories go together, from their vectors.

Each category has a projection of its own; two garments go together as far as their projections point the same way
(type-aware embedding: Vasileva et al., Learning Type-Aware Embeddings for Fashion Compatibility, ECCV 2018). For a
given garment the projections of both categories are one linear map, so the best partners are the nearest neighbours of
the mapped vector: the index finds them by its exact search.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from services.contracts.domain.errors import validation_message
from services.contracts.domain.manifest import MANIFEST_NAME, ManifestError
from services.look.colours import harmony
from services.look.manifest import LookManifest

Float32Array = NDArray[np.float32]
Setting = Literal["worn", "studio"]
WEIGHTS_NAME = "weights.npz"
FEWEST_OUTFITS = 10  # of the training data with a category; looks have only these, unless a request names others
LEARNED_OUTFITS = 30  # with both categories of a pair, from which on the pair counts as learned
# Weight of the harmony of colours, chosen on the validation part (training/EXPERIMENTS.md, "Looks").
LEARNED_PRIOR, UNLEARNED_PRIOR = 0.1, 0.4
LEAST_LENGTH = 1e-6


@dataclass(frozen=True)
class Garment:
    """A garment that others are to go with.

    Attributes:
        category: its id.
        vector: shape (dimension,), float32, unit length.
        setting: where its picture shows it: worn, in a photo, or alone, as a shop shows it.
    """

    category: int
    vector: Float32Array
    setting: Setting = "worn"


@dataclass(frozen=True)
class Compatibility:
    """A look model.

    Attributes:
        manifest: what it was learned from.
        projections: of each category, shape (categories, dimension, dimension).
        means: of each category's vectors in each setting, shape (categories, dimension).
        colour: reads the CIELAB colour out of a vector, shape (dimension + 1, 3); the last row is added.
    """

    manifest: LookManifest
    projections: Float32Array
    means: Mapping[Setting, Float32Array]
    colour: Float32Array

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read a model version directory such as `models/look/1`.

        Raises:
            ManifestError: it is missing, incomplete, or its parts do not fit together.
        """
        try:
            manifest = LookManifest.model_validate_json((directory / MANIFEST_NAME).read_bytes())
            with np.load(directory / WEIGHTS_NAME, allow_pickle=False) as file:
                arrays = {name: file[name].astype(np.float32) for name in ("projections", "worn", "studio", "colour")}
        except ValidationError as error:
            raise ManifestError(f"{directory / MANIFEST_NAME}: {validation_message(error.errors()[0])}") from None
        except (OSError, ValueError, KeyError) as error:
            raise ManifestError(f"{directory} is no look model: {error}") from None
        shapes = {name: array.shape for name, array in arrays.items()}
        count, dimension = len(manifest.categories), manifest.dimension
        per_category = (count, dimension)
        expected = {
            "projections": (count, dimension, dimension),
            "worn": per_category,
            "studio": per_category,
            "colour": (dimension + 1, 3),
        }
        if shapes != expected or not all(np.isfinite(array).all() for array in arrays.values()):
            raise ManifestError(f"{directory / WEIGHTS_NAME} does not fit its manifest: train the look model again")
        means: dict[Setting, Float32Array] = {"worn": arrays["worn"], "studio": arrays["studio"]}
        return cls(manifest, arrays["projections"], means, arrays["colour"])

    def save(self, directory: Path) -> None:
        """Write manifest and numbers into an existing directory. Projections are stored with 16 bits a number."""
        document = self.manifest.model_dump_json(indent=2)
        (directory / MANIFEST_NAME).write_text(document + "\n", "utf-8")
        np.savez_compressed(
            directory / WEIGHTS_NAME,
            projections=self.projections.astype(np.float16),
            worn=self.means["worn"].astype(np.float32),
            studio=self.means["studio"].astype(np.float32),
            colour=self.colour.astype(np.float32),
        )

    @cached_property
    def worn_together(self) -> tuple[int, ...]:
        """The categories that looks have, those first that most outfits have."""
        outfits = [self.manifest.outfits.get(name, 0) for name in self.manifest.categories]
        usual = [number for number, count in enumerate(outfits) if count >= FEWEST_OUTFITS]
        return tuple(sorted(usual, key=lambda number: -outfits[number]))

    def is_learned(self, category: int, other: int) -> bool:
        """Return whether the training data has enough outfits with both categories."""
        first, second = sorted((category, other))
        names = self.manifest.categories
        return self.manifest.pairs.get(f"{names[first]}+{names[second]}", 0) >= LEARNED_OUTFITS

    def target(self, garments: Sequence[Garment], category: int) -> Float32Array | None:
        """Return the vector whose nearest neighbours in a category go best with garments, shape (dimension,).

        None if the garments have no direction in it.
        """
        mapped = sum((self._projected(garment) for garment in garments), np.zeros(self.manifest.dimension))
        target = self.projections[category].T @ mapped
        length = float(np.linalg.norm(target))
        return None if length < LEAST_LENGTH else np.asarray(target / length, np.float32)

    def scores(
        self, garments: Sequence[Garment], category: int, vectors: Float32Array, setting: Setting = "studio"
    ) -> NDArray[np.float64]:
        """Return how well products go with garments, shape (n,): comparable within a category, no unit.

        Args:
            garments: at least one.
            category: of the products.
            vectors: of the products, shape (n, dimension), unit length.
            setting: of the products' pictures.
        """
        projected = (vectors - self.means[setting][category]) @ self.projections[category].T
        colours = self.colours(vectors)
        total = np.zeros(len(vectors))
        for garment in garments:
            prior = LEARNED_PRIOR if self.is_learned(garment.category, category) else UNLEARNED_PRIOR
            total += projected @ self._projected(garment) + prior * harmony(self.colours(garment.vector), colours)
        return total / len(garments)

    def colours(self, vectors: Float32Array) -> NDArray[Any]:
        """Return the main colours of garments in CIELAB, shape (…, 3), as far as their vectors tell."""
        return np.asarray(vectors @ self.colour[:-1] + self.colour[-1])

    def _projected(self, garment: Garment) -> NDArray[Any]:
        centred = garment.vector - self.means[garment.setting][garment.category]
        return np.asarray(self.projections[garment.category] @ centred)
