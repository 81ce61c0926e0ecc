"""Topwear: T-shirts, polos, shirts, knitwear, hoodies and jackets, as on an invisible mannequin."""

from dataclasses import replace

from services.sample_shop.drawing.fabric import Cloth
from services.sample_shop.drawing.geometry import (
    Points,
    ellipse,
    joined,
    mirror,
    moved,
    rectangle,
    ribbon,
    spline,
    symmetric,
)
from services.sample_shop.drawing.light import DRAPED, FLAT, PUFFED, SOFT, THIN
from services.sample_shop.drawing.palette import Colour, contrasting, darker, lighter
from services.sample_shop.drawing.raster import Canvas
from services.sample_shop.families import torso
from services.sample_shop.families.torso import MIDDLE, Fit
from services.sample_shop.recipe import Cut, Family, Look


def _fit(look: Look, fit: Fit) -> Fit:
    """Return the fit, a woman's where she wears it, each product a little different."""
    width, length = look.between(0.98, 1.06), look.between(-14, 10)
    if look.woman:
        fit = replace(fit, neck=fit.neck * 1.08, top=fit.top + 7, scoop=fit.scoop + 6, drop=fit.drop + 4)
        fit = replace(
            fit, shoulder=fit.shoulder * 0.85, chest=fit.chest * 0.83, waist=fit.waist * 0.76, hem=fit.hem * 0.95
        )
    return replace(
        fit, chest=fit.chest * width, waist=fit.waist * width, hem=fit.hem * width, bottom=fit.bottom + length
    )


def _tee(canvas: Canvas, look: Look, fit: Fit) -> None:
    sleeve = torso.short_sleeve(fit, look.between(68, 90), look.between(22, 28))
    torso.sleeves(canvas, look.cloth, sleeve)
    torso.front(canvas, fit, look.cloth)
    torso.armhole_seams(canvas, fit, look.colour)
    torso.hem_seams(canvas, fit, look.colour)
    rib = look.trim("ribbed") if look.pattern == "print" and look.chance(0.4) else look.body("ribbed")
    torso.neck_rib(canvas, fit, rib)
    if look.pattern == "print":
        torso.chest_print(canvas, look)


def crew_tee(canvas: Canvas, look: Look) -> None:
    _tee(canvas, look, _fit(look, Fit()))


def vee_tee(canvas: Canvas, look: Look) -> None:
    _tee(canvas, look, _fit(look, Fit(vee=True, scoop=176, neck=30)))


def polo(canvas: Canvas, look: Look) -> None:
    fit = _fit(look, Fit(neck=26, scoop=140))
    sleeve = torso.short_sleeve(fit, 84, 25)
    torso.sleeves(canvas, look.cloth, sleeve)
    torso.front(canvas, fit, look.cloth)
    torso.armhole_seams(canvas, fit, look.colour)
    torso.hem_seams(canvas, fit, look.colour)
    trim = look.trim("ribbed") if look.chance(0.5) else look.body("ribbed")
    canvas.part(rectangle(172, 142, 188, 204, 2), look.body(), THIN, shadow=0.25)
    buttons(canvas, 152, 194, 3, contrasting(look.colour))
    collar(canvas, fit, look.stuff(trim.colour, "ribbed"), 26, 20)
    canvas.decal(ellipse(216, 196, 5, 4), look.accent, 0.9)


def collar(canvas: Canvas, fit: Fit, cloth: Cloth, fall: float, spread: float) -> None:
    """Lay a turned-down collar: two leaves that meet in the middle."""
    side = MIDDLE + fit.neck
    leaf = joined(
        spline((MIDDLE + 1, fit.scoop + 2), (MIDDLE + fit.neck * 0.6, fit.top + 6), (side - 4, fit.top - 8)),
        spline((side + 2, fit.top - 6), (side + 9, fit.top + 8), (side + 4, fit.top + 16)),
        [(MIDDLE + spread + 4, fit.scoop + fall - 8), (MIDDLE + 2, fit.scoop + 6)],
    )
    for points in (leaf, mirror(leaf)):
        canvas.part(points, cloth, THIN, shadow=0.45)
        canvas.line(points, darker(cloth.colour, 0.5), 0.8, 0.5, closed=True)


