"""Innerwear: briefs, trunks, boxers, bras, vests and camisoles, on mannequins and laid flat."""

from dataclasses import replace

from services.sample_shop.drawing.geometry import Points, ellipse, joined, mirror, moved, ribbon, spline, symmetric
from services.sample_shop.drawing.light import DRAPED, SOFT, THIN, Relief
from services.sample_shop.drawing.palette import contrasting, darker, lighter
from services.sample_shop.drawing.raster import Canvas
from services.sample_shop.families.figure import Figure, back_hair, bare, head, mannequin
from services.sample_shop.recipe import Cut, Family, Look

SNUG = Relief(depth=14, gain=0.9, rim=0.2, folds=0.3)


def _hips(canvas: Canvas, look: Look) -> Figure:
    """Lay the mannequin from the waist to the knees."""
    figure = mannequin(look.rng, look.woman).framed(look.between(1.75, 1.95), 0)
    figure = replace(figure, y=250 - 318 * figure.scale)
    bare(canvas, figure)
    return figure


def _band(canvas: Canvas, figure: Figure, look: Look, top: float, depth: float, wide: float) -> None:
    """Lay an elastic waistband with a woven name."""
    band = figure.whole(
        joined(
            spline((0, top + 4), (wide * 0.6, top + 2), (wide, top - 1)),
            spline((wide + 1.5, top + depth - 1), (wide * 0.6, top + depth + 2), (0, top + depth + 4)),
        )
    )
    cloth = look.trim("ribbed")
    canvas.part(band, cloth, THIN, shadow=0.3)
    ink = contrasting(cloth.colour)
    for k in range(-3, 4):
        mark = figure.at(
            [
                (k * 5.2 - 1.7, top + 5),
                (k * 5.2 + 1.7, top + 5),
                (k * 5.2 + 1.7, top + depth),
                (k * 5.2 - 1.7, top + depth),
            ]
        )
        canvas.decal(mark, ink, 0.7)


def briefs(canvas: Canvas, look: Look) -> None:
    figure = _hips(canvas, look)
    wide, top = (50.0, 288.0) if not look.woman else (47.0, 286.0)
    rise = 330.0 if not look.woman else 318.0
    half = joined(
        spline((0, top + 4), (wide * 0.6, top + 2), (wide, top)),
        spline((56, rise - 6), (57, rise)),
        spline((57, rise), (38, rise + 12), (18, 352), (9, 372)),
        [(0, 375)],
    )
    outline = figure.whole(half)
    canvas.part(outline, look.cloth, SNUG, shadow=0.35)
    trim = look.accent if look.chance(0.7) else darker(look.colour, 0.3)
    for edge in figure.both(spline((57, rise), (38, rise + 12), (18, 352), (9, 372))):
        canvas.line(edge, trim, 5, 0.9)
    if not look.woman:
        for seam in figure.both(spline((15, 300), (20, 326), (11, 362))):
            canvas.line(seam, darker(look.colour, 0.5), 1.3, 0.6)
        _band(canvas, figure, look, top, 10, wide)
        return
    canvas.line(figure.at(spline((-wide, top), (0, top + 4), (wide, top))), look.accent, 5, 0.9)
    canvas.decal(figure.at(ellipse(0, top + 7, 3, 2)), look.accent)


def trunks(canvas: Canvas, look: Look) -> None:
    figure = _hips(canvas, look)
    half = joined(
        spline((0, 290), (30, 288), (50, 285)),
        spline((50, 285), (57, 318), (58, 345), (57, 388)),
        spline((57, 388), (32, 394), (7, 393)),
        [(2, 366), (0, 364)],
    )
    canvas.part(figure.whole(half), look.cloth, SNUG, shadow=0.35)
    thread = look.accent if look.chance(0.5) else darker(look.colour, 0.5)
    for seam in figure.both(spline((15, 298), (21, 330), (6, 368))):
        canvas.line(seam, thread, 1.8, 0.8)
    for hem in figure.both(spline((57, 381), (32, 387), (7, 386))):
        canvas.line(hem, darker(look.colour, 0.4), 1.2, 0.6)
    _band(canvas, figure, look, 284, 12, 50)


