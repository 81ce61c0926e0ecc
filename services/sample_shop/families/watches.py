"""Watches: dress, chronograph, diver, digital, square and bracelet watches, upright and filling the picture."""

import math
from dataclasses import replace

from services.sample_shop.drawing.geometry import ellipse, rectangle, star
from services.sample_shop.drawing.light import FLAT, METAL, SHINY
from services.sample_shop.drawing.palette import COLOURS, contrasting, darker, lighter
from services.sample_shop.drawing.raster import Canvas
from services.sample_shop.families import watchparts as parts
from services.sample_shop.recipe import Cut, Family, Look


def dress(canvas: Canvas, look: Look) -> None:
    metal, (plate, marks) = parts.metal(look), parts.plate(look)
    dial = parts.Dial(parts.disc, look.between(70, 80), plate, marks)
    parts.leather_strap(canvas, look, look.cloth, 40, dial.radius + 10)
    parts.case(canvas, look, dial, metal, 12)
    parts.hours(canvas, dial, 2.2, 11, minutes=False)
    parts.hands(canvas, look, dial, marks if look.chance(0.5) else metal)
    parts.glass(canvas, dial)


def chronograph(canvas: Canvas, look: Look) -> None:
    metal = look.rng.choice(parts.METALS[:2])
    dial = parts.Dial(parts.disc, look.between(80, 88), look.colour, contrasting(look.colour))
    parts.link_bracelet(canvas, look, metal, 52, dial.radius + 14)
    for angle in (-34, 34):
        y = parts.CY + 100 * math.sin(math.radians(angle))
        canvas.part(rectangle(parts.CX + 86, y - 9, parts.CX + 110, y + 9, 3), look.stuff(metal), METAL, shadow=0)
    parts.case(canvas, look, dial, metal, 17)
    parts.hours(canvas, dial, 3, 12)
    parts.subdials(canvas, look, dial)
    parts.hands(canvas, look, dial, contrasting(look.colour))
    parts.glass(canvas, dial)


def diver(canvas: Canvas, look: Look) -> None:
    plate = look.rng.choice((COLOURS["Black"], COLOURS["White"], look.colour))
    dial = parts.Dial(parts.disc, look.between(68, 76), plate, contrasting(plate))
    rubber = look.body("smooth")
    parts.leather_strap(canvas, look, rubber, 50, dial.radius + 22)
    parts.case(canvas, look, dial, look.rng.choice((parts.METALS[0], (0.2, 0.2, 0.22))), 30)
    ring = look.stuff(darker(look.colour, 0.15))
    canvas.part(
        parts.disc(dial.radius + 24),
        ring,
        replace(parts.BEZEL, gloss=0.4),
        holes=[parts.disc(dial.radius + 2)],
        shadow=0,
    )
    ink = contrasting(ring.colour)
    for hour in range(12):
        canvas.line([parts.at(hour * 30, dial.radius + 8), parts.at(hour * 30, dial.radius + 19)], ink, 3)
    parts.hours(canvas, dial, 5, 11, minutes=False)
    parts.hands(canvas, look, dial, contrasting(plate))
    parts.glass(canvas, dial)


def steel_watch(canvas: Canvas, look: Look) -> None:
    metal = parts.polished(look)
    plate, marks = parts.plate(look)
    shape = look.rng.choice((parts.disc, parts.disc, parts.cushion))
    dial = parts.Dial(shape, look.between(62, 74), plate, marks)
    parts.link_bracelet(canvas, look, metal, look.between(38, 46), dial.radius + 10)
    parts.case(canvas, look, dial, metal, 14)
    parts.hours(canvas, dial, 3, 11)
    canvas.part(
        rectangle(parts.CX + dial.radius * 0.5, parts.CY - 9, parts.CX + dial.radius * 0.8, parts.CY + 9),
        look.stuff((0.95, 0.95, 0.94)),
        FLAT,
    )
    parts.hands(canvas, look, dial, marks)
    parts.glass(canvas, dial)


def digital(canvas: Canvas, look: Look) -> None:
    radius = look.between(84, 94)
    dial = parts.Dial(look.rng.choice((parts.cushion, parts.disc)), radius, darker(look.colour, 0.45), (0.9, 0.9, 0.9))
    parts.leather_strap(canvas, look, look.body("smooth"), 56, radius + 6)
    for x, y in ((-1, -0.5), (-1, 0.5), (1, -0.5), (1, 0.5)):
        button = rectangle(
            parts.CX + x * (radius + 16) - 8,
            parts.CY + y * radius - 11,
            parts.CX + x * (radius + 16) + 8,
            parts.CY + y * radius + 11,
            3,
        )
        canvas.part(button, look.stuff((0.6, 0.6, 0.62)), METAL, shadow=0)
    parts.case(canvas, look, dial, look.colour, 18, crown=False)
    canvas.line(dial.shape(radius - 6), look.accent, 2, 0.8, closed=True)
    _display(canvas, look)


