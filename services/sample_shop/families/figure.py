"""A shop mannequin without a face: what tops, trousers and underwear are shown on.

Its own measures: x from the middle, y down from the top of the head, 76 units a head, 610 to the sole.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace

from services.sample_shop.drawing.fabric import Cloth
from services.sample_shop.drawing.geometry import Point, Points, ellipse, joined, loop, mirror, spline, symmetric
from services.sample_shop.drawing.light import SHINY, Relief
from services.sample_shop.drawing.palette import Colour, darker, lighter
from services.sample_shop.drawing.raster import Canvas

SKINS: tuple[Colour, ...] = (
    (0.94, 0.79, 0.68),
    (0.88, 0.69, 0.55),
    (0.77, 0.57, 0.43),
    (0.60, 0.42, 0.31),
    (0.91, 0.74, 0.61),
)
HAIRS: tuple[Colour, ...] = ((0.12, 0.10, 0.10), (0.19, 0.13, 0.11), (0.27, 0.18, 0.13), (0.10, 0.10, 0.12))


@dataclass(frozen=True)
class Figure:
    """A mannequin placed on the canvas: `scale` pixels a unit, the top of its head at (x, y)."""

    woman: bool
    skin: Colour
    hair: Colour
    scale: float = 1.05
    x: float = 180.0
    y: float = 22.0

    def at(self, points: Iterable[Point]) -> Points:
        """Return points given in the figure's own measures as pixels."""
        return [(self.x + px * self.scale, self.y + py * self.scale) for px, py in points]

    def both(self, points: Iterable[Point]) -> tuple[Points, Points]:
        """Return the points of the right side and of the left side, as pixels."""
        placed = self.at(points)
        return placed, mirror(placed, self.x)

    def whole(self, half: Iterable[Point]) -> Points:
        """Return a closed outline from its right half, as pixels."""
        return symmetric(self.at(half), self.x)

    def framed(self, scale: float, y: float) -> "Figure":
        """Return the same mannequin nearer or farther."""
        return replace(self, scale=scale, y=y)

    @property
    def relief(self) -> Relief:
        return Relief(depth=20 * self.scale, gain=0.75, rim=0.26, gloss=0.05)

    @property
    def flesh(self) -> Cloth:
        return Cloth(self.skin)


def mannequin(rng: random.Random, woman: bool) -> Figure:
    """Return a mannequin of some complexion."""
    return Figure(woman, rng.choice(SKINS), rng.choice(HAIRS))


def trunk(figure: Figure) -> Points:
    """Return the right half of the body without arms, from the neck down to the ankles, in the figure's measures."""
    if figure.woman:
        neck = spline((0, 60), (12.5, 62), (12.5, 84), (17, 99), (40, 107), (56, 118))
        side = spline(
            (56, 118), (49, 140), (46, 166), (43, 195), (38, 236), (46, 278), (56, 318), (56, 345), (50, 400), (42, 470)
        )
    else:
        neck = spline((0, 60), (17, 62), (17, 82), (25, 98), (48, 106), (67, 120))
        side = spline(
            (67, 120), (60, 142), (58, 172), (53, 205), (48, 245), (50, 285), (56, 318), (56, 345), (51, 400), (43, 470)
        )
    shin = spline((43, 470), (45, 508), (42, 550), (36, 590))
    inner = spline((20, 590), (19, 520), (17, 470), (9, 400), (1, 352))
    return joined(neck, side, shin, inner)


def arm(figure: Figure) -> Points:
    """Return the right arm, hanging, with its hand."""
    if figure.woman:
        outer = spline(
            (44, 106), (57, 113), (66, 127), (72, 170), (76, 235), (81, 300), (85, 336), (84, 362), (80, 378)
        )
        inner = spline((73, 379), (68, 366), (66, 345), (64, 305), (56, 238), (50, 175), (44, 150))
        return joined(outer, inner)
    outer = spline((52, 104), (67, 112), (79, 128), (87, 168), (92, 235), (95, 300), (96, 336), (95, 362), (90, 378))
    inner = spline((82, 379), (77, 366), (75, 345), (71, 305), (65, 238), (58, 178), (52, 150))
    return joined(outer, inner)


