"""The canvas: parts with cloth, light and shadow are drawn on white, back to front."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw

from services.sample_shop.drawing.fabric import Cloth
from services.sample_shop.drawing.geometry import Point, bounds, ellipse
from services.sample_shop.drawing.light import FLAT, FloatArray, Relief, blurred, noise, shade
from services.sample_shop.drawing.palette import Colour

WIDTH, HEIGHT = 360, 480
Line = Sequence[Point]
FINER = 3  # outlines are drawn at this scale, then averaged
MARGIN = 4


@cache
def _pixels() -> tuple[FloatArray, FloatArray]:
    ys, xs = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    return xs + np.float32(0.5), ys + np.float32(0.5)


@dataclass(frozen=True)
class Window:
    """A rectangle of the canvas: whole pixels, right and bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def size(self) -> tuple[int, int]:
        return self.right - self.left, self.bottom - self.top

    def grid(self) -> tuple[FloatArray, FloatArray]:
        """Return x and y of the centre of each pixel, both of shape (height, width)."""
        xs, ys = _pixels()
        return xs[self.area], ys[self.area]


def window_of(points: Iterable[Point], margin: float = MARGIN) -> Window:
    """Return the smallest window with the points and a margin, clipped to the canvas; at least 3×3 pixels."""
    left, top, right, bottom = bounds(points)
    x0 = min(max(int(left - margin), 0), WIDTH - 3)
    y0 = min(max(int(top - margin), 0), HEIGHT - 3)
    return Window(
        x0, y0, max(min(int(right + margin) + 1, WIDTH), x0 + 3), max(min(int(bottom + margin) + 1, HEIGHT), y0 + 3)
    )


def _drawing(window: Window) -> Image.Image:
    return Image.new("L", (window.size[0] * FINER, window.size[1] * FINER))


def _finer(points: Iterable[Point], window: Window) -> list[Point]:
    return [((x - window.left) * FINER, (y - window.top) * FINER) for x, y in points]


def _averaged(drawing: Image.Image) -> FloatArray:
    return np.asarray(drawing.reduce(FINER), dtype=np.float32) / np.float32(255)


def filled(outline: Line, window: Window, holes: Sequence[Line] = ()) -> FloatArray:
    """Return the share of each pixel that the outline covers, 0 to 1, in the window's shape (height, width)."""
    drawing = _drawing(window)
    draw = ImageDraw.Draw(drawing)
    draw.polygon(_finer(outline, window), fill=255)
    for hole in holes:
        draw.polygon(_finer(hole, window), fill=0)
    return _averaged(drawing)


def stroked(line: Line, width: float, window: Window, closed: bool = False) -> FloatArray:
    """Return the share of each pixel that a round-capped line of this width covers. Hairlines are faint."""
    drawing = _drawing(window)
    draw = ImageDraw.Draw(drawing)
    thick = max(1, round(width * FINER))
    path = _finer([*line, line[0], line[1]] if closed else line, window)
    draw.line(path, fill=255, width=thick, joint="curve")
    if thick > 3 and not closed:
        for x, y in (path[0], path[-1]):
            draw.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=255)
    return _averaged(drawing) * np.float32(min(1.0, width * FINER))