def boxers(canvas: Canvas, look: Look) -> None:
    figure = _hips(canvas, look)
    half = joined(
        spline((0, 282), (30, 281), (52, 278)),
        spline((52, 278), (61, 318), (65, 350), (68, 398)),
        spline((68, 398), (38, 405), (5, 403)),
        [(1.5, 366), (0, 364)],
    )
    canvas.part(figure.whole(half), look.cloth, DRAPED, shadow=0.4)
    canvas.line(figure.at(spline((0, 294), (1, 330), (0, 364))), darker(look.colour, 0.5), 1.6, 0.6)
    band = figure.whole(joined(spline((0, 281), (52, 277)), spline((53, 287), (0, 292))))
    canvas.part(band, look.body("ribbed"), THIN, shadow=0.3)
    canvas.decal(figure.at(ellipse(0, 312, 2, 2)), contrasting(look.colour))


def flat_briefs(canvas: Canvas, look: Look) -> None:
    """Lay briefs flat, now and then two of a pack."""
    edge = spline((325, 236), (270, 252), (232, 292), (214, 328))
    side, seat = spline((322, 190), (326, 214), (325, 236)), spline((214, 328), (196, 335), (180, 336))
    half = joined([(180, 196), (322, 190)], side, edge, seat)
    if look.chance(0.4):
        behind = moved(symmetric(half), look.rng.choice((-10, 10)), -22)
        canvas.part(behind, look.trim("jersey"), SNUG, shadow=0)
    outline = symmetric(half)
    canvas.part(outline, look.cloth, SNUG, shadow=0.4)
    for line in (edge, mirror(edge)):
        canvas.line(line, look.accent, 5.5, 0.95)
    fly = spline((212, 214), (222, 260), (200, 328))
    for line in (fly, mirror(fly)):
        canvas.line(line, darker(look.colour, 0.5), 1.3, 0.6)
    canvas.part(symmetric([(180, 194), (322, 188), (323, 208), (180, 214)]), look.trim("ribbed"), THIN, shadow=0.3)
    for k in range(-4, 5):
        left = 176 + k * 13
        canvas.decal([(left, 199), (left + 7, 199), (left + 7, 208), (left, 208)], contrasting(look.accent), 0.7)


def _bust(canvas: Canvas, look: Look) -> Figure:
    """Lay the mannequin from the head to the waist."""
    figure = mannequin(look.rng, True).framed(look.between(1.92, 2.1), look.between(-14, 4))
    back_hair(canvas, figure)
    bare(canvas, figure)
    return figure


def bra(canvas: Canvas, look: Look) -> None:
    figure = _bust(canvas, look)
    for strap in figure.both(spline((29, 106), (31, 128), (29, 150))):
        canvas.part(ribbon(strap, 5.5), look.body(), THIN, shadow=0.3)
    wing = figure.whole([(0, 181), (44, 172), (46, 186), (0, 193)])
    canvas.part(wing, look.body(), SOFT, shadow=0.25)
    cup = joined(
        spline((3, 176), (8, 158), (29, 142), (41, 153), (46, 172)),
        spline((46, 172), (40, 187), (24, 193), (8, 188), (3, 176)),
    )
    edge = look.accent if look.chance(0.4) else lighter(look.colour, 0.2)
    for outline in figure.both(cup):
        canvas.part(outline, look.cloth, Relief(depth=24, gain=1.7, rim=0.34), shadow=0.45)
        canvas.line(outline[9:28], edge, 3.2, 0.8)
    canvas.part(figure.at(ellipse(0, 178, 4.5, 3)), look.trim(), THIN, shadow=0.4)
    head(canvas, figure)


def sports_bra(canvas: Canvas, look: Look) -> None:
    figure = _bust(canvas, look)
    half = joined(
        spline((0, 146), (16, 138), (23, 108)),
        [(38, 108)],
        spline((38, 108), (39, 132), (47, 156)),
        spline((47, 156), (45, 178), (44, 202)),
        [(0, 206)],
    )
    outline = figure.whole(half)
    canvas.part(outline, look.cloth, replace(SNUG, depth=22, gain=1.3), shadow=0.4)
    for bust in figure.both(ellipse(22, 164, 14, 13)):
        canvas.glow(bust, 18, 0.12, within=outline)
    canvas.glow(figure.at(ellipse(0, 172, 3, 18)), 10, -0.3, within=outline)
    canvas.part(figure.whole([(0, 194), (44.5, 190), (44, 203), (0, 207)]), look.trim("ribbed"), THIN, shadow=0.3)
    for edge in figure.both(spline((0, 146), (16, 138), (23, 108))):
        canvas.line(edge, look.accent, 4, 0.9)
    head(canvas, figure)


