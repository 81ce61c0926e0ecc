"""Bottomwear: jeans, trousers, leggings, shorts and skirts, on a mannequin cropped at the chest."""

from dataclasses import replace

from services.sample_shop.drawing.geometry import Points, ellipse, joined, spline
from services.sample_shop.drawing.light import DRAPED, SOFT, THIN, Relief
from services.sample_shop.drawing.palette import Colour, contrasting, darker, lighter
from services.sample_shop.drawing.raster import Canvas
from services.sample_shop.families.figure import Figure, bare, mannequin
from services.sample_shop.recipe import Cut, Family, Look

THREAD: Colour = (0.80, 0.60, 0.34)
SHIRTS: tuple[Colour, ...] = (
    (0.93, 0.93, 0.92),
    (0.16, 0.17, 0.20),
    (0.62, 0.74, 0.87),
    (0.75, 0.21, 0.24),
    (0.55, 0.57, 0.60),
)
SHOES: tuple[Colour, ...] = ((0.12, 0.12, 0.13), (0.90, 0.90, 0.89), (0.33, 0.21, 0.14), (0.16, 0.19, 0.30))
WAIST = 243.0
LEG = Relief(depth=17, gain=1.4, rim=0.34, folds=0.8, grid=(6, 9))


def _stand(canvas: Canvas, look: Look) -> Figure:
    """Lay the mannequin with a plain top tucked in and shoes on."""
    figure = mannequin(look.rng, look.woman).framed(look.between(0.93, 0.98), 0)
    figure = replace(figure, y=look.between(462, 472) - 634 * figure.scale)
    shoe = look.stuff(look.rng.choice(SHOES))
    for foot in figure.both(_foot(look.woman)):
        canvas.part(foot, shoe, Relief(depth=9, gain=1.2, rim=0.3, gloss=0.2), shadow=0)
    bare(canvas, figure)
    top = look.stuff(look.rng.choice(SHIRTS), "jersey")
    if not look.woman:
        for sleeve in figure.both([(52, 100), (82, 130), (88, 207), (58, 212), (54, 170)]):
            canvas.part(sleeve, top, DRAPED, shadow=0)
    waist = 45 if look.woman else 51
    half = joined(
        [(0, 100), (50, 110)],
        spline((52, 150), (waist + 4, 190), (waist - 1, WAIST), (waist, WAIST + 8)),
        [(0, WAIST + 9)],
    )
    canvas.part(figure.whole(half), top, SOFT, shadow=0.2)
    return figure


def _foot(woman: bool) -> Points:
    if woman:
        return spline((20, 578), (37, 578), (45, 604), (48, 624), (34, 632), (21, 624), (20, 578))
    return spline((17, 572), (40, 572), (50, 602), (57, 622), (42, 634), (21, 626), (17, 572))


def legs(waist: float, hip: float, knee: float, hem: float, end: float, rise: float = WAIST) -> Points:
    """Return the right half of a pair of trousers, in the figure's measures: half widths, and where the legs end."""
    middle = (hem + knee) / 2 if end > 500 else hem
    down = min(470.0, (end + 352) / 2)
    gap = 5 if end > 420 else 3
    outer = spline(
        (waist, rise), (hip - 3, 290), (hip, 325), (knee + 24, down), (middle + 23, (down + end) / 2), (hem + 22, end)
    )
    inner = spline((max(22 - hem, gap), end + 3), (gap + 3, (end + 356) / 2), (1.5, 362), (0, 354))
    return joined([(0, rise + 3)], outer, inner)


def _trousers(canvas: Canvas, look: Look, figure: Figure, half: Points, relief: Relief = LEG) -> Points:
    outline = figure.whole(half)
    canvas.part(outline, look.cloth, relief, shadow=0.3)
    seam = darker(look.colour, 0.55)
    canvas.line(figure.at(spline((0, WAIST + 14), (1, 310), (0, 354))), seam, 1.4, 0.6)
    for line in figure.both(spline((3, 356), (14, 348), (30, 336))):
        canvas.line(line, seam, 3.0, 0.13)
    return outline


def _waistband(
    canvas: Canvas, figure: Figure, look: Look, wide: float, depth: float = 13, texture: str | None = None
) -> None:
    band = figure.whole(
        [(0, WAIST + 2), (wide + 0.5, WAIST - 1), (wide + 2, WAIST + depth - 2), (0, WAIST + depth + 2)]
    )
    canvas.part(band, look.body(texture), THIN, shadow=0.25)


def _pockets(canvas: Canvas, figure: Figure, colour: Colour, wide: float, width: float = 1.2) -> None:
    for line in figure.both(spline((wide - 22, WAIST + 14), (wide - 18, WAIST + 30), (wide + 4, WAIST + 42))):
        canvas.line(line, colour, width, 0.8)


