"""The common parts of tops: outline, sleeves, necks, seams and prints."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from services.sample_shop.drawing.fabric import Cloth
from services.sample_shop.drawing.geometry import (
    Point,
    Points,
    ellipse,
    joined,
    mirror,
    moved,
    ribbon,
    spline,
    star,
    symmetric,
)
from services.sample_shop.drawing.light import DRAPED, FLAT, THIN, Relief
from services.sample_shop.drawing.palette import Colour, darker
from services.sample_shop.drawing.raster import Canvas
from services.sample_shop.families.figure import back_hair, bare, head, mannequin, trousers
from services.sample_shop.recipe import Draw, Look

MIDDLE = 180.0
Dress = Callable[[Canvas, Look], None]
# The clothes of the mannequin below a top: colour and texture.
LEGWEAR = (
    ((0.19, 0.25, 0.38), "denim"),
    ((0.13, 0.14, 0.17), "smooth"),
    ((0.33, 0.42, 0.56), "denim"),
    ((0.22, 0.22, 0.25), "denim"),
)


@dataclass(frozen=True)
class Fit:
    """A top's measures in pixels: half widths from the middle, heights from the picture's upper edge."""

    neck: float = 27
    top: float = 120
    scoop: float = 146
    vee: bool = False
    shoulder: float = 74
    drop: float = 139
    chest: float = 69
    armpit: float = 208
    waist: float = 65
    hem: float = 70
    bottom: float = 404

    @property
    def corner(self) -> Point:
        """The right shoulder's outer end."""
        return MIDDLE + self.shoulder, self.drop


def neckline(fit: Fit, grow: float = 0.0) -> Points:
    """Return the right half of the neckline from the middle up to the shoulder, `grow` pixels larger all round."""
    side, low = MIDDLE + fit.neck + grow, fit.scoop + grow
    if fit.vee:
        return spline((MIDDLE, low), (MIDDLE + fit.neck * 0.62, fit.top + (low - fit.top) * 0.42), (side, fit.top))
    reach = (side - MIDDLE) * 0.72
    return spline(
        (MIDDLE, low), (MIDDLE + reach * 0.55, low - 2.5), (side - 5, fit.top + (low - fit.top) * 0.5), (side, fit.top)
    )


def body(fit: Fit) -> Points:
    """Return the closed outline of front and shoulders, without sleeves."""
    x, y = fit.corner
    side = spline(
        (MIDDLE + fit.chest, fit.armpit),
        (MIDDLE + fit.waist, (fit.armpit + fit.bottom) / 2),
        (MIDDLE + fit.hem, fit.bottom - 4),
    )
    armhole = spline((x, y), (x - 7, y + (fit.armpit - y) * 0.55), (MIDDLE + fit.chest, fit.armpit))
    hem = spline((MIDDLE + fit.hem, fit.bottom - 4), (MIDDLE + fit.hem * 0.5, fit.bottom + 2), (MIDDLE, fit.bottom + 3))
    shoulder = spline(
        (MIDDLE + fit.neck, fit.top), (MIDDLE + (fit.neck + fit.shoulder) / 2, (fit.top + y) / 2 - 3), (x, y)
    )
    return symmetric(joined(neckline(fit), shoulder, armhole, side, hem))


def short_sleeve(fit: Fit, length: float = 84, flare: float = 24) -> Points:
    """Return the right sleeve, from the shoulder to above the elbow."""
    x, y = fit.corner
    outer = spline(
        (x - 14, y - 8),
        (x + 1, y - 1),
        (x + 10, y + 14),
        (x + flare * 0.85, y + length * 0.55),
        (x + flare, y + length),
    )
    end = y + length
    return joined(outer, spline((x + flare, end), (x + flare - 20, end + 9), (x + flare - 40, end + 11)),
                  [(MIDDLE + fit.chest - 12, fit.armpit + 8), (x - 20, y + 40)])  # fmt: skip


def long_sleeve(fit: Fit, length: float = 222, spread: float = 32, cuff: float = 33) -> Points:
    """Return the right sleeve, hanging down to the wrist."""
    x, y = fit.corner
    wrist = x + spread
    outer = spline((x - 14, y - 8), (x + 1, y - 1), (x + 10, y + 14), (x + 22, y + length * 0.45), (wrist, y + length))
    inner = spline(
        (wrist - cuff, y + length + 4), (x - 11, y + length * 0.55), (MIDDLE + fit.chest - 10, fit.armpit + 6)
    )
    return joined(outer, inner, [(x - 22, y + 34)])


