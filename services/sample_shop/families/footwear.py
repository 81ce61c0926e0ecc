"""The common parts of shoes: stand, sole, opening, laces and seams, seen from the side with the heel on the left."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.sample_shop.drawing.fabric import Cloth
from services.sample_shop.drawing.geometry import Point, Points, ellipse, joined, moved, spaced, spline, turned
from services.sample_shop.drawing.light import SOFT, THIN, Relief
from services.sample_shop.drawing.palette import Colour, darker, lighter
from services.sample_shop.drawing.raster import Canvas

UPPER = Relief(depth=20, gain=1.6, rim=0.3, folds=0.18, gloss=0.08)
POLISHED = Relief(depth=20, gain=1.7, rim=0.36, folds=0.12, gloss=0.5)
RUBBER = Relief(depth=6, gain=1.0, rim=0.2)


@dataclass(frozen=True)
class ShoeStand:
    """The position of a shoe in the picture: rotated so that the toe is lower, as seen from above."""

    tilt: float
    dy: float = 0.0

    def at(self, points: Sequence[Point]) -> Points:
        """Return points of the upright shoe as pixels."""
        return turned(moved(points, 0, self.dy), self.tilt, (180.0, 250.0))


@dataclass(frozen=True)
class ShoeProfile:
    """The upper's edge from heel to toe, in pixels of the upright shoe. The sole is at y = 285.

    Attributes:
        heel: from the sole up the back to the collar.
        collar: the near rim of the opening, from the heel to the instep.
        vamp: from the instep down over the toes to the sole.
    """

    heel: Points
    collar: Points
    vamp: Points

    @property
    def outline(self) -> Points:
        return joined(self.heel, self.collar, self.vamp)


def shadow(canvas: Canvas, stand: ShoeStand, bottom: float = 306) -> None:
    """Draw the shadow below the shoe."""
    x, y = stand.at([(184, bottom)])[0]
    canvas.glow(turned(ellipse(x, y, 142, 7), stand.tilt, (x, y)), 9, -0.3)


def opening(canvas: Canvas, stand: ShoeStand, profile: ShoeProfile, lining: Colour, rise: float = 22) -> None:
    """Lay the far rim and the inside of the shoe, seen above the near rim."""
    (ax, ay), (bx, by) = profile.collar[0], profile.collar[-1]
    far = spline(
        (ax + 1, ay + 3),
        (ax + (bx - ax) * 0.25, ay - rise * 0.7),
        (ax + (bx - ax) * 0.7, by - rise * 0.75),
        (bx - 1, by + 2),
    )
    inside = stand.at(joined(far, [(bx, by + 14), ((ax + bx) / 2, max(ay, by) + 30), (ax, ay + 16)]))
    canvas.part(inside, Cloth(lining), SOFT, shadow=0)
    canvas.glow(inside, 7, -0.45, within=inside)
    canvas.line(stand.at(far), lighter(lining, 0.25), 2.4)


def upper(canvas: Canvas, stand: ShoeStand, profile: ShoeProfile, cloth: Cloth, relief: Relief = UPPER) -> Points:
    """Lay the upper and return its outline in pixels."""
    outline = stand.at(profile.outline)
    canvas.part(outline, cloth.turned(stand.tilt), relief, shadow=0.35)
    canvas.line(stand.at(profile.collar), darker(cloth.colour, 0.45), 1.6, 0.7)
    return outline


def panel(
    canvas: Canvas, stand: ShoeStand, points: Sequence[Point], cloth: Cloth, within: Points, relief: Relief = THIN
) -> None:
    """Sew a panel onto the upper."""
    outline = stand.at(points)
    canvas.part(outline, cloth, relief, within=within, shadow=0.35)
    canvas.line(outline, darker(cloth.colour, 0.45), 0.9, 0.4, closed=True, within=within)


def flat_sole(canvas: Canvas, stand: ShoeStand, colour: Colour, depth: float = 22, line: Colour | None = None) -> None:
    """Lay a rubber sole of even depth, with a coloured line round it."""
    top = spline((28, 276), (90, 284), (190, 285), (270, 281), (332, 270))
    low = spline(
        (338, 282),
        (322, 285 + depth * 0.72),
        (250, 285 + depth),
        (120, 285 + depth),
        (40, 284 + depth),
        (27, 276 + depth * 0.7),
    )
    canvas.part(stand.at(joined(top, low)), Cloth(colour), RUBBER, shadow=0.3)
    if line is not None:
        canvas.line(
            stand.at(moved(spline((29, 276), (90, 284), (190, 285), (270, 281), (334, 271)), 0, depth * 0.42)),
            line,
            2.6,
        )
    canvas.line(stand.at(moved(low[8:-6], 0, -2)), darker(colour, 0.55), 3.0, 0.55)


def heeled_sole(canvas: Canvas, stand: ShoeStand, colour: Colour, heel: float = 20) -> None:
    """Lay a thin leather sole with a block heel."""
    block = [(34, 280), (104, 284), (98, 285 + heel), (36, 285 + heel)]
    canvas.part(stand.at(block), Cloth(colour), RUBBER, shadow=0.2)
    top = spline((30, 276), (100, 284), (190, 286), (270, 285), (338, 275))
    low = spline((342, 282), (300, 294), (220, 299), (150, 296), (100, 291), (32, 286))
    canvas.part(stand.at(joined(top, low)), Cloth(colour), RUBBER, shadow=0.3)


def laces(
    canvas: Canvas, stand: ShoeStand, line: Points, count: int, colour: Colour, reach: float = 15, width: float = 5
) -> None:
    """Lay laces across the instep: `line` runs along its ridge; each crosses to an eyelet on the near side."""
    for x, y, _ in spaced(line, count):
        eyelet = (x - reach * 0.62, y + reach)
        canvas.line(stand.at([(x + 7, y - 5), eyelet]), darker(colour, 0.6), width + 2, 0.5)
        canvas.cord(stand.at([(x + 8, y - 6), (x + 1, y + 1), eyelet]), Cloth(colour), width, THIN)
        canvas.decal(stand.at(ellipse(*eyelet, 2.6, 2.6)), darker(colour, 0.5))
    x, y, _ = spaced(line, count)[0]
    for tip in ((-24, 4), (-14, 24)):
        canvas.cord(
            stand.at(spline((x, y), (x + tip[0] * 0.6, y + tip[1] - 10), (x + tip[0], y + tip[1]))),
            Cloth(colour),
            width * 0.8,
            THIN,
        )


def tongue(canvas: Canvas, stand: ShoeStand, points: Sequence[Point], cloth: Cloth) -> None:
    """Lay the tongue, which stands up behind the laces."""
    canvas.part(stand.at(spline(*points, points[0])), cloth, SOFT, shadow=0.3)


def stitches(canvas: Canvas, stand: ShoeStand, line: Points, colour: Colour, width: float = 1.1) -> None:
    """Sew a seam."""
    canvas.line(stand.at(line), colour, width, 0.6)
