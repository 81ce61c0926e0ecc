"""Bags: handbags, totes, backpacks, clutches, duffels, messengers and hobos, from the front."""

from dataclasses import replace

from services.sample_shop.drawing.geometry import (
    Points,
    ellipse,
    joined,
    mirror,
    rectangle,
    ribbon,
    spaced,
    spline,
    superellipse,
    symmetric,
)
from services.sample_shop.drawing.light import LEATHER, METAL, SOFT, THIN, Relief
from services.sample_shop.drawing.palette import Colour, darker, lighter, luminance
from services.sample_shop.drawing.raster import Canvas
from services.sample_shop.recipe import Cut, Family, Look

GOLD: Colour = (0.80, 0.66, 0.38)
STEEL: Colour = (0.74, 0.75, 0.78)
BODY = replace(LEATHER, depth=26, folds=0.45, gloss=0.25)
NYLON = Relief(depth=28, gain=1.6, rim=0.34, folds=0.55)


def _seam(look: Look) -> Colour:
    """Return a thread that shows on the bag's colour."""
    return lighter(look.colour, 0.35) if luminance(look.colour) < 0.2 else darker(look.colour, 0.4)


def _metal(look: Look) -> Colour:
    return look.rng.choice((GOLD, STEEL))


def _handle(canvas: Canvas, look: Look, arch: Points, width: float, dark: float = 0.0) -> None:
    cloth = look.body("leather")
    canvas.part(ribbon(arch, width), cloth.plain(darker(cloth.colour, dark)), LEATHER, shadow=0.3)


def _rings(
    canvas: Canvas, places: tuple[tuple[float, float], ...], metal: Colour, look: Look, radius: float = 7
) -> None:
    for x, y in places:
        canvas.cord(ellipse(x, y, radius, radius), look.stuff(metal), 3, METAL, closed=True)


def _zip(canvas: Canvas, look: Look, line: Points, metal: Colour) -> None:
    canvas.line(line, darker(look.colour, 0.6), 5, 0.8)
    canvas.line(line, metal, 1.8, 0.9)
    x, y = line[-1]
    canvas.part(rectangle(x - 3, y - 2, x + 3, y + 14, 2), look.stuff(metal), METAL)


def handbag(canvas: Canvas, look: Look) -> None:
    """Draw a structured bag with two arched handles."""
    wide, low, metal = look.between(140, 154), look.between(86, 118), _metal(look)
    canvas.ground(180, 408, wide - 4, 8)
    arch = spline((116, 232), (118, 150), (146, low), (180, low - 8), (214, low), (242, 150), (244, 232))
    _handle(canvas, look, [(x, y - 10) for x, y in arch], 11, 0.3)
    side = spline((268, 212), (292, 280), (180 + wide, 380))
    corner = spline((180 + wide, 380), (180 + wide - 8, 404), (180 + wide - 30, 408))
    body = symmetric(joined([(180, 212), (268, 212)], side, corner, [(180, 408)]))
    canvas.part(body, look.cloth, BODY, shadow=0.3)
    seam, piping = _seam(look), symmetric([(180, 222), (262, 222), (180 + wide - 20, 394), (180, 398)])
    canvas.line(piping, seam, 1.2, 0.5, closed=True, within=body)
    for flip in (list, mirror):
        canvas.line(flip(spline((252, 214), (262, 300), (282, 406))), seam, 1.4, 0.5)
    if look.chance(0.5):
        canvas.part(symmetric([(180, 286), (238, 286), (244, 384), (180, 386)]), look.body(), BODY, shadow=0.3)
    _zip(canvas, look, [(100, 216), (258, 216)], metal)
    _handle(canvas, look, arch, 11)
    _rings(canvas, ((116, 236), (244, 236)), metal, look)
    canvas.part(rectangle(166, 246, 194, 262, 3), look.stuff(metal), METAL, shadow=0.4)