def _display(canvas: Canvas, look: Look) -> None:
    """Lay the display with the time: dark on grey, or glowing."""
    lcd, ink = ((0.68, 0.72, 0.66), (0.1, 0.12, 0.1)) if look.chance(0.65) else ((0.08, 0.09, 0.1), (0.86, 0.3, 0.22))
    canvas.part(
        rectangle(parts.CX - 58, parts.CY - 34, parts.CX + 58, parts.CY + 34, 8), look.stuff(lcd), FLAT, shadow=0
    )
    hour, minute = look.rng.randrange(10, 13), look.rng.randrange(60)
    parts.number(canvas, (hour // 10, hour % 10, minute // 10, minute % 10), parts.CX - 48, parts.CY - 18, 30, ink)
    for dy in (-8, 6):
        canvas.decal(ellipse(parts.CX + 1, parts.CY + dy, 2.4, 2.4), ink)
    for sign in (-1, 1):
        canvas.line(
            [(parts.CX - 34, parts.CY + sign * 52), (parts.CX + 34, parts.CY + sign * 52)], (0.85, 0.85, 0.85), 3.4, 0.6
        )


def square_watch(canvas: Canvas, look: Look) -> None:
    metal, (plate, marks) = parts.metal(look), parts.plate(look)
    shape = look.rng.choice((parts.oblong, parts.cushion))
    dial = parts.Dial(shape, look.between(66, 78), plate, marks)
    parts.leather_strap(canvas, look, look.cloth, 42, dial.radius + 4)
    parts.case(canvas, look, dial, metal, 13)
    inner = dial.radius * (0.62 if shape is parts.oblong else 0.86)
    for hour in range(12):
        x, y = parts.at(hour * 30, inner)
        canvas.line([(x, y), (parts.CX + (x - parts.CX) * 0.84, parts.CY + (y - parts.CY) * 0.84)], marks, 2.6)
    parts.hands(canvas, look, replace(dial, radius=inner), marks)
    parts.glass(canvas, dial)


def ladies(canvas: Canvas, look: Look) -> None:
    """Draw a small face set with stones on a slim bracelet."""
    metal = parts.polished(look)
    dial = parts.Dial(parts.disc, look.between(42, 50), (0.95, 0.94, 0.92), darker(metal, 0.5))
    for sign in (-1, 1):
        for k in range(8):
            y = parts.CY + sign * (dial.radius + 20 + k * 20)
            canvas.part(
                ellipse(parts.CX, y, 17 - k * 0.6, 11),
                look.stuff(metal),
                SHINY,
                holes=[ellipse(parts.CX, y, 9 - k * 0.4, 5)],
                shadow=0,
            )
            canvas.part(ellipse(parts.CX, y + 10.5 * sign, 6, 5), look.stuff(lighter(metal, 0.2)), SHINY, shadow=0)
    parts.case(canvas, look, dial, metal, 15)
    for k in range(24):
        x, y = parts.at(k * 15, dial.radius + 9)
        canvas.decal(star(x, y, 4, 2, 4), (0.98, 0.98, 1.0), 0.95)
    parts.hours(canvas, dial, 1.8, 7, minutes=False)
    parts.hands(canvas, look, dial, darker(metal, 0.4))
    parts.glass(canvas, dial)


STRAPS = ("Black", "Brown", "Coffee Brown", "Navy Blue", "Tan")

FAMILY = Family(
    "Watches",
    (
        Cut("dress watch", "Watches", dress, STRAPS, texture="leather", price=(59, 249), usage="Formal"),
        Cut("chronograph", "Watches", chronograph, ("Black", "Navy Blue", "White", "Grey", "Green"), texture="smooth",
            genders=("Men",), price=(89, 349), accents=("Red", "Orange", "Yellow")),
        Cut("digital watch", "Watches", digital, ("Black", "Charcoal", "Red", "Blue", "Olive"), texture="smooth",
            price=(19, 99), accents=("Red", "Yellow", "Turquoise Blue", "Orange"), usage="Sports"),
        Cut("link-bracelet watch", "Watches", steel_watch, ("Steel", "Silver", "Gold", "Copper"), texture="brushed",
            price=(69, 299), accents=("Red", "Black", "Blue")),
        Cut("diver's watch", "Watches", diver, ("Black", "Blue", "Orange", "Red", "Green", "White"), texture="smooth",
            genders=("Men",), price=(59, 249), accents=("Red", "Orange", "Yellow"), usage="Sports"),
        Cut("square watch", "Watches", square_watch, ("Black", "Brown", "Maroon", "Tan", "White"), texture="leather",
            price=(49, 199), accents=("Red", "Black")),
        Cut("jewelled watch", "Watches", ladies, ("Gold", "Silver", "Copper", "Steel"), texture="smooth",
            genders=("Women",), price=(49, 229), accents=("Black", "Maroon"), usage="Party"),
    ),
)  # fmt: skip