def bare(canvas: Canvas, figure: Figure, *, arms: bool = True) -> None:
    """Lay the body without its head."""
    if arms:
        for outline in figure.both(arm(figure)):
            canvas.part(outline, figure.flesh, replace(figure.relief, depth=11 * figure.scale), shadow=0)
    outline = figure.whole(trunk(figure))
    canvas.part(outline, figure.flesh, figure.relief, shadow=0.1)
    _modelling(canvas, figure, outline)


def _modelling(canvas: Canvas, figure: Figure, outline: Points) -> None:
    """Suggest collarbones and the middle of the trunk."""
    tint = darker(figure.skin, 0.3)
    for line in figure.both(spline((8, 112), (24, 116), (42, 112))):
        canvas.line(line, tint, 2.0 * figure.scale, 0.22)
    canvas.glow(figure.at(ellipse(0, 240, 4, 50)), 7 * figure.scale, -0.12, within=outline)
    if not figure.woman:
        for line in figure.both(spline((4, 184), (24, 190), (46, 178))):
            canvas.line(line, tint, 2.2 * figure.scale, 0.2)


def back_hair(canvas: Canvas, figure: Figure) -> None:
    """Lay long hair behind the shoulders. To be called before the body."""
    if not figure.woman:
        return
    half = spline((0, -6), (24, 0), (36, 26), (36, 64), (44, 104), (42, 142), (24, 150), (0, 150))
    canvas.part(figure.whole(half), Cloth(figure.hair, texture="brushed"), replace(SHINY, gloss=0.12), shadow=0)


def head(canvas: Canvas, figure: Figure) -> None:
    """Lay head and hair over the neck."""
    face = loop(
        (0, 2),
        (17, 6),
        (27, 24),
        (27, 42),
        (21, 62),
        (10, 75),
        (0, 77),
        (-10, 75),
        (-21, 62),
        (-27, 42),
        (-27, 24),
        (-17, 6),
    )
    canvas.glow(figure.at(ellipse(0, 82, 13, 7)), 6 * figure.scale, -0.42, within=figure.whole(trunk(figure)))
    for ear in figure.both(ellipse(27, 44, 4, 8)):
        canvas.part(ear, figure.flesh, figure.relief, shadow=0)
    canvas.part(figure.at(face), figure.flesh, figure.relief, shadow=0.2)
    canvas.glow(figure.at(ellipse(-5, 26, 12, 10)), 9 * figure.scale, 0.16)
    canvas.line(figure.at(spline((4, 50), (0, 53), (-4, 50.5))), darker(figure.skin, 0.4), 2.4 * figure.scale, 0.18)
    _hair(canvas, figure)


def _hair(canvas: Canvas, figure: Figure) -> None:
    cloth = Cloth(figure.hair, texture="brushed")
    shine = replace(SHINY, gloss=0.2)
    if not figure.woman:
        crown = joined(spline((-29, 40), (-31, 18), (-20, -4), (2, -9), (22, -3), (31, 18), (29, 40)),
                       spline((26, 36), (24, 22), (10, 17), (-8, 20), (-22, 22), (-26, 36)))  # fmt: skip
        canvas.part(figure.at(crown), cloth, shine, shadow=0.2)
        return
    for flip in (1, -1):
        lock = joined(
            spline((-2, -7), (20, -3), (33, 20), (34, 62), (40, 100)),
            spline((31, 104), (27, 70), (26, 34), (14, 16), (-2, 8)),
        )
        canvas.part(figure.at([(x * flip, y) for x, y in lock]), cloth, shine, shadow=0.2)
    canvas.line(figure.at([(0, -6), (1, 10)]), lighter(figure.hair, 0.3), 1.0, 0.5)


def trousers(canvas: Canvas, figure: Figure, cloth: Cloth) -> None:
    """Lay plain trousers below a top: they only show between its hem and the picture's edge."""
    wide = 60 if figure.woman else 59
    half = joined(
        [(0, 318), (wide - 5, 318)],
        spline((wide - 1, 336), (wide - 3, 400), (wide - 9, 470)),
        [(8, 470), (1, 372), (0, 372)],
    )
    canvas.part(figure.whole(half), cloth, Relief(depth=16, gain=1.0, rim=0.3, folds=0.6), shadow=0)
    canvas.line(figure.at([(0, 320), (0, 372)]), darker(cloth.colour, 0.5), 1.2, 0.6)