def tote(canvas: Canvas, look: Look) -> None:
    wide, top = look.between(118, 134), look.between(176, 196)
    canvas.ground(180, 424, wide, 7)
    arch = spline((128, top + 36), (130, 120), (158, 74), (202, 74), (230, 120), (232, top + 36))
    _handle(canvas, look, [(x + 3, y - 8) for x, y in arch], 10, 0.35)
    half = joined(
        spline((180, top + 5), (180 + wide * 0.6, top + 2), (180 + wide, top - 2)),
        [(180 + wide - 12, 420)],
        spline((180 + wide - 14, 424), (240, 428), (180, 428)),
    )
    body = symmetric(half)
    canvas.part(body, look.cloth, replace(BODY, folds=0.9), shadow=0.2)
    if look.chance(0.5):
        base = symmetric([(180, 358), (180 + wide, 358), (180 + wide, 440), (180, 440)])
        canvas.part(base, look.trim("leather"), BODY, within=body, shadow=0.1)
    canvas.line(symmetric([(180, top + 16), (180 + wide - 1, top + 10)]), _seam(look), 1.2, 0.5)
    cloth = look.trim("leather") if look.chance(0.5) else look.body("leather")
    canvas.part(ribbon(arch, 10), cloth, LEATHER, shadow=0.35)
    for x in (128, 232):
        canvas.part(rectangle(x - 8, top + 24, x + 8, top + 52, 3), cloth, THIN, shadow=0.35)
        canvas.decal(ellipse(x, top + 44, 2.6, 2.6), _metal(look))


def backpack(canvas: Canvas, look: Look) -> None:
    canvas.ground(180, 436, 104, 8)
    dark = look.stuff(darker(look.colour, 0.45))
    for flip in (list, mirror):
        strap = spline((232, 116), (272, 160), (296, 240), (296, 350), (276, 410), (250, 330))
        canvas.part(flip(strap), dark, SOFT, shadow=0)
    grip = spline((158, 92), (160, 58), (180, 50), (200, 58), (202, 92))
    canvas.cord(grip, look.stuff(darker(look.colour, 0.4)), 9, THIN)
    top = look.between(72, 86)
    side = spline((180, top), (222, top + 6), (262, top + 54), (278, 200), (286, 330))
    body = symmetric(joined(side, spline((286, 330), (286, 408), (270, 430), (180, 436))))
    canvas.part(body, look.cloth, NYLON, shadow=0.2)
    opening = symmetric(spline((180, top + 34), (214, top + 40), (244, top + 80), (256, 220)))
    canvas.line(opening, darker(look.colour, 0.6), 4.5, 0.8)
    canvas.line(opening, STEEL, 1.3, 0.7)
    _backpack_pockets(canvas, look)
    canvas.decal(ellipse(180, 148, 13, 9), look.trim().colour)


def _backpack_pockets(canvas: Canvas, look: Look) -> None:
    edge = spline((254, 284), (262, 360), (254, 414))
    pocket = symmetric(joined(spline((180, 262), (234, 264), (254, 284)), edge, [(180, 420)]))
    two_tone = look.chance(0.5)
    canvas.part(pocket, look.trim(look.cloth.texture) if two_tone else look.body(), NYLON, shadow=0.35)
    _zip(canvas, look, spline((112, 284), (180, 276), (246, 284)), STEEL)
    mesh = look.stuff(darker(look.colour, 0.3), "mesh")
    for flip in (list, mirror):
        canvas.part(flip([(262, 312), (284, 306), (285, 408), (268, 418)]), mesh, SOFT, shadow=0.2)
    small = symmetric(joined(spline((180, 190), (222, 192), (230, 206)), [(232, 246), (180, 248)]))
    canvas.part(small, look.body(), SOFT, shadow=0.25)
    canvas.line(small, _seam(look), 1.1, 0.5, closed=True)