def jeans(canvas: Canvas, look: Look) -> None:
    figure = _stand(canvas, look)
    slim = look.between(-3, 3) - (4 if look.woman else 0)
    wide = 46 if look.woman else 51
    outline = _trousers(canvas, look, figure, legs(wide, 59, 24 + slim, 19 + slim, 592))
    for thigh in figure.both(ellipse(30, 405, 11, 52)):
        canvas.glow(thigh, 16, look.between(0.1, 0.3), within=outline)
    _waistband(canvas, figure, look, wide)
    _pockets(canvas, figure, THREAD, wide)
    canvas.line(figure.at(spline((0, WAIST + 16), (-10, 300), (0, 322))), THREAD, 1.0, 0.7)
    canvas.decal(figure.at(ellipse(0, WAIST + 8, 3.5, 3.5)), (0.75, 0.65, 0.45))
    for loop in figure.both([(24, WAIST), (28, WAIST), (28, WAIST + 15), (24, WAIST + 15)]):
        canvas.part(loop, look.cloth, THIN, shadow=0.3)
    for side in figure.both([(58.5, 325), (24 + slim + 22.5, 470), (19 + slim + 20.5, 590)]):
        canvas.line(side, darker(look.colour, 0.4), 1.0, 0.4)


def trousers(canvas: Canvas, look: Look) -> None:
    figure = _stand(canvas, look)
    wide = 45 if look.woman else 51
    _trousers(canvas, look, figure, legs(wide, 58, 27, 25, 594), replace(LEG, folds=0.45))
    _pockets(canvas, figure, darker(look.colour, 0.5), wide)
    for crease in figure.both(spline((28, 320), (27, 430), (26, 500), (25, 592))):
        canvas.line(crease, lighter(look.colour, 0.25), 2.0, 0.4)
    belt = figure.whole([(0, WAIST + 3), (wide + 1, WAIST), (wide + 2, WAIST + 10), (0, WAIST + 13)])
    canvas.part(belt, look.stuff(darker(look.accent, 0.75), "leather"), THIN, shadow=0.3)
    buckle = figure.at([(-7, WAIST + 2), (7, WAIST + 2), (7, WAIST + 14), (-7, WAIST + 14)])
    canvas.line(buckle, (0.78, 0.76, 0.70), 2.0, closed=True)


def track_pants(canvas: Canvas, look: Look) -> None:
    figure = _stand(canvas, look)
    wide = 46 if look.woman else 51
    outline = _trousers(canvas, look, figure, legs(wide, 60, 30, 24, 590), replace(LEG, folds=1.0))
    width = look.between(5, 9)
    for stripe in figure.both(spline((wide - 3, WAIST + 10), (56, 325), (49, 470), (42, 590))):
        canvas.line(stripe, look.accent, width)
    _waistband(canvas, figure, look, wide, 15, "ribbed")
    for x, length in ((-5, 40), (5, 46)):
        canvas.cord(
            figure.at(spline((x, WAIST + 10), (x * 1.6, WAIST + 26), (x * 1.3, WAIST + length))), look.trim(), 3, THIN
        )
    if look.chance(0.5):
        for cuff in figure.both([(9, 574), (42, 574), (39, 594), (14, 594)]):
            canvas.part(cuff, look.body("ribbed"), THIN, within=outline)


def leggings(canvas: Canvas, look: Look) -> None:
    figure = _stand(canvas, look)
    end = look.rng.choice((588.0, 588.0, 540.0))
    half = joined([(0, WAIST)],
                  spline((41, WAIST - 4), (48, 285), (58, 325), (52, 400), (44, 470), (46, 508), (40, end)),
                  spline((17, end + 2), (17, 520), (15, 470), (8, 400), (1, 356)), [(0, 350)])  # fmt: skip
    _trousers(canvas, look, figure, half, replace(LEG, folds=0.25, gloss=0.1))
    _waistband(canvas, figure, look, 41, 18)


def _shorts(canvas: Canvas, look: Look, end: float, hem: float) -> Figure:
    figure = _stand(canvas, look)
    wide = 46 if look.woman else 51
    _trousers(canvas, look, figure, legs(wide, 60, 40, hem, end))
    for line in figure.both([(6, end - 6), (hem + 22, end - 9)]):
        canvas.line(line, darker(look.colour, 0.5), 1.0, 0.6)
    return figure


def shorts(canvas: Canvas, look: Look) -> None:
    figure = _shorts(canvas, look, 440 if look.woman else 466, 41)
    wide = 46 if look.woman else 51
    _waistband(canvas, figure, look, wide)
    _pockets(canvas, figure, darker(look.colour, 0.5), wide)
    canvas.decal(figure.at(ellipse(0, WAIST + 8, 3, 3)), contrasting(look.colour))


