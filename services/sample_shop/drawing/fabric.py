"""Cloth: a colour, a pattern printed or woven in a second and third one, and the texture of the surface."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from services.sample_shop.drawing.light import FloatArray, noise
from services.sample_shop.drawing.palette import Colour
from services.sample_shop.drawing.patterns import PATTERNS

Texture = Callable[[FloatArray, FloatArray, random.Random], FloatArray]


@dataclass(frozen=True)
class Cloth:
    """The material of a part.

    Attributes:
        colour: the ground; `second` and `third` are the pattern's colours.
        pattern: a name in `patterns.PATTERNS`; `scale` makes it larger or smaller.
        texture: a name in `TEXTURES`.
        angle: degrees by which pattern and texture are turned about `origin`: a sleeve's stripes run across it.
        seed: what tells one print from the next of the same pattern.
    """

    colour: Colour
    second: Colour = (0.95, 0.95, 0.94)
    third: Colour = (0.2, 0.2, 0.25)
    pattern: str = "plain"
    texture: str = "smooth"
    scale: float = 1.0
    angle: float = 0.0
    origin: tuple[float, float] = (180.0, 240.0)
    seed: int = 1

    def paint(self, x: FloatArray, y: FloatArray, rng: random.Random) -> FloatArray:
        """Return the cloth's own colours, before light.

        Args:
            x, y: each pixel's place, both of shape (height, width).
            rng: for the texture's grain.

        Returns:
            shape (height, width, 3), or (1, 1, 3) where it is the same all over; 0 to about 1.
        """
        colours: FloatArray = np.asarray(self.colour, np.float32).reshape(1, 1, 3)
        if self.pattern == "plain" and self.texture == "smooth":
            return colours
        u, v = self._turned(x, y)
        layers = PATTERNS[self.pattern](u / np.float32(self.scale), v / np.float32(self.scale), self.seed)
        for weight, ink in zip(layers, (self.second, self.third), strict=False):
            colours = colours + (np.asarray(ink, np.float32) - colours) * weight[..., None]
        if self.texture == "smooth":
            return colours.astype(np.float32)
        return (colours * TEXTURES[self.texture](u, v, rng)[..., None]).astype(np.float32)

    def plain(self, colour: Colour | None = None, texture: str | None = None) -> "Cloth":
        """Return the same cloth without its pattern, optionally in another colour or texture."""
        return replace(self, pattern="plain", colour=colour or self.colour, texture=texture or self.texture)

    def turned(self, degrees: float, origin: tuple[float, float] = (180.0, 240.0)) -> "Cloth":
        """Return the same cloth cut at an angle."""
        return replace(self, angle=self.angle + degrees, origin=origin)

    def _turned(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        u, v = x - np.float32(self.origin[0]), y - np.float32(self.origin[1])
        if not self.angle:
            return u, v
        c, s = np.float32(math.cos(math.radians(self.angle))), np.float32(math.sin(math.radians(self.angle)))
        return u * c + v * s, v * c - u * s


def _grain(x: FloatArray, rng: random.Random, fineness: int = 2) -> FloatArray:
    return noise(rng, x.shape, (x.shape[1] // fineness + 1, x.shape[0] // fineness + 1))


def _triangle(t: FloatArray) -> FloatArray:
    wave: FloatArray = np.abs(t - np.floor(t) - np.float32(0.5)) * np.float32(4) - np.float32(1)
    return wave


def _jersey(x: FloatArray, y: FloatArray, rng: random.Random) -> FloatArray:
    return 1 + 0.022 * _grain(x, rng)


def _melange(x: FloatArray, y: FloatArray, rng: random.Random) -> FloatArray:
    return 1 + 0.1 * noise(rng, x.shape, (x.shape[1] // 5 + 1, x.shape[0] + 1)) + 0.04 * _grain(x, rng)


def _knit(x: FloatArray, y: FloatArray, rng: random.Random) -> FloatArray:
    stitches = _triangle(y / 5 + np.abs(_triangle(x / 7)) * 0.4)
    return 1 + 0.09 * stitches + 0.03 * _grain(x, rng)


def _cable(x: FloatArray, y: FloatArray, rng: random.Random) -> FloatArray:
    rope: FloatArray = _triangle(x / 30 + 0.25 * _triangle(y / 36))
    twisted: FloatArray = _knit(x, y, rng) * (1 + 0.1 * rope)
    return twisted


def _ribbed(x: FloatArray, y: FloatArray, rng: random.Random) -> FloatArray:
    return 1 + 0.1 * _triangle(x / 5.5) + 0.02 * _grain(x, rng)


def _denim(x: FloatArray, y: FloatArray, rng: random.Random) -> FloatArray:
    slub = noise(rng, x.shape, (x.shape[1] // 2 + 1, x.shape[0] // 12 + 1))
    weave: FloatArray = 1 + 0.07 * _triangle((x + y * 0.7) / 3.6) + 0.07 * slub + 0.05 * _grain(x, rng)
    return weave


def _canvas(x: FloatArray, y: FloatArray, rng: random.Random) -> FloatArray:
    return 1 + 0.045 * _triangle(x / 3.2) * _triangle(y / 3.2) + 0.04 * _grain(x, rng)


def _leather(x: FloatArray, y: FloatArray, rng: random.Random) -> FloatArray:
    return 1 + 0.05 * _grain(x, rng, 3) + 0.05 * _grain(x, rng, 14)


def _suede(x: FloatArray, y: FloatArray, rng: random.Random) -> FloatArray:
    return 1 + 0.08 * _grain(x, rng, 2) + 0.06 * _grain(x, rng, 9)


def _quilted(x: FloatArray, y: FloatArray, rng: random.Random) -> FloatArray:
    a, b = (x + y) / 34, (x - y) / 34
    padded: FloatArray = 0.82 + 0.24 * np.sqrt((1 - np.abs(_triangle(a)) ** 4) * (1 - np.abs(_triangle(b)) ** 4) + 0.05)
    return padded


def _mesh(x: FloatArray, y: FloatArray, rng: random.Random) -> FloatArray:
    return 1 + 0.09 * _triangle((x + y) / 4.5) * _triangle((x - y) / 4.5)


def _lace(x: FloatArray, y: FloatArray, rng: random.Random) -> FloatArray:
    return 1 + 0.14 * _triangle(x / 9 + 0.3 * _triangle(y / 12)) * _triangle(y / 8) + 0.06 * _grain(x, rng, 3)


def _brushed(x: FloatArray, y: FloatArray, rng: random.Random) -> FloatArray:
    return 1 + 0.06 * noise(rng, x.shape, (3, x.shape[0]))


TEXTURES: dict[str, Texture] = {
    "jersey": _jersey,
    "melange": _melange,
    "knit": _knit,
    "cable": _cable,
    "ribbed": _ribbed,
    "denim": _denim,
    "canvas": _canvas,
    "leather": _leather,
    "suede": _suede,
    "quilted": _quilted,
    "mesh": _mesh,
    "lace": _lace,
    "brushed": _brushed,
}