def clutch(canvas: Canvas, look: Look) -> None:
    """Draw an envelope clutch: lower in the picture than bags with handles."""
    wide, high = look.between(138, 152), look.between(52, 62)
    canvas.ground(180, 308 + high, wide - 4, 6)
    if look.chance(0.4):
        chain = spline((180 - wide + 20, 308 - high), (110, 180), (180, 150), (250, 180), (180 + wide - 20, 308 - high))
        for x, y, _ in spaced(chain, 44):
            canvas.line(ellipse(x, y, 3.6, 2.8), GOLD, 1.8, closed=True)
    body = superellipse(180, 308, wide, high, 12)
    canvas.part(body, look.cloth, BODY, shadow=0)
    drop = look.between(0.1, 0.5) * high
    flap = symmetric(
        joined(
            [(180, 308 - high - 1), (180 + wide, 308 - high - 1), (180 + wide - 1, 308 - high * 0.4)],
            spline((180 + wide - 4, 308 - high * 0.3), (240, 308 + drop * 0.7), (180, 308 + drop)),
        )
    )
    canvas.part(flap, look.cloth, replace(BODY, depth=14), within=body, shadow=0.5)
    canvas.line(flap, _seam(look), 1.1, 0.5, closed=True, within=body)
    canvas.part(ellipse(180, 308 + drop - 8, 10, 7), look.stuff(_metal(look)), METAL, shadow=0.4)


def duffel(canvas: Canvas, look: Look) -> None:
    canvas.ground(180, 392, 146, 8)
    arch = spline((116, 268), (122, 190), (150, 152), (210, 152), (238, 190), (244, 268))
    _handle(canvas, look, [(x + 4, y - 8) for x, y in arch], 11, 0.4)
    body = joined(
        spline((42, 268), (66, 236), (180, 228), (294, 236), (318, 268)),
        spline((330, 310), (326, 366), (306, 388)),
        spline((300, 391), (180, 396), (60, 391)),
        spline((54, 388), (34, 366), (30, 310)),
    )
    canvas.part(body, look.cloth, replace(NYLON, depth=34), shadow=0.25)
    ends = look.trim("leather")
    for flip in (list, mirror):
        canvas.part(
            flip(joined(spline((294, 234), (284, 310), (296, 394)), [(340, 394), (340, 234)])),
            ends,
            SOFT,
            within=body,
            shadow=0.3,
        )
        canvas.part(flip([(238, 262), (250, 262), (254, 394), (240, 394)]), ends, THIN, within=body, shadow=0.3)
    _zip(canvas, look, spline((66, 244), (180, 236), (290, 244)), STEEL)
    canvas.part(symmetric([(180, 308), (226, 308), (228, 376), (180, 378)]), look.body(), SOFT, shadow=0.3)
    canvas.part(ribbon(arch, 11), ends, LEATHER, shadow=0.35)


def messenger(canvas: Canvas, look: Look) -> None:
    canvas.ground(180, 412, 132, 8)
    strap = spline((64, 250), (70, 150), (120, 84), (190, 70), (258, 104), (292, 180), (296, 250))
    canvas.part(ribbon(strap, 15), look.stuff(darker(look.colour, 0.35), "canvas"), THIN, shadow=0)
    body = rectangle(46, 218, 314, 412, 22)
    canvas.part(body, look.cloth, NYLON, shadow=0.3)
    flap = joined(
        [(44, 216), (316, 216)],
        spline((316, 216), (318, 310), (306, 352)),
        spline((300, 360), (180, 366), (60, 360)),
        spline((54, 352), (42, 310), (44, 216)),
    )
    canvas.part(flap, look.cloth, replace(NYLON, depth=18), shadow=0.5)
    canvas.line([(x * 0.95 + 9, y * 0.96 + 10) for x, y in flap], _seam(look), 1.2, 0.5, closed=True)
    leather = look.trim("leather")
    for x in (112, 248):
        canvas.part(rectangle(x - 9, 300, x + 9, 384, 4), leather, THIN, shadow=0.4)
        canvas.line(rectangle(x - 12, 350, x + 12, 366, 2), _metal(look), 3, closed=True)