class Canvas:
    """A white picture of 360×480 pixels on which a product is drawn, back to front."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.rgb = np.ones((HEIGHT, WIDTH, 3), np.float32)
        self.ink = np.zeros((HEIGHT, WIDTH), np.float32)
        self.tone = np.ones((HEIGHT, WIDTH), np.float32)

    def part(
        self,
        outline: Line,
        cloth: Cloth,
        relief: Relief = FLAT,
        *,
        holes: Sequence[Line] = (),
        within: Line | None = None,
        shadow: float = 0.25,
        opacity: float = 1.0,
    ) -> None:
        """Draw a part: its cloth with the light of its relief, and a soft shadow on the parts below."""
        window = window_of(outline)
        alpha = filled(outline, window, holes)
        if within is not None:
            alpha = alpha * filled(within, window)
        if shadow:
            self._shadow(window, alpha, shadow)
        tone = self._lit(window, alpha, cloth, relief, opacity)
        self.ink[window.area] = np.maximum(self.ink[window.area], alpha)
        self.tone[window.area] += (tone - self.tone[window.area]) * alpha

    def decal(self, outline: Line, colour: Colour, opacity: float = 1.0, within: Line | None = None) -> None:
        """Print a flat colour with the light of the parts below."""
        window = window_of(outline)
        alpha = filled(outline, window)
        if within is not None:
            alpha = alpha * filled(within, window)
        self._tint(window, colour, alpha * np.float32(opacity))

    def line(
        self,
        line: Line,
        colour: Colour,
        width: float = 1.0,
        opacity: float = 1.0,
        *,
        closed: bool = False,
        within: Line | None = None,
    ) -> None:
        """Draw a line with the light of the parts below: a seam, an edge or a cord."""
        window = window_of(line, MARGIN + width)
        alpha = stroked(line, width, window, closed)
        if within is not None:
            alpha = alpha * filled(within, window)
        self._tint(window, colour, alpha * np.float32(opacity))

    def cord(self, line: Line, cloth: Cloth, width: float, relief: Relief, *, closed: bool = False) -> None:
        """Draw a round cord, chain or strap of even width."""
        window = window_of(line, MARGIN + width)
        alpha = stroked(line, width, window, closed)
        self._shadow(window, alpha, 0.2)
        self._lit(window, alpha, cloth, relief)
        self.ink[window.area] = np.maximum(self.ink[window.area], alpha)

    def glow(self, outline: Line, radius: float, amount: float, within: Line | None = None) -> None:
        """Lighten (amount over 0) or darken (below 0) softly inside an outline."""
        window = window_of(outline, radius * 2)
        alpha = blurred(filled(outline, window), radius / 1.5)
        if within is not None:
            alpha = alpha * filled(within, window)
        target = np.float32(1.0 if amount > 0 else 0.0)
        weight = (alpha * np.float32(abs(amount)))[..., None]
        self.rgb[window.area] += (target - self.rgb[window.area]) * weight

    def ground(self, cx: float, cy: float, rx: float, ry: float, strength: float = 0.3) -> None:
        """Draw a faint shadow on the ground, before the parts above it."""
        self.glow(ellipse(cx, cy, rx, ry), max(ry, 5.0), -strength)

    def creases(self, outline: Line, cells: tuple[int, int], amount: float) -> None:
        """Draw creases inside the outline."""
        window = window_of(outline)
        alpha = filled(outline, window)
        field = noise(self.rng, alpha.shape, cells)
        self.rgb[window.area] *= (1 + field * alpha * np.float32(amount))[..., None]

    def image(self) -> Image.Image:
        """Return the picture, 8-bit RGB."""
        scaled = self.rgb * np.float32(255) + np.float32(0.5)
        return Image.fromarray(np.clip(scaled, 0, 255, out=scaled).astype(np.uint8))

    def _lit(self, window: Window, alpha: FloatArray, cloth: Cloth, relief: Relief, opacity: float = 1.0) -> FloatArray:
        """Draw lit cloth with the opacity alpha, and return the tone of the light."""
        tone, gloss = shade(alpha, relief, self.rng)
        colours = cloth.paint(*window.grid(), self.rng) * tone[..., None]
        if gloss is not None:
            colours += gloss[..., None]
        self._blend(window, colours, alpha if opacity == 1 else alpha * np.float32(opacity))
        return tone

    def _shadow(self, window: Window, alpha: FloatArray, strength: float) -> None:
        ink = self.ink[window.area]
        if not ink.any():
            return
        shadow = blurred(alpha, 4)
        shadow[3:] = shadow[:-3] * (ink[3:] * np.float32(-strength))
        shadow[:3] = 0
        self.rgb[window.area] *= (shadow + np.float32(1))[..., None]

    def _tint(self, window: Window, colour: Colour, alpha: FloatArray) -> None:
        self._blend(window, np.asarray(colour, np.float32) * self.tone[window.area][..., None], alpha)

    def _blend(self, window: Window, colours: FloatArray, alpha: FloatArray) -> None:
        here = self.rgb[window.area]
        here += (colours - here) * alpha[..., None]