def vest(canvas: Canvas, look: Look) -> None:
    """Draw a vest on a man in plain shorts."""
    figure = mannequin(look.rng, False).framed(look.between(1.02, 1.08), look.between(10, 18))
    bare(canvas, figure)
    shorts = [(0, 330), (52, 330), *spline((58, 350), (64, 420), (66, 460)), (4, 460), (1, 372), (0, 372)]
    grey = look.stuff(look.rng.choice(((0.62, 0.63, 0.66), (0.16, 0.16, 0.18))), "melange")
    canvas.part(figure.whole(shorts), grey, DRAPED, shadow=0.1)
    _upper(canvas, look, figure, 362)
    head(canvas, figure)


def _upper(canvas: Canvas, look: Look, figure: Figure, end: float) -> None:
    neck = spline((0, 156), (16, 148), (27, 122), (30, 102))
    arms = spline((42, 105), (43, 130), (48, 150), (60, 172))
    side = spline((60, 172), (56, 205), (52, 243), (57, 312), (60, end))
    half = joined(neck, arms, side, spline((60, end), (30, end + 4), (0, end + 5)))
    canvas.part(figure.whole(half), look.cloth, replace(SNUG, folds=0.5), shadow=0.35)
    _bound(canvas, look, (*figure.both(neck), *figure.both(arms)))


def _bound(canvas: Canvas, look: Look, edges: tuple[Points, ...]) -> None:
    """Bind the edges, now and then in the second colour."""
    trim = look.accent if look.chance(0.3) else lighter(look.colour, 0.15)
    for edge in edges:
        canvas.line(edge, trim, 4.2, 0.9)
        canvas.line(edge, darker(look.colour, 0.4), 0.9, 0.4)


def camisole(canvas: Canvas, look: Look) -> None:
    figure = _bust(canvas, look)
    for strap in figure.both(spline((28, 105), (30, 126), (29, 146))):
        canvas.part(ribbon(strap, 5), look.body(), THIN, shadow=0.3)
    neck = spline((0, 152), (14, 148), (30, 142), (42, 150), (47.5, 164))
    half = joined(neck, spline((47.5, 164), (45, 195), (40, 236)), spline((40, 236), (20, 240), (0, 241)))
    outline = figure.whole(half)
    canvas.part(outline, look.cloth, replace(SNUG, depth=22, gain=1.2, folds=0.5), shadow=0.4)
    for bust in figure.both(ellipse(22, 168, 14, 12)):
        canvas.glow(bust, 18, 0.1, within=outline)
    _bound(canvas, look, figure.both(neck))
    head(canvas, figure)


SOLIDS = ("Black", "White", "Grey Melange", "Navy Blue", "Red", "Maroon", "Charcoal", "Blue")
SOFTS = ("White", "Black", "Skin", "Pink", "Purple", "Red", "Peach", "Lavender")

FAMILY = Family(
    "Innerwear",
    (
        Cut("briefs", "Briefs", briefs, ("Navy Blue", "Black", "Grey Melange", "White", "Red", "Charcoal"),
            ("plain", "stripes"), genders=("Men",), price=(6, 19)),
        Cut("bra", "Bra", bra, SOFTS, ("plain", "plain", "floral"), "smooth", ("Women",), (15, 45)),
        Cut("slip briefs", "Briefs", flat_briefs, SOLIDS, ("plain", "stripes", "plain"), price=(6, 19)),
        Cut("trunks", "Trunk", trunks, ("Grey Melange", "Black", "White", "Blue", "Navy Blue", "Maroon"),
            ("plain", "plain", "stripes"), genders=("Men",), price=(9, 25)),
        Cut("bikini briefs", "Briefs", briefs, SOFTS, ("plain", "floral", "dots"), "smooth", ("Women",), (6, 19)),
        Cut("vest", "Innerwear Vests", vest, ("White", "Grey Melange", "Black", "Red", "Navy Blue"), texture="ribbed",
            genders=("Men",), price=(7, 19)),
        Cut("sports bra", "Bra", sports_bra, ("Black", "Turquoise Blue", "Grey Melange", "Pink", "White"),
            texture="jersey", genders=("Women",), price=(19, 49), usage="Sports"),
        Cut("lace bra", "Bra", bra, ("Black", "Wine", "White", "Teal", "Pink"), texture="lace", genders=("Women",),
            price=(19, 59)),
        Cut("boxers", "Boxers", boxers, ("Sky Blue", "Navy Blue", "White", "Red", "Green"),
            ("gingham", "tartan", "dots", "vertical stripes"), "canvas", ("Men",), (9, 25)),
        Cut("camisole", "Camisoles", camisole, ("White", "Lavender", "Black", "Pink", "Red"), texture="jersey",
            genders=("Women",), price=(9, 29)),
    ),
)  # fmt: skip
