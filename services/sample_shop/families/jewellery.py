"""Jewellery: necklaces, pendants, earrings, rings, bangles and bracelets, small in the middle of the picture."""

import math
from dataclasses import replace
from itertools import pairwise

from services.sample_shop.drawing.fabric import Cloth
from services.sample_shop.drawing.geometry import (
    Points,
    ellipse,
    joined,
    loop,
    mirror,
    moved,
    ribbon,
    scaled,
    spaced,
    spline,
    star,
    turned,
)
from services.sample_shop.drawing.light import METAL, THIN, Relief
from services.sample_shop.drawing.palette import COLOURS, Colour, darker, lighter
from services.sample_shop.drawing.raster import Canvas
from services.sample_shop.recipe import Cut, Family, Look

GEM = Relief(depth=5, gain=1.8, rim=0.24, gloss=1.0)
BAND = Relief(depth=4, gain=1.9, rim=0.2, gloss=1.0)
DIAMOND: Colour = (0.9, 0.93, 0.97)
STONES_SET = ("Red", "Blue", "Green", "Purple", "Turquoise Blue", "Pink", "Orange")
GEMS: tuple[Colour, ...] = (*(COLOURS[name] for name in STONES_SET), DIAMOND)


def _gem_colour(look: Look) -> Colour:
    return look.rng.choice(GEMS)


def gem(canvas: Canvas, outline: Points, colour: Colour) -> None:
    """Lay a cut stone: facets from its middle."""
    canvas.part(outline, Cloth(colour), GEM, shadow=0.3)
    cx = sum(x for x, _ in outline) / len(outline)
    cy = sum(y for _, y in outline) / len(outline)
    table = scaled(outline, 0.55, 0.55, (cx, cy))
    canvas.decal(table, lighter(colour, 0.3), 0.7)
    for k in range(8):
        i = k * len(outline) // 8
        canvas.line([outline[i], table[i]], lighter(colour, 0.6), 0.9, 0.6)
    canvas.glow(ellipse(cx - 2, cy - 3, 2.4, 1.8), 2, 0.8, within=outline)


def chain(canvas: Canvas, look: Look, line: Points, size: float = 3.2) -> None:
    """Lay a chain of oval links, seen now flat, now on edge."""
    length = sum(math.dist(a, b) for a, b in pairwise(line))
    dark = darker(look.colour, 0.35)
    for k, (x, y, direction) in enumerate(spaced(line, int(length / (size * 1.5)))):
        link = turned(ellipse(x, y, size, size * (0.62 if k % 2 else 0.3)), direction, (x, y))
        canvas.line(link, dark if k % 3 == 0 else look.colour, size * 0.42, closed=True)


def bead(canvas: Canvas, look: Look, x: float, y: float, radius: float, colour: Colour) -> None:
    canvas.part(ellipse(x, y, radius, radius), look.stuff(colour), GEM, shadow=0.2)


def _hang(look: Look, top: float = 30.0, low: float = 330.0, wide: float = 92.0) -> Points:
    """Return the line of a necklace as it hangs: two arms down to the middle."""
    reach = wide * look.between(0.92, 1.06)
    bend = (top + low) / 2 + 50
    left = [(180 - reach * 0.62, top), (180 - reach, top + 90), (180 - reach * 0.72, bend)]
    right = [(180 + reach * 0.72, bend), (180 + reach, top + 90), (180 + reach * 0.62, top)]
    return spline(*left, (180, low), *right, steps=14)


def bead_necklace(canvas: Canvas, look: Look) -> None:
    line = _hang(look, 36, look.between(380, 430), 100)
    count = look.rng.randrange(40, 52)
    small, large = 5.5, look.between(8, 13)
    second = look.accent if look.chance(0.5) else look.colour
    for k, (x, y, _) in enumerate(spaced(line, count)):
        weight = 1 - abs(k / (count - 1) - 0.5) * 2
        bead(canvas, look, x, y, small + (large - small) * weight, second if k % 4 == 3 else look.colour)


def pendant(canvas: Canvas, look: Look) -> None:
    low = look.between(280, 320)
    arms = [
        spline((180 + s * 40, 24), (180 + s * 34, 120), (180 + s * 14, low - 60), (180, low), steps=14) for s in (-1, 1)
    ]
    for arm in arms:
        chain(canvas, look, arm, 3.4)
    canvas.line(ellipse(180, low + 7, 6, 8), look.colour, 2.6, closed=True)
    _charm(canvas, look, low + 46, look.rng.randrange(4))