def buttons(canvas: Canvas, top: float, bottom: float, count: int, colour: Colour, x: float = MIDDLE) -> None:
    """Sew buttons on in a row."""
    for i in range(count):
        y = top + (bottom - top) * i / max(count - 1, 1)
        canvas.decal(ellipse(x + 0.6, y + 0.9, 3.6, 3.6), (0, 0, 0), 0.3)
        canvas.decal(ellipse(x, y, 3.3, 3.3), colour)
        canvas.decal(ellipse(x, y, 1.1, 1.1), darker(colour, 0.4))


def _shirt(canvas: Canvas, look: Look, long: bool) -> None:
    fit = _fit(look, Fit(neck=25, scoop=140))
    if long:
        sleeve = torso.long_sleeve(fit, look.between(214, 226), look.between(30, 36))
        torso.sleeves(canvas, look.cloth, sleeve)
        torso.cuffs(canvas, look.body(), sleeve, 22, _outer_end(sleeve))
    else:
        torso.sleeves(canvas, look.cloth, torso.short_sleeve(fit, 92, 27))
    torso.front(canvas, fit, look.cloth)
    torso.armhole_seams(canvas, fit, look.colour)
    canvas.part(rectangle(173, fit.scoop, 187, fit.bottom + 2), look.cloth, FLAT, shadow=0.2)
    for x in (174, 186):
        canvas.line([(x, fit.scoop + 6), (x, fit.bottom)], darker(look.colour, 0.45), 0.7, 0.5)
    buttons(canvas, fit.scoop + 22, fit.bottom - 26, 6, lighter(contrasting(look.colour), 0.15))
    pocket = [(202, 200), (230, 200), (230, 228), (216, 234), (202, 228)]
    canvas.part(pocket, look.cloth, FLAT, shadow=0.2)
    canvas.line(pocket, darker(look.colour, 0.45), 0.8, 0.5, closed=True)
    collar(canvas, fit, look.cloth.turned(38), 30, 22)


def _outer_end(sleeve: Points) -> int:
    """Return where the outline of a long sleeve reaches the cuff's outer end: its lowest outer point."""
    return max(range(len(sleeve)), key=lambda i: sleeve[i][0] + sleeve[i][1])


def shirt(canvas: Canvas, look: Look) -> None:
    _shirt(canvas, look, long=True)


def short_shirt(canvas: Canvas, look: Look) -> None:
    _shirt(canvas, look, long=False)


def _ribbed_hem(canvas: Canvas, fit: Fit, cloth: Cloth, depth: float = 22) -> None:
    top, wide = fit.bottom - depth, fit.hem - 2
    upper = spline((MIDDLE - wide, top), (MIDDLE, top + 6), (MIDDLE + wide, top))
    lower = spline((MIDDLE + wide - 5, fit.bottom), (MIDDLE, fit.bottom + 7), (MIDDLE - wide + 5, fit.bottom))
    band = joined(upper, lower)
    canvas.part(band, cloth, THIN, shadow=0.3)


def _knitted(canvas: Canvas, look: Look, fit: Fit) -> None:
    """Lay what sweaters and sweatshirts share: long sleeves, front, ribbed cuffs and hem."""
    sleeve = torso.long_sleeve(fit, look.between(214, 226), look.between(32, 38), 36)
    torso.sleeves(canvas, look.cloth, sleeve, PUFFED)
    torso.cuffs(canvas, look.body("ribbed"), sleeve, 20, _outer_end(sleeve))
    torso.front(canvas, replace(fit, bottom=fit.bottom - 14), look.cloth, PUFFED)
    torso.armhole_seams(canvas, fit, look.colour)
    _ribbed_hem(canvas, fit, look.body("ribbed"))


def sweater(canvas: Canvas, look: Look) -> None:
    vee = look.chance(0.4)
    fit = _fit(look, Fit(neck=27, vee=vee, scoop=176 if vee else 144, bottom=396))
    _knitted(canvas, look, fit)
    torso.neck_rib(canvas, fit, look.body("ribbed"), 12)


def long_tee(canvas: Canvas, look: Look) -> None:
    fit = _fit(look, Fit())
    sleeve = torso.long_sleeve(fit)
    torso.sleeves(canvas, look.cloth if look.pattern != "plain" else look.trim("jersey"), sleeve)
    torso.front(canvas, fit, look.cloth)
    torso.armhole_seams(canvas, fit, look.colour)
    torso.hem_seams(canvas, fit, look.colour)
    torso.neck_rib(canvas, fit, look.body("ribbed") if look.pattern != "plain" else look.trim("ribbed"))
    canvas.part(rectangle(173, 150, 187, 196, 2), look.body(), THIN, shadow=0.25)
    buttons(canvas, 158, 188, 3, contrasting(look.colour))