def sleeves(canvas: Canvas, cloth: Cloth, right: Points, relief: Relief = DRAPED) -> None:
    """Lay both sleeves, the pattern turned to run across each."""
    (ax, ay), (bx, by) = right[0], right[len(right) // 2]
    angle = math.degrees(math.atan2(-(bx - ax), by - ay))
    canvas.part(right, cloth.turned(angle, (ax, ay)), relief, shadow=0)
    canvas.part(mirror(right), cloth.turned(-angle, (2 * MIDDLE - ax, ay)), relief, shadow=0)


def cuffs(canvas: Canvas, cloth: Cloth, right: Points, depth: float, at: int) -> None:
    """Lay a rib at the end of both sleeves; `at` counts the outline's points up to the outer end of the cuff."""
    (ox, oy), (ix, iy) = right[at], right[at + 1]
    dx, dy = -(iy - oy), ix - ox
    size = math.hypot(dx, dy) or 1.0
    dx, dy = dx / size * depth, dy / size * depth
    band = [(ox + 1, oy), (ix - 1, iy), (ix + dx - 1, iy + dy), (ox + dx + 1, oy + dy)]
    angle = math.degrees(math.atan2(iy - oy, ix - ox))
    canvas.part(band, cloth.turned(angle), THIN, shadow=0.2)
    canvas.part(mirror(band), cloth.turned(-angle), THIN, shadow=0.2)


def worn(dress: Dress, back: float = 0.0) -> Draw:
    """Return how a top is drawn on a mannequin; `back` is the height of the collar seen behind the neck."""

    def draw(canvas: Canvas, look: Look) -> None:
        figure = mannequin(look.rng, look.woman)
        back_hair(canvas, figure)
        if back:
            behind = ellipse(MIDDLE, 122, 29, back)
            canvas.part(behind, look.body().plain(darker(look.colour, 0.35)), FLAT, shadow=0)
        bare(canvas, figure)
        trousers(canvas, figure, look.stuff(*look.rng.choice(LEGWEAR)))
        dress(canvas, look)
        head(canvas, figure)

    return draw


def neck_rib(canvas: Canvas, fit: Fit, cloth: Cloth, width: float = 8) -> None:
    """Lay the collar band along the neckline."""
    line = neckline(fit, width / 2 - 1)
    whole = [*reversed(mirror(line)), *line]
    canvas.part(ribbon(whole, width), cloth, THIN, within=body(fit), shadow=0.18)
    edge = neckline(fit, width)
    canvas.line([*reversed(mirror(edge)), *edge], darker(cloth.colour, 0.4), 0.7, 0.5)


def hem_seams(canvas: Canvas, fit: Fit, colour: Colour, rise: float = 9) -> None:
    """Stitch the hem."""
    line = spline(
        (MIDDLE - fit.hem + 3, fit.bottom - 4 - rise),
        (MIDDLE, fit.bottom + 3 - rise),
        (MIDDLE + fit.hem - 3, fit.bottom - 4 - rise),
    )
    canvas.line(line, darker(colour, 0.45), 0.7, 0.5)
    canvas.line(moved(line, 0, 2.5), darker(colour, 0.45), 0.7, 0.35)


def armhole_seams(canvas: Canvas, fit: Fit, colour: Colour) -> None:
    """Draw the seams where the sleeves are set in."""
    x, y = fit.corner
    line = spline((x, y), (x - 7, y + (fit.armpit - y) * 0.55), (MIDDLE + fit.chest, fit.armpit))
    for seam in (line, mirror(line)):
        canvas.line(seam, darker(colour, 0.5), 0.9, 0.55)


def front(canvas: Canvas, fit: Fit, cloth: Cloth, relief: Relief = DRAPED) -> Points:
    """Lay the front and return its outline."""
    outline = body(fit)
    canvas.part(outline, cloth, relief, shadow=0.3)
    return outline


def chest_print(canvas: Canvas, look: Look, cy: float = 235) -> None:
    """Print one of a handful of drawn pictures on the chest."""
    motif = look.rng.choice((_sunset, _mountain, _rings, _number, _bolt, _wave))
    motif(canvas, look.accent, darker(look.accent, 0.35), cy)


def _sunset(canvas: Canvas, ink: Colour, other: Colour, cy: float) -> None:
    disc = ellipse(MIDDLE, cy, 42, 42)
    canvas.decal(disc, ink)
    for i in range(4):
        y = cy + 4 + i * 10
        canvas.decal([(130, y), (230, y), (230, y + 2 + i * 1.4), (130, y + 2 + i * 1.4)], other, 0.9, within=disc)
    canvas.decal([(138, cy + 52), (222, cy + 52), (222, cy + 58), (138, cy + 58)], ink, 0.9)


def _mountain(canvas: Canvas, ink: Colour, other: Colour, cy: float) -> None:
    canvas.decal(ellipse(204, cy - 26, 13, 13), ink)
    canvas.decal([(126, cy + 34), (166, cy - 30), (186, cy + 4), (200, cy - 12), (236, cy + 34)], ink)
    canvas.decal([(166, cy - 30), (154, cy - 10), (163, cy - 14), (168, cy - 6), (177, cy - 12)], other)
    canvas.decal([(126, cy + 42), (236, cy + 42), (236, cy + 48), (126, cy + 48)], other)


def _rings(canvas: Canvas, ink: Colour, other: Colour, cy: float) -> None:
    for radius, colour in ((40, ink), (27, other), (13, ink)):
        canvas.line(ellipse(MIDDLE, cy, radius, radius), colour, 6, closed=True)


def _number(canvas: Canvas, ink: Colour, other: Colour, cy: float) -> None:
    for x, strokes in (
        (148, ((0, 0), (34, 0), (6, 66))),
        (196, ((26, 0), (2, 30), (2, 66), (28, 66), (28, 34), (4, 34))),
    ):
        path = [(x + a, cy - 36 + b) for a, b in strokes]
        canvas.line(path, other, 14)
        canvas.line(path, ink, 9)


def _bolt(canvas: Canvas, ink: Colour, other: Colour, cy: float) -> None:
    canvas.decal(ellipse(MIDDLE, cy, 44, 44), other)
    canvas.decal([(192, cy - 38), (154, cy + 6), (177, cy + 6), (168, cy + 38), (208, cy - 8), (184, cy - 8)], ink)


def _wave(canvas: Canvas, ink: Colour, other: Colour, cy: float) -> None:
    for i, colour in enumerate((ink, other, ink)):
        y = cy - 22 + i * 22
        line = spline(*[(126 + 18 * k, y + (9 if k % 2 else -9)) for k in range(7)])
        canvas.line(line, colour, 7)
    canvas.decal(star(MIDDLE, cy - 48, 12, 5, 5), ink)