def _charm(canvas: Canvas, look: Look, cy: float, kind: int) -> None:
    """Lay a pendant's charm: drop, heart, flower or star."""
    metal = look.body("smooth")
    if kind == 0:
        drop = loop((180, cy - 36), (198, cy - 4), (200, cy + 18), (180, cy + 36), (160, cy + 18), (162, cy - 4))
        canvas.part(drop, metal, BAND, shadow=0)
        gem(canvas, scaled(drop, 0.7, 0.74, (180, cy + 4)), _gem_colour(look))
    elif kind == 1:
        half = spline((180, cy - 18), (194, cy - 32), (212, cy - 22), (206, cy + 2), (180, cy + 32))
        heart = joined(half, reversed(mirror(half)))
        canvas.part(heart, metal, BAND, shadow=0)
        canvas.part(scaled(heart, 0.62, 0.62, (180, cy - 2)), look.stuff(_gem_colour(look)), GEM, shadow=0.3)
    elif kind == 2:
        for k in range(6):
            angle = math.radians(60 * k)
            gem(canvas, ellipse(180 + 21 * math.cos(angle), cy + 21 * math.sin(angle), 10, 10), (0.92, 0.94, 0.97))
        gem(canvas, ellipse(180, cy, 12, 12), _gem_colour(look))
    else:
        canvas.part(star(180, cy, 34, 15, 8), metal, BAND, shadow=0)
        gem(canvas, ellipse(180, cy, 12, 12), _gem_colour(look))


def drop_earrings(canvas: Canvas, look: Look) -> None:
    colour, long = _gem_colour(look), look.between(34, 60)
    for x, y in ((140, 190), (218, 208)):
        canvas.line(spline((x, y), (x - 9, y - 16), (x - 2, y - 30), (x + 7, y - 22)), look.colour, 2.4)
        gem(canvas, ellipse(x, y + 6, 8, 8), (0.93, 0.94, 0.97))
        canvas.cord([(x, y + 14), (x, y + 14 + long * 0.5)], look.body("smooth"), 3, METAL)
        drop = loop((x, y + 14 + long * 0.4), (x + 13, y + 30 + long), (x, y + 48 + long), (x - 13, y + 30 + long))
        canvas.part(drop, look.body("smooth"), BAND, shadow=0)
        gem(canvas, scaled(drop, 0.66, 0.7, (x, y + 28 + long)), colour)


def studs(canvas: Canvas, look: Look) -> None:
    colour, size, petals = _gem_colour(look), look.between(17, 23), look.rng.choice((6, 8, 10))
    for x, y in ((142, 222), (214, 246)):
        for k in range(petals):
            angle = math.tau * k / petals
            bead(canvas, look, x + size * math.cos(angle), y + size * math.sin(angle), size * 0.36, look.colour)
        gem(canvas, ellipse(x, y, size * 0.72, size * 0.72), colour)


def hoops(canvas: Canvas, look: Look) -> None:
    radius, thick = look.between(36, 48), look.between(5, 10)
    for x, y in ((134, 226), (222, 250)):
        ring = ellipse(x, y, radius * 0.74, radius)
        canvas.cord(ring, look.body("smooth"), thick, BAND, closed=True)
        if thick > 7:
            for px, py, _ in spaced(ellipse(x, y, radius * 0.74, radius, 20, 160), 9):
                canvas.decal(star(px, py, 4.2, 1.8, 4), (1, 1, 1), 0.9)
        canvas.line([(x - 3, y - radius), (x + 5, y - radius - 10)], look.colour, 2.2)


def ring(canvas: Canvas, look: Look) -> None:
    """Draw a ring standing, a stone on top, seen a little from above."""
    wide, high, thick = look.between(58, 68), look.between(60, 70), look.between(11, 17)
    canvas.ground(180, 260 + high, wide * 0.7, 5, 0.2)
    outer = ellipse(180, 260, wide, high)
    inner = moved(ellipse(180, 260, wide - thick * 0.7, high - thick), 0, -2)
    canvas.part(outer, look.body("smooth").plain(darker(look.colour, 0.3)), BAND, holes=[moved(inner, 7, 0)], shadow=0)
    canvas.part(moved(outer, -5, 1), look.body("smooth"), BAND, holes=[moved(inner, 1, 2)], shadow=0.2)
    top = 260 - high
    if look.chance(0.6):
        for side in (-1, 1):
            claw = [(180 + side * x, top + y) for x, y in ((22, 8), (15, -18), (9, -16), (10, 6))]
            canvas.part(claw, look.body("smooth"), METAL)
        gem(canvas, ellipse(178, top - 12, 25, 20), _gem_colour(look))
    else:
        for k in range(7):
            x, y, _ = spaced(moved(ellipse(180, 260, wide - 3, high - 4, 225, 315), -5, 1), 7)[k]
            gem(canvas, ellipse(x, y, 7, 7), (0.92, 0.94, 0.97))