def hoodie(canvas: Canvas, look: Look) -> None:
    fit = _fit(look, Fit(neck=30, scoop=152, waist=70, hem=73, bottom=400))
    _knitted(canvas, look, fit)
    roll = symmetric(
        joined(
            spline((MIDDLE, 164), (MIDDLE + 30, 146), (MIDDLE + 44, 116)),
            spline((MIDDLE + 30, 104), (MIDDLE + 20, 128), (MIDDLE, 143)),
        )
    )
    canvas.part(moved(roll, 0, fit.top - 120), look.body(), PUFFED, shadow=0.35)
    pouch = symmetric([(MIDDLE, 308), (MIDDLE + 32, 308), (MIDDLE + 52, 342), (MIDDLE + 52, 374), (MIDDLE, 377)])
    canvas.part(pouch, look.body(), SOFT, shadow=0.25)
    canvas.line(pouch, darker(look.colour, 0.4), 0.9, 0.5, closed=True)
    for x, length in ((168, 56), (192, 48)):
        canvas.cord(spline((x, 156), (x - 2, 180), (x + 1, 160 + length)), look.stuff((0.93, 0.93, 0.91)), 3.0, THIN)
    if look.pattern == "print":
        torso.chest_print(canvas, look, 252)


def sleeveless(canvas: Canvas, look: Look) -> None:
    fit = _fit(
        look,
        Fit(neck=36, top=124, scoop=186, shoulder=58, drop=130, chest=68, armpit=206, waist=66, hem=78, bottom=398),
    )
    torso.front(canvas, fit, look.cloth)
    x, y = fit.corner
    edge = spline((x, y), (x - 7, y + (fit.armpit - y) * 0.55), (MIDDLE + fit.chest, fit.armpit))
    for line in (edge, mirror(edge)):
        canvas.part(ribbon(line, 6), look.body("ribbed"), THIN, shadow=0.1)
    torso.neck_rib(canvas, fit, look.body("ribbed"), 6)
    torso.hem_seams(canvas, fit, look.colour)


def jacket(canvas: Canvas, look: Look) -> None:
    fit = _fit(look, Fit(neck=26, scoop=144, shoulder=77, chest=74, waist=73, hem=73, bottom=396))
    _knitted(canvas, look, fit)
    for side in (_front_pocket(), mirror(_front_pocket())):
        canvas.line(side, darker(look.colour, 0.6), 2.4, 0.8)
        canvas.line(side, lighter(look.colour, 0.3), 0.8, 0.6)
    stand = symmetric(joined(spline((MIDDLE, 152), (MIDDLE + 16, 144), (MIDDLE + 30, 122)), [(MIDDLE + 27, 108)],
                             spline((MIDDLE + 21, 112), (MIDDLE + 11, 126), (MIDDLE, 132))))  # fmt: skip
    canvas.part(stand, look.trim("ribbed") if look.chance(0.4) else look.body("ribbed"), THIN, shadow=0.35)
    zip_line = [(MIDDLE, 140), (MIDDLE, fit.bottom + 4)]
    canvas.line(zip_line, darker(look.colour, 0.55), 7, 0.8)
    canvas.line(zip_line, (0.72, 0.73, 0.75), 2.6)
    canvas.part(rectangle(177, 146, 183, 160, 2), look.stuff((0.8, 0.8, 0.82)), THIN)


def _front_pocket() -> Points:
    return [(MIDDLE + 30, 304), (MIDDLE + 50, 346)]


