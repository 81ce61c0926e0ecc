"""Soft studio light: a height field from the outline, and shading, folds and gloss from its slope."""

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

FloatArray = NDArray[np.floating]

# The light is at the upper left, so slopes that rise to the right and down face it.
LIGHT_X, LIGHT_Y = 0.55, 0.75
STEP = 3  # shading is smooth, so it is computed for every third pixel


@dataclass(frozen=True)
class Relief:
    """How a part bulges and shines.

    Attributes:
        depth: how far in, in pixels, the surface goes on rising from the edge.
        gain: strength of the shading that the slope gives.
        rim: how much darker the very edge is, 0 to 1.
        folds: strength of folds; `grid` how many across and down.
        gloss: strength of the highlight.
    """

    depth: float = 16.0
    gain: float = 1.1
    rim: float = 0.22
    folds: float = 0.0
    grid: tuple[int, int] = (5, 4)
    gloss: float = 0.0


FLAT = Relief(depth=3, gain=0.25, rim=0.06)
THIN = Relief(depth=5, gain=0.5, rim=0.12)
SOFT = Relief(depth=18, gain=1.1, rim=0.2, folds=0.5)
DRAPED = Relief(depth=20, gain=1.2, rim=0.22, folds=0.95)
PUFFED = Relief(depth=26, gain=1.6, rim=0.3, folds=0.5)
LEATHER = Relief(depth=15, gain=1.3, rim=0.3, folds=0.28, gloss=0.35)
SHINY = Relief(depth=10, gain=1.5, rim=0.32, gloss=0.75)
METAL = Relief(depth=4, gain=1.4, rim=0.18, gloss=0.9)


def noise(rng: random.Random, shape: tuple[int, ...], cells: tuple[int, int]) -> FloatArray:
    """Return smooth noise of a shape (height, width), about -1 to 1; `cells` is the number of bumps across and down.

    The random numbers are bytes of Python's own generator, whose sequence is fixed for a seed on every machine.
    """
    height, width = shape
    across, down = cells[0] + 2, cells[1] + 2
    grid = np.frombuffer(rng.randbytes(across * down), np.uint8).reshape(down, across).astype(np.float32) / 127.5 - 1
    return _resized(grid, width, height)


def _resized(field: FloatArray, width: int, height: int) -> FloatArray:
    return np.asarray(Image.fromarray(field).resize((width, height), Image.Resampling.BICUBIC))


def blurred(field: FloatArray, radius: float) -> FloatArray:
    """Return a field of values from 0 to 1, blurred with a Gaussian; the border values extend outwards.

    In 8 bits: Pillow's blur then works in whole numbers, which come out the same on every machine.
    """
    image = Image.fromarray((field * np.float32(255) + np.float32(0.5)).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(max(1.0, radius))), np.float32) / np.float32(255)


def shade(alpha: FloatArray, relief: Relief, rng: random.Random) -> tuple[FloatArray, FloatArray | None]:
    """Return the tone, a factor of the colour, and the gloss, an addition to it or None, in alpha's shape."""
    height, width = alpha.shape
    small = np.ascontiguousarray(alpha[::STEP, ::STEP])
    rise = np.clip(blurred(small, relief.depth / STEP / 1.5) * 2 - 1, 0, 1)
    surface = rise * relief.depth / STEP
    if relief.folds:
        surface = surface + noise(rng, small.shape, relief.grid) * (relief.folds * 2.2)
        surface = surface + noise(rng, small.shape, (relief.grid[0] * 2, relief.grid[1] * 2)) * (relief.folds * 0.7)
    slope = _slope(surface)
    tone = 1 + relief.gain * 0.2 * slope - relief.rim * (1 - rise) ** 2
    tone = _resized(np.clip(tone, 0.3, 1.45), width, height)
    if not relief.gloss:
        return tone, None
    shine = relief.gloss * np.clip(slope - 0.35, 0, 1) ** 2
    return tone, np.clip(_resized(shine, width, height), 0, 0.8)


def _slope(surface: FloatArray) -> FloatArray:
    across, down = np.zeros_like(surface), np.zeros_like(surface)
    across[:, 1:-1] = (surface[:, 2:] - surface[:, :-2]) / 2
    down[1:-1] = (surface[2:] - surface[:-2]) / 2
    return np.tanh(across * LIGHT_X + down * LIGHT_Y)
