"""What watches share: straps, cases, dials, hands and the numbers of digital ones. Upright, filling the picture."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from services.sample_shop.drawing.fabric import Cloth
from services.sample_shop.drawing.geometry import (
    Points,
    ellipse,
    mirror,
    moved,
    rectangle,
    superellipse,
    symmetric,
)
from services.sample_shop.drawing.light import FLAT, LEATHER, METAL, SOFT, Relief
from services.sample_shop.drawing.palette import COLOURS, Colour, contrasting, darker, lighter, mix
from services.sample_shop.drawing.raster import Canvas
from services.sample_shop.recipe import Look

CX, CY = 176.0, 240.0
END = 216.0  # how far straps reach, up and down
BEZEL = Relief(depth=7, gain=2.2, rim=0.42, gloss=1.1)
LINK = Relief(depth=6, gain=2.2, rim=0.36, gloss=1.3)
# Polished, gold is pale and copper rosy.
CHAMPAGNE: Colour = (0.90, 0.78, 0.53)
ROSE: Colour = (0.90, 0.72, 0.62)
METALS: tuple[Colour, ...] = (COLOURS["Silver"], COLOURS["Steel"], CHAMPAGNE, ROSE)


@dataclass(frozen=True)
class Dial:
    """A watch's face: outline by radius, colours of plate and marks."""

    shape: Callable[[float], Points]
    radius: float
    plate: Colour
    marks: Colour


def polished(look: Look) -> Colour:
    """Return the metal that the look's colour names, as it shines on a bracelet."""
    return min(
        METALS, key=lambda metal: sum((a - b) ** 2 for a, b in zip(metal, lighter(look.colour, 0.3), strict=True))
    )


def metal(look: Look) -> Colour:
    return look.rng.choice(METALS)


def disc(radius: float) -> Points:
    return ellipse(CX, CY, radius, radius)


def cushion(radius: float) -> Points:
    return superellipse(CX, CY, radius * 0.94, radius, 5)


def oblong(radius: float) -> Points:
    return superellipse(CX, CY, radius * 0.66, radius * 0.92, 9)


def leather_strap(canvas: Canvas, look: Look, cloth: Cloth, wide: float, case: float) -> None:
    """Lay both halves of a strap, tapering away from the case, with stitches and holes."""
    for end, sign in ((CY - END, -1), (CY + END, 1)):
        near = CY + sign * (case - 12)
        half = [(CX, near), (CX + wide, near), (CX + wide * 0.82, end), (CX, end)]
        outline = symmetric(half, CX)
        canvas.part(outline, cloth, replace(LEATHER, depth=13), shadow=0)
        thread = lighter(cloth.colour, 0.4)
        for side in (-1, 1):
            canvas.line([(CX + side * (wide - 5), near), (CX + side * (wide * 0.82 - 4), end)], thread, 1.3, 0.5)
        canvas.glow(
            [(CX - wide, end - 18 * sign), (CX + wide, end - 18 * sign), (CX + wide, end), (CX - wide, end)],
            10,
            -0.35,
            within=outline,
        )
    for k in range(4):
        canvas.decal(ellipse(CX, CY + case + 44 + k * 22, 2.6, 3.6), darker(cloth.colour, 0.7))


def link_bracelet(canvas: Canvas, look: Look, metal: Colour, wide: float, case: float) -> None:
    """Lay a bracelet of three-piece links that bends away from the viewer: shorter, narrower and darker at its ends."""
    for sign in (-1, 1):
        near, end = CY + sign * (case - 12), CY + sign * (END - 6)
        base = symmetric([(CX, near), (CX + wide - 3, near), (CX + wide * 0.7 - 2, end), (CX, end)], CX)
        canvas.part(base, look.stuff(darker(metal, 0.4)), FLAT, shadow=0)
        along = case - 8
        while along < END - 8:
            bend = (along - case) / (END - case)
            pitch = 21 - 10 * bend
            row = sorted((CY + sign * along, CY + sign * (along + pitch - 1.6)))
            _links(canvas, look, darker(metal, 0.3 * max(bend, 0) ** 2), wide * (1 - 0.28 * bend), (row[0], row[1]))
            along += pitch


def _links(canvas: Canvas, look: Look, metal: Colour, reach: float, row: tuple[float, float]) -> None:
    steel, middle = look.stuff(metal, "brushed"), look.stuff(lighter(metal, 0.25))
    for x0, x1, cloth in ((-1.0, -0.4, steel), (0.4, 1.0, steel), (-0.37, 0.37, middle)):
        canvas.part(rectangle(CX + x0 * reach, row[0], CX + x1 * reach, row[1], 4), cloth, LINK, shadow=0)


