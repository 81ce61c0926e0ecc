"""Why two pictures are alike: which parts of each of them the similarity comes from, by occlusion.

A part is covered by the picture's mean colour, and the network runs again (Zeiler & Fergus, Visualizing and
Understanding Convolutional Networks, 2014, section 4.2, with the similarity of two pictures in the place of a class).
"""

import asyncio
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.box import Box
from services.contracts.domain.errors import LookalikeError
from services.contracts.images.preparation import UInt8Image
from services.contracts.wire.embedding import EXPLAINED_COLUMNS, EXPLAINED_ROWS
from services.embedding.vision.embedder import Embedder, ImageEmbedding
from services.embedding.vision.network_outputs import Float32Array

Drops = NDArray[np.float64]
WHITE = 250  # a pixel is white if no channel is below it: JPEG leaves traces in white margins


@dataclass(frozen=True)
class PairExplanation:
    """The cosine similarity of two pictures, and by how much covering each cell of a picture lowers it.

    Attributes:
        similarity: cosine similarity of the pictures' vectors.
        query, product: shape (EXPLAINED_ROWS, EXPLAINED_COLUMNS): the similarity minus the similarity with the cell
            covered. Negative where the cell makes the pictures less alike.
    """

    similarity: float
    query: Drops
    product: Drops


def covered(picture: UInt8Image) -> UInt8Image:
    """Return the picture as it is, then once for each cell, row by row, with the cell in the picture's mean colour.

    A white margin stays white: there is nothing to cover, and a grey bar in it would look like a part of the picture.

    Args:
        picture: uint8, shape (height, width, 3).

    Returns:
        uint8, shape (1 + EXPLAINED_ROWS * EXPLAINED_COLUMNS, height, width, 3).
    """
    rows, columns = inner = _inside_margins(picture)
    mean = picture[inner].mean(axis=(0, 1)).round().astype(np.uint8)
    copies = np.repeat(picture[None], 1 + EXPLAINED_ROWS * EXPLAINED_COLUMNS, axis=0)
    tops = np.linspace(0, picture.shape[0], EXPLAINED_ROWS + 1).round().astype(int).clip(rows.start, rows.stop)
    lefts = np.linspace(0, picture.shape[1], EXPLAINED_COLUMNS + 1).round().astype(int)
    lefts = lefts.clip(columns.start, columns.stop)
    for row in range(EXPLAINED_ROWS):
        for column in range(EXPLAINED_COLUMNS):
            cell = copies[1 + row * EXPLAINED_COLUMNS + column]
            cell[tops[row] : tops[row + 1], lefts[column] : lefts[column + 1]] = mean
    return copies


def _inside_margins(picture: UInt8Image) -> tuple[slice, slice]:
    """Return the rows and columns of a picture without its white margins; all of a picture that is white."""
    is_shown = picture.min(axis=-1) < WHITE
    rows, columns = np.flatnonzero(is_shown.any(axis=1)), np.flatnonzero(is_shown.any(axis=0))
    if not rows.size:
        return slice(0, picture.shape[0]), slice(0, picture.shape[1])
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


async def explain(embedder: Embedder, query: bytes, product: bytes, box: Box | None = None) -> PairExplanation:
    """Explain the similarity of two image files. Each picture is one batch of the network.

    Args:
        embedder: of the model.
        query, product: the image files.
        box: the part of the query's picture to use. Default: all of it.

    Raises:
        InvalidImage, ImageTooLarge, UnsupportedImage: a picture cannot be used; the error says which.
        InvalidRequest: the box has too few pixels.
        EmbeddingUnavailable, UpstreamTimeout: the network did not respond.
    """
    first, second = await asyncio.gather(
        _vectors(embedder, query, "the query's picture", box), _vectors(embedder, product, "the product's picture")
    )
    similarity = float(first[0] @ second[0])
    return PairExplanation(similarity, _drops(similarity, first, second[0]), _drops(similarity, second, first[0]))


async def _vectors(embedder: Embedder, file: bytes, name: str, box: Box | None = None) -> Float32Array:
    """Return the vectors of a picture and of its covered copies. A copy without a direction has the zero vector."""
    (picture,) = await embedder.decode([file], box)
    if isinstance(picture, LookalikeError):
        raise _naming(name, picture)
    whole, *copies = await embedder.embed_pictures(covered(picture))
    if not isinstance(whole, ImageEmbedding):
        raise _naming(name, whole)
    zero = np.zeros_like(whole.vector)
    return np.stack([whole.vector, *(copy.vector if isinstance(copy, ImageEmbedding) else zero for copy in copies)])


def _naming(name: str, error: LookalikeError) -> LookalikeError:
    error.detail = f"{name}: {error.detail}"
    return error


def _drops(similarity: float, vectors: Float32Array, other: Float32Array) -> Drops:
    return (similarity - (vectors[1:] @ other).astype(np.float64)).reshape(EXPLAINED_ROWS, EXPLAINED_COLUMNS)
