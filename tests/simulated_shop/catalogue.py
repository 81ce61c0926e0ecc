"""The products of the simulated shop: vectors around styles, attributes, and an appeal that no search knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.catalogue.product import Float32Array

DIMENSION = 64
STYLES = 24  # of a category
COMMON = 2.0  # weight of what all products of a category share: a real network's scores are near to each other, too
SPREAD = 0.55  # of products around their style
TYPES = ("Shirts", "Tops", "Dresses", "Jeans", "Heels", "Sneakers")
COLOURS = ("Black", "White", "Navy Blue", "Red", "Green", "Beige")
GENDERS = ("Women", "Men")
BRANDS = tuple(f"Brand {letter}" for letter in "ABCDEFGHIJ")
SIZES = ("S", "M", "L", "XL")
NAMES = ("Topwear", "Bottomwear", "Shoes")


@dataclass(frozen=True)
class ShopProduct:
    """A product as a search sees it; `score` is its similarity to a query."""

    id: str
    score: float = 0.0
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Shelf:
    """The products of a category.

    Attributes:
        category: its id.
        products: in the order of the rows.
        vectors: shape (products, DIMENSION), unit length.
        styles: the style of each product.
        appeal: of each product on the first day; it drifts.
        prices: of each product.
    """

    category: int
    products: tuple[ShopProduct, ...]
    vectors: Float32Array
    styles: NDArray[np.int64]
    appeal: NDArray[np.float64]
    prices: NDArray[np.float64]


def shelf(category: int, count: int, generator: np.random.Generator) -> Shelf:
    """Return a category of products."""
    centres = COMMON * unit(generator.standard_normal(DIMENSION)) + unit(generator.standard_normal((STYLES, DIMENSION)))
    styles = generator.integers(0, STYLES, count)
    vectors = unit(centres[styles] + SPREAD * unit(generator.standard_normal((count, DIMENSION))))
    prices = np.exp(generator.normal(3.5, 0.5, count)).round(2)
    products = tuple(
        ShopProduct(f"{NAMES[category][0]}{row}", attributes=_attributes(int(style), float(price), generator))
        for row, (style, price) in enumerate(zip(styles, prices, strict=True))
    )
    return Shelf(category, products, vectors, styles, generator.normal(0, 1, count), prices)


def _attributes(style: int, price: float, generator: np.random.Generator) -> dict[str, Any]:
    return {
        "articleType": TYPES[style % len(TYPES)],
        "baseColour": COLOURS[style // 2 % len(COLOURS)],
        "gender": GENDERS[style % len(GENDERS)],
        "brand": BRANDS[int(generator.integers(len(BRANDS)))],
        "size": SIZES[int(generator.integers(len(SIZES)))],
        "price": price,
        "availability": "in_stock" if generator.random() < 0.9 else "out_of_stock",
    }


def unit(vectors: NDArray[np.float64]) -> Float32Array:
    """Return rows of unit length, float32."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), dtype=np.float32)