def case(canvas: Canvas, look: Look, dial: Dial, metal: Colour, rim: float, crown: bool = True) -> None:
    """Lay the case with its lugs and crown, the bezel and the plate."""
    outer = dial.radius + rim
    reach = max(x for x, _ in dial.shape(outer)) - CX
    if crown:
        canvas.part(rectangle(CX + reach - 4, CY - 10, CX + reach + 11, CY + 10, 3), look.stuff(metal), METAL, shadow=0)
    lug = [(CX + reach * x, CY - outer * y) for x, y in ((0.42, 0.8), (0.5, 1.12), (0.66, 1.1), (0.78, 0.6))]
    for piece in (lug, mirror(lug, CX)):
        for side in (piece, [(x, 2 * CY - y) for x, y in piece]):
            canvas.part(side, look.stuff(metal), METAL, shadow=0)
    canvas.part(dial.shape(outer), look.stuff(metal), BEZEL, shadow=0.3)
    canvas.line(dial.shape(dial.radius + 3), darker(metal, 0.55), 2, 0.7, closed=True)
    canvas.part(dial.shape(dial.radius), look.stuff(dial.plate), replace(SOFT, folds=0, gain=0.4), shadow=0)
    canvas.glow(dial.shape(dial.radius * 0.55), dial.radius * 0.5, 0.1, within=dial.shape(dial.radius))


def at(angle: float, radius: float) -> tuple[float, float]:
    """Return the place at an hour angle: 0 at twelve, degrees clockwise."""
    return CX + radius * math.sin(math.radians(angle)), CY - radius * math.cos(math.radians(angle))


def hours(canvas: Canvas, dial: Dial, width: float, length: float, minutes: bool = True) -> None:
    """Print hour marks, and dots for minutes."""
    reach = dial.radius * 0.93
    for hour in range(12):
        long = length * (1.5 if hour % 3 == 0 else 1.0)
        canvas.line(
            [at(hour * 30, reach), at(hour * 30, reach - long)], dial.marks, width * (1.5 if hour % 3 == 0 else 1.0)
        )
    if minutes:
        for minute in range(60):
            canvas.decal(ellipse(*at(minute * 6, dial.radius * 0.97), 0.9, 0.9), dial.marks, 0.8)


def hands(canvas: Canvas, look: Look, dial: Dial, metal: Colour) -> None:
    """Lay the hands at about ten past ten, as watches are photographed."""
    minute = look.rng.randrange(6, 14)
    for angle, reach, width in ((300 + minute / 2, 0.52, 5.0), (minute * 6.0, 0.78, 3.6)):
        line = [at(angle + 180, dial.radius * 0.1), at(angle, dial.radius * reach)]
        canvas.line(moved(line, 1.2, 1.8), (0, 0, 0), width, 0.25)
        canvas.line(line, metal, width)
    second = look.rng.randrange(360)
    canvas.line([at(second + 180, dial.radius * 0.2), at(second, dial.radius * 0.84)], look.accent, 1.4)
    canvas.part(disc(4.5), look.stuff(metal), METAL, shadow=0)


def glass(canvas: Canvas, dial: Dial) -> None:
    """Let light streak across the glass."""
    band = [
        (CX - dial.radius, CY - 10),
        (CX + 10, CY - dial.radius),
        (CX + 34, CY - dial.radius),
        (CX - dial.radius, CY + 28),
    ]
    canvas.glow(band, 6, 0.13, within=dial.shape(dial.radius))


def subdials(canvas: Canvas, look: Look, dial: Dial) -> None:
    small = dial.radius * 0.24
    for angle in (90, 180, 270):
        x, y = at(angle, dial.radius * 0.44)
        canvas.part(ellipse(x, y, small, small), look.stuff(mix(dial.plate, dial.marks, 0.14)), FLAT, shadow=0.2)
        canvas.line(ellipse(x, y, small, small), dial.marks, 1.2, 0.8, closed=True)
        canvas.line([(x, y), (x + small * 0.5, y - small * 0.6)], look.accent, 1.6)


def plate(look: Look) -> tuple[Colour, Colour]:
    """Return colours of plate and marks: light or dark face."""
    plate = look.rng.choice(
        (COLOURS["White"], COLOURS["Black"], COLOURS["Navy Blue"], COLOURS["Silver"], COLOURS["Cream"])
    )
    return plate, contrasting(plate)


# The seven strokes of a digit: a at the top, clockwise, g in the middle.
SEGMENTS: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "a": ((0.1, 0), (0.9, 0)), "b": ((1, 0.06), (1, 0.45)), "c": ((1, 0.55), (1, 0.94)), "d": ((0.1, 1), (0.9, 1)),
    "e": ((0, 0.55), (0, 0.94)), "f": ((0, 0.06), (0, 0.45)), "g": ((0.1, 0.5), (0.9, 0.5)),
}  # fmt: skip
DIGITS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abfgcd")


def number(canvas: Canvas, text: Sequence[int], x: float, y: float, size: float, ink: Colour) -> None:
    for place, digit in enumerate(text):
        left = x + place * size * 0.82 + (size * 0.3 if place >= 2 else 0)
        for name in DIGITS[digit]:
            (ax, ay), (bx, by) = SEGMENTS[name]
            canvas.line(
                [(left + ax * size * 0.52, y + ay * size), (left + bx * size * 0.52, y + by * size)], ink, size * 0.13
            )
