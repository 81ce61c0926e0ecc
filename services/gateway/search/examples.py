"""Searches by several photos and products, liked and not: one query vector of all of them.

The vectors are combined as Rocchio's relevance feedback does (Manning, Raghavan & Schütze, Introduction to Information
Retrieval, 2008, section 9.1.1): the photo, plus the mean of the liked examples, minus the mean of the unliked ones.
The search with the combined vector is exact, as every other.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.errors import InvalidRequest, UnknownProduct
from services.contracts.wire.embedding import EmbeddingResponse
from services.contracts.wire.index import IndexVectors, ProductVector
from services.gateway.index_nodes.nodes import IndexNodes

Float32Array = NDArray[np.float32]
# The weights of the source.
PHOTO, LIKED, UNLIKED = 1.0, 0.75, 0.15
LEAST_LENGTH = 1e-3  # of the combined vector: a shorter one has no direction


@dataclass(frozen=True)
class PhotoQuery:
    """The images of a search by photo: the photo, and the images that are liked or not. `photo` is None without one."""

    photo: bytes | None
    liked: tuple[bytes, ...] = ()
    unliked: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Examples:
    """What a search likes and does not like.

    Attributes:
        liked, unliked: vectors of unit length, shape (n, dimension).
        categories: the category id of each liked example.
        embeddings: of the liked images.
    """

    liked: Float32Array
    unliked: Float32Array
    categories: tuple[int, ...]
    embeddings: tuple[EmbeddingResponse, ...]

    @property
    def category(self) -> int | None:
        """The category of most liked examples, of the first of them if several are equal; None without any."""
        return Counter(self.categories).most_common(1)[0][0] if self.categories else None


NO_EXAMPLES = Examples(np.empty((0, 0), np.float32), np.empty((0, 0), np.float32), (), ())


def combined(photo: Float32Array | None, examples: Examples) -> Float32Array:
    """Return the query vector, shape (dimension,), unit length.

    Args:
        photo: the photo's vector, unit length; None without a photo.
        examples: the liked and the unliked ones.

    Raises:
        InvalidRequest: the vectors cancel each other out.
    """
    parts = [PHOTO * photo] if photo is not None else []
    if len(examples.liked):
        parts.append(LIKED * examples.liked.mean(axis=0))
    if len(examples.unliked):
        parts.append(-UNLIKED * examples.unliked.mean(axis=0))
    total = np.sum(parts, axis=0, dtype=np.float64)
    length = np.linalg.norm(total)
    if length < LEAST_LENGTH:
        raise InvalidRequest("the liked and the unliked examples cancel each other out")
    return np.asarray(total / length, np.float32)


class ExampleReader:
    """Finds the vectors of examples: of products in the index, of images through the network."""

    def __init__(self, embedding: EmbeddingClient, index: IndexNodes, catalogues: tuple[str, ...]) -> None:
        self._embedding = embedding
        self._index = index
        self._catalogues = catalogues

    async def read(self, query: PhotoQuery, like: Sequence[str], unlike: Sequence[str], model: str) -> Examples:
        """Return the examples of a search.

        Args:
            query: the images.
            like: ids of the products that are liked.
            unlike: ids of the products that are not.
            model: of the vectors.

        Raises:
            UnknownProduct: a product is not in the index.
            LookalikeError: as `EmbeddingClient.embed` and `IndexNodes.vectors`.
        """
        images = [*query.liked, *query.unliked]
        products, embeddings = await asyncio.gather(
            self._products([*like, *unlike], model),
            asyncio.gather(*(self._embedding.embed(image, model) for image in images)),
        )
        liked_images = embeddings[: len(query.liked)]
        liked_products = [products[id] for id in like]
        liked = [*(embedding.vector for embedding in liked_images), *(product.vector for product in liked_products)]
        unliked = [
            *(embedding.vector for embedding in embeddings[len(query.liked) :]),
            *(products[id].vector for id in unlike),
        ]
        return Examples(
            np.array(liked, np.float32),
            np.array(unliked, np.float32),
            (
                *(embedding.category.id for embedding in liked_images),
                *(product.category for product in liked_products),
            ),
            tuple(liked_images),
        )

    async def _products(self, ids: Sequence[str], model: str) -> dict[str, ProductVector]:
        if not ids:
            return {}
        query = IndexVectors(ids=list(dict.fromkeys(ids)), catalogues=self._catalogues, model=model)
        products = {product.id: product for product in await self._index.vectors(query)}
        missing = [id for id in ids if id not in products]
        if missing:
            raise UnknownProduct(f"there is no product {missing[0]!r} in the index")
        return products
