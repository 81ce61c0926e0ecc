"""Families of products, their cuts, and the look of one product."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from services.sample_shop.drawing.fabric import Cloth
from services.sample_shop.drawing.palette import Colour
from services.sample_shop.drawing.raster import Canvas

Draw = Callable[[Canvas, "Look"], None]


@dataclass(frozen=True)
class Look:
    """The look of one product: its main and second colour, its cloth, and a random generator."""

    rng: random.Random
    colour: Colour
    accent: Colour
    cloth: Cloth
    pattern: str = "plain"
    woman: bool = False

    def between(self, low: float, high: float) -> float:
        """Return a random number between two bounds."""
        return self.rng.uniform(low, high)

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.rng.random() < probability

    def trim(self, texture: str = "smooth") -> Cloth:
        """Return plain cloth in the second colour."""
        return self.cloth.plain(self.accent, texture)

    def body(self, texture: str | None = None) -> Cloth:
        """Return plain cloth in the main colour."""
        return self.cloth.plain(texture=texture)

    def stuff(self, colour: Colour, texture: str = "smooth") -> Cloth:
        """Return plain cloth of any colour."""
        return replace(self.cloth, colour=colour, pattern="plain", texture=texture, angle=0.0)


@dataclass(frozen=True)
class Cut:
    """One kind of product and its drawing function.

    Attributes:
        noun: as in a title: "crew-neck T-shirt".
        article: the Kaggle data's `articleType`.
        colours: names in the palette, the shop's range.
        patterns: names in `PATTERNS`, or of prints the cut draws itself; one is chosen a product.
        texture: the cloth's.
        price: lowest and highest.
        accents: names of second colours; none means one that stands out.
    """

    noun: str
    article: str
    draw: Draw
    colours: tuple[str, ...]
    patterns: tuple[str, ...] = ("plain",)
    texture: str = "jersey"
    genders: tuple[str, ...] = ("Men", "Women")
    price: tuple[int, int] = (15, 60)
    accents: tuple[str, ...] = ()
    usage: str = "Casual"


@dataclass(frozen=True)
class Family:
    """All cuts of one of the nine categories."""

    category: str
    cuts: tuple[Cut, ...]