def denim_jacket(canvas: Canvas, look: Look) -> None:
    fit = _fit(look, Fit(neck=26, scoop=142, shoulder=76, chest=71, hem=69, bottom=378))
    sleeve = torso.long_sleeve(fit, 220, 34, 36)
    torso.sleeves(canvas, look.cloth, sleeve)
    torso.cuffs(canvas, look.cloth, sleeve, 20, _outer_end(sleeve))
    torso.front(canvas, replace(fit, bottom=fit.bottom - 12), look.cloth, DRAPED)
    torso.armhole_seams(canvas, fit, look.colour)
    _ribbed_hem(canvas, fit, look.cloth, 22)
    thread: Colour = (0.82, 0.6, 0.32)
    yoke = [(MIDDLE + 8, 196), (MIDDLE + fit.chest - 4, 192)]
    flap = [(MIDDLE + 20, 196), (MIDDLE + 52, 195), (MIDDLE + 52, 209), (MIDDLE + 36, 217), (MIDDLE + 20, 210)]
    seam = [(MIDDLE + 26, 214), (MIDDLE + 18, fit.bottom - 24)]
    for flip in (list, mirror):
        canvas.line(flip(yoke), thread, 1.1, 0.8)
        canvas.line(flip(seam), thread, 1.0, 0.7)
        canvas.part(flip(flap), look.cloth, THIN, shadow=0.35)
        canvas.line(flip(flap), thread, 1.0, 0.7, closed=True)
    canvas.part(rectangle(171, fit.scoop, 189, fit.bottom + 2), look.cloth, FLAT, shadow=0.3)
    for x in (172, 188):
        canvas.line([(x, fit.scoop + 6), (x, fit.bottom)], thread, 1.0, 0.7)
    buttons(canvas, fit.scoop + 24, fit.bottom - 10, 6, (0.78, 0.66, 0.44))
    collar(canvas, fit, look.cloth.turned(38), 32, 24)


BASICS = (
    "White",
    "Black",
    "Navy Blue",
    "Red",
    "Green",
    "Grey",
    "Blue",
    "Yellow",
    "Pink",
    "Purple",
    "Maroon",
    "Orange",
    "Teal",
)
CHECKS = ("tartan", "gingham", "windowpane", "plain")

FAMILY = Family(
    "Topwear",
    (
        Cut("crew-neck T-shirt", "Tshirts", torso.worn(crew_tee), BASICS, ("print", "stripes", "plain", "chest band"),
            price=(9, 29)),
        Cut("long-sleeved shirt", "Shirts", torso.worn(shirt, 10),
            ("Blue", "White", "Red", "Green", "Purple", "Sky Blue", "Navy Blue"), CHECKS, "canvas", ("Men",), (25, 69)),
        Cut("polo shirt", "Tshirts", torso.worn(polo, 10), BASICS, ("plain", "bold stripes", "stripes", "plain"),
            "mesh", ("Men",), (19, 49)),
        Cut("hoodie", "Sweatshirts", torso.worn(hoodie), ("Grey", "Navy Blue", "Red", "Black", "Green", "Purple"),
            ("plain", "print"), "melange", price=(35, 79)),
        Cut("V-neck T-shirt", "Tshirts", torso.worn(vee_tee), BASICS, ("plain", "stripes", "floral", "dots"),
            genders=("Women",), price=(9, 29)),
        Cut("sweater", "Sweaters", torso.worn(sweater),
            ("Maroon", "Charcoal", "Navy Blue", "Mustard", "Green", "Beige", "Grey"),
            ("plain", "bold stripes", "argyle", "zigzag"), "knit", price=(35, 89)),
        Cut("short-sleeved shirt", "Shirts", torso.worn(short_shirt, 10),
            ("Sky Blue", "Pink", "Green", "White", "Orange", "Navy Blue"),
            ("vertical stripes", "gingham", "paisley", "plain", "floral"), "canvas", ("Men",), (19, 55)),
        Cut("sleeveless top", "Tops", torso.worn(sleeveless),
            ("Pink", "White", "Turquoise Blue", "Black", "Lavender", "Yellow", "Peach"),
            ("plain", "floral", "dots", "spots"), genders=("Women",), price=(12, 35)),
        Cut("henley", "Tshirts", torso.worn(long_tee), ("White", "Grey", "Navy Blue", "Maroon", "Olive", "Beige"),
            ("stripes", "plain", "marl"), genders=("Men",), price=(19, 45)),
        Cut("zip jacket", "Jackets", torso.worn(jacket, 10), ("Black", "Navy Blue", "Red", "Olive", "Grey", "Blue"),
            ("plain", "colour block"), "smooth", price=(45, 129), usage="Sports"),
        Cut("cable-knit sweater", "Sweaters", torso.worn(sweater), ("Cream", "Navy Blue", "Rust", "Teal", "Grey"),
            texture="cable", price=(45, 119)),
        Cut("denim jacket", "Jackets", torso.worn(denim_jacket, 10), ("Blue", "Navy Blue", "Black", "Sky Blue"),
            texture="denim", price=(49, 119)),
    ),
)  # fmt: skip