def hobo(canvas: Canvas, look: Look) -> None:
    """Draw a soft crescent that hangs from one broad strap."""
    metal = _metal(look)
    canvas.ground(180, 410, 112, 7)
    strap = spline((78, 262), (98, 160), (150, 86), (210, 86), (262, 160), (282, 262))
    canvas.part(ribbon(strap, 20, 14, 14, 20), look.body("leather"), LEATHER, shadow=0)
    body = symmetric(
        joined(
            spline((180, 276), (240, 264), (290, 236)),
            spline((296, 240), (326, 310), (308, 380), (250, 410), (180, 414)),
        )
    )
    canvas.part(body, look.cloth, replace(BODY, folds=1.3, depth=34), shadow=0.3)
    _zip(canvas, look, spline((84, 246), (180, 282), (272, 248)), metal)
    _rings(canvas, ((80, 256), (280, 256)), metal, look, 9)
    for k in range(5):
        x = 236 + k * 5
        canvas.cord(spline((248, 282), (x, 320), (x - 2, 352 + (k % 2) * 6)), look.trim("leather"), 4, THIN)
    canvas.part(ellipse(248, 282, 7, 7), look.stuff(metal), METAL)


def sling(canvas: Canvas, look: Look) -> None:
    """Draw a small quilted bag on a chain."""
    metal = _metal(look)
    canvas.ground(180, 406, 96, 6)
    chain = spline((86, 282), (108, 160), (156, 84), (204, 84), (252, 160), (274, 282))
    for x, y, direction in spaced(chain, 60):
        rx, ry = (4.6, 2.8) if abs(direction) < 45 else (2.8, 4.6)
        canvas.line(ellipse(x, y, rx, ry), metal, 2, closed=True)
    body = rectangle(78, 274, 282, 406, 26)
    canvas.part(body, replace(look.cloth, texture="quilted"), BODY, shadow=0.2)
    flap = joined([(78, 272), (282, 272)], spline((282, 300), (262, 336), (180, 346), (98, 336), (78, 300)))
    canvas.part(flap, replace(look.cloth, texture="quilted"), replace(BODY, depth=14), shadow=0.5)
    canvas.line(ellipse(180, 338, 11, 9), metal, 4, closed=True)


FAMILY = Family(
    "Bags",
    (
        Cut("handbag", "Handbags", handbag, ("Brown", "Black", "Red", "Beige", "Purple", "Navy Blue"),
            ("plain", "plain", "spots"), "leather", ("Women",), (39, 159)),
        Cut("backpack", "Backpacks", backpack, ("Black", "Blue", "Grey", "Red", "Olive", "Navy Blue"),
            ("plain", "plain", "camouflage"), "canvas", ("Unisex",), (29, 89),
            ("Orange", "Charcoal", "Silver", "Yellow", "Red")),
        Cut("tote", "Handbags", tote, ("Tan", "Black", "Off White", "Teal", "Pink", "Yellow"),
            ("plain", "stripes", "floral", "zigzag"), "canvas", ("Women",), (25, 99),
            ("Coffee Brown", "Tan", "Navy Blue")),
        Cut("clutch", "Clutches", clutch, ("Black", "Gold", "Red", "Silver", "Purple", "Maroon"),
            ("plain", "plain", "dots"), "leather", ("Women",), (19, 79), usage="Party"),
        Cut("duffel bag", "Duffel Bag", duffel, ("Navy Blue", "Black", "Grey", "Maroon", "Olive"), texture="canvas",
            genders=("Unisex",), price=(35, 99), accents=("Coffee Brown", "Charcoal", "Tan"), usage="Sports"),
        Cut("hobo bag", "Handbags", hobo, ("Coffee Brown", "Purple", "Teal", "Grey", "Mustard"), texture="leather",
            genders=("Women",), price=(39, 129)),
        Cut("messenger bag", "Messenger Bag", messenger, ("Khaki", "Black", "Grey", "Brown", "Navy Blue"),
            texture="canvas", genders=("Unisex",), price=(35, 109), accents=("Coffee Brown", "Tan")),
        Cut("quilted sling bag", "Handbags", sling, ("Black", "Pink", "Wine", "Beige", "Blue"), texture="quilted",
            genders=("Women",), price=(35, 139)),
    ),
)  # fmt: skip