def bangle(canvas: Canvas, look: Look) -> None:
    wide, high = look.between(108, 122), look.between(48, 60)
    thick = look.between(15, 32)
    canvas.ground(180, 268 + high, wide * 0.8, 5, 0.16)
    back = joined(ellipse(180, 250, wide, high, 180, 360), reversed(ellipse(180, 250 + thick, wide, high, 180, 360)))
    canvas.part(back, look.body("smooth").plain(darker(look.colour, 0.3)), BAND, shadow=0)
    front = joined(ellipse(180, 250, wide, high, 180, 0), reversed(ellipse(180, 250 + thick, wide, high, 180, 0)))
    canvas.part(front, look.body("smooth"), replace(BAND, depth=10), shadow=0)
    canvas.line(ellipse(180, 250, wide, high), lighter(look.colour, 0.4), 2, closed=True)
    colour = _gem_colour(look) if look.chance(0.6) else (0.94, 0.95, 0.98)
    for x, y, _ in spaced(ellipse(180, 250 + thick / 2, wide, high, 165, 15), 13):
        if thick > 22:
            gem(canvas, ellipse(x, y, 5.5, 5.5), colour)
        else:
            canvas.decal(ellipse(x, y, 2.4, 2.4), lighter(look.colour, 0.6))


def bracelet(canvas: Canvas, look: Look) -> None:
    oval = ellipse(180, 258, look.between(100, 116), look.between(54, 66), -80, 275)
    if look.chance(0.5):
        chain(canvas, look, oval, 6.2)
        for k, (x, y, _) in enumerate(spaced(ellipse(180, 258, 108, 62, 150, 30), 5)):
            gem(canvas, ellipse(x, y + 12, 8, 10), GEMS[k % len(GEMS)] if look.chance(0.5) else look.accent)
        return
    second = _gem_colour(look)
    for k, (x, y, _) in enumerate(spaced(oval, 30)):
        bead(canvas, look, x, y, 9, second if k % 5 == 0 else look.colour)


def jewellery_set(canvas: Canvas, look: Look) -> None:
    """Draw a necklace with drops, its earrings above."""
    colour = _gem_colour(look)
    line = _hang(look, 40, 330, 104)
    chain(canvas, look, line, 4)
    for x, y, _ in spaced(line[30:-30], 9):
        drop = loop((x, y + 2), (x + 9, y + 18), (x, y + 28), (x - 9, y + 18))
        canvas.part(drop, look.body("smooth"), BAND, shadow=0)
        gem(canvas, ellipse(x, y + 17, 6, 7), colour)
    for side in (-1, 1):
        gem(canvas, ellipse(180 + side * 30, 96, 9, 9), colour)
        canvas.line(ellipse(180 + side * 30, 96, 11, 11), look.colour, 3, closed=True)
        canvas.part(ribbon([(180 + side * 30, 107), (180 + side * 30, 134)], 3, 12), look.body("smooth"), THIN)


NOBLE = ("Gold", "Silver", "Copper", "Steel")
STONES = ("Red", "Black", "Turquoise Blue", "White", "Green", "Purple", "Orange")

FAMILY = Family(
    "Jewellery",
    (
        Cut("drop earrings", "Earrings", drop_earrings, NOBLE, texture="smooth", genders=("Women",), price=(15, 79),
            usage="Party"),
        Cut("pendant", "Pendant", pendant, NOBLE, texture="smooth", genders=("Women",), price=(19, 119)),
        Cut("bead necklace", "Necklace and Chains", bead_necklace, STONES, texture="smooth", genders=("Women",),
            price=(15, 69), accents=("Gold", "Silver", "Bronze")),
        Cut("stud earrings", "Earrings", studs, NOBLE, texture="smooth", genders=("Women",), price=(12, 59)),
        Cut("ring", "Ring", ring, ("Silver", "Gold", "Steel", "Copper"), texture="smooth", genders=("Women",),
            price=(19, 149), usage="Party"),
        Cut("bangle", "Bangle", bangle, ("Gold", "Silver", "Copper", "Bronze"), texture="smooth", genders=("Women",),
            price=(15, 89)),
        Cut("hoop earrings", "Earrings", hoops, NOBLE, texture="smooth", genders=("Women",), price=(12, 49)),
        Cut("jewellery set", "Jewellery Set", jewellery_set, ("Gold", "Silver", "Copper"), texture="smooth",
            genders=("Women",), price=(39, 199), usage="Party"),
        Cut("bracelet", "Bracelet", bracelet, ("Silver", "Gold", "Black", "Brown"), texture="smooth", price=(15, 79),
            accents=("Red", "Blue", "Green")),
    ),
)  # fmt: skip