def cargo_shorts(canvas: Canvas, look: Look) -> None:
    figure = _shorts(canvas, look, 476, 43)
    _waistband(canvas, figure, look, 51)
    _pockets(canvas, figure, darker(look.colour, 0.5), 51)
    for pocket in figure.both([(38, 372), (63, 370), (64, 420), (40, 423)]):
        canvas.part(pocket, look.cloth, SOFT, shadow=0.4)
        canvas.line(pocket, darker(look.colour, 0.5), 1.0, 0.6, closed=True)
        canvas.line(
            [pocket[0], (pocket[0][0], pocket[0][1] + 14), (pocket[1][0], pocket[1][1] + 14)],
            darker(look.colour, 0.5),
            1.2,
            0.6,
        )


def sports_shorts(canvas: Canvas, look: Look) -> None:
    figure = _shorts(canvas, look, 444, 45)
    wide = 46 if look.woman else 51
    _waistband(canvas, figure, look, wide, 16, "ribbed")
    for stripe in figure.both(spline((wide + 1, WAIST + 18), (58, 320), (63, 440))):
        canvas.line(stripe, look.accent, 6)
    canvas.cord(figure.at(spline((4, WAIST + 10), (8, WAIST + 30), (5, WAIST + 48))), look.trim(), 2.8, THIN)


def skirt(canvas: Canvas, look: Look) -> None:
    figure = _stand(canvas, look)
    end, flare = look.rng.choice(((430.0, 74.0), (460.0, 66.0), (480.0, 52.0)))
    half = joined(
        [(0, WAIST)],
        spline((44, WAIST - 2), (54, 290), (61, 330), (flare, end)),
        spline((flare, end), (flare / 2, end + 6), (0, end + 8)),
    )
    outline = figure.whole(half)
    canvas.part(outline, look.cloth, replace(DRAPED, folds=1.3, grid=(9, 2)), shadow=0.35)
    for k in range(-3, 4):
        fold = figure.at(spline((k * 11, 280), (k * 16, 350), (k * flare / 3.6, end)))
        canvas.line(fold, darker(look.colour, 0.6), 3.0, 0.16)
    _waistband(canvas, figure, look, 44, 14)


def capris(canvas: Canvas, look: Look) -> None:
    figure = _stand(canvas, look)
    half = joined([(0, WAIST)], spline((45, WAIST - 2), (54, 290), (58, 325), (53, 400), (47, 470), (46, 518)),
                  spline((16, 521), (14, 470), (8, 400), (1, 358)), [(0, 352)])  # fmt: skip
    _trousers(canvas, look, figure, half)
    _waistband(canvas, figure, look, 45)
    _pockets(canvas, figure, darker(look.colour, 0.5), 45)
    for line in figure.both([(17, 510), (46, 508)]):
        canvas.line(line, darker(look.colour, 0.5), 1.2, 0.6)


FAMILY = Family(
    "Bottomwear",
    (
        Cut("jeans", "Jeans", jeans, ("Blue", "Navy Blue", "Black", "Grey", "Sky Blue"), texture="denim",
            price=(29, 99)),
        Cut("trousers", "Trousers", trousers, ("Black", "Grey", "Beige", "Navy Blue", "Olive", "Charcoal"),
            ("plain", "pinstripes", "plain"), "smooth", price=(29, 89), usage="Formal"),
        Cut("track pants", "Track Pants", track_pants, ("Navy Blue", "Grey", "Black", "Maroon", "Charcoal"),
            texture="jersey", price=(19, 59), usage="Sports"),
        Cut("leggings", "Leggings", leggings, ("Black", "Purple", "Charcoal", "Maroon", "Teal"),
            ("plain", "plain", "spots"), "smooth", ("Women",), (12, 39)),
        Cut("shorts", "Shorts", shorts, ("Khaki", "Blue", "Navy Blue", "Olive", "Grey", "Red"),
            ("plain", "tartan", "windowpane"), "canvas", price=(15, 45)),
        Cut("cargo shorts", "Shorts", cargo_shorts, ("Olive", "Beige", "Khaki", "Charcoal"), ("plain", "camouflage"),
            "canvas", ("Men",), (19, 49)),
        Cut("skirt", "Skirts", skirt, ("Black", "Red", "Navy Blue", "Pink", "Purple"),
            ("plain", "floral", "tartan", "dots"), "smooth", ("Women",), (19, 55)),
        Cut("sports shorts", "Shorts", sports_shorts, ("Black", "Blue", "Red", "White", "Grey"), texture="mesh",
            price=(12, 35), usage="Sports"),
        Cut("capris", "Capris", capris, ("Beige", "Black", "Blue", "Grey", "Pink"), texture="canvas",
            genders=("Women",), price=(15, 45)),
    ),
)  # fmt: skip
