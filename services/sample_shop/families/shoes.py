"""Shoes: sneakers, running shoes, boots, derbies, loafers, pumps and flats."""

from dataclasses import replace

from services.sample_shop.drawing.fabric import Cloth
from services.sample_shop.drawing.geometry import Points, ellipse, joined, loop, moved, spline
from services.sample_shop.drawing.light import SHINY, SOFT, THIN
from services.sample_shop.drawing.palette import Colour, contrasting, darker, lighter, mix
from services.sample_shop.drawing.raster import Canvas
from services.sample_shop.families import footwear as fw
from services.sample_shop.families.footwear import POLISHED, RUBBER, ShoeProfile, ShoeStand
from services.sample_shop.recipe import Cut, Family, Look

WHITE: Colour = (0.95, 0.95, 0.94)
LOW = ShoeProfile(
    spline((34, 288), (29, 250), (34, 220), (42, 202)),
    spline((42, 202), (66, 214), (104, 214), (136, 196)),
    spline((136, 196), (182, 214), (232, 236), (284, 246), (322, 262), (334, 288)),
)
DRESS = ShoeProfile(
    spline((34, 286), (28, 256), (34, 226), (44, 208)),
    spline((44, 208), (72, 222), (112, 220), (142, 196)),
    spline((142, 196), (180, 216), (226, 240), (288, 252), (326, 264), (338, 286)),
)
HIGH = ShoeProfile(
    spline((36, 288), (30, 246), (38, 180), (44, 132)),
    spline((44, 132), (72, 142), (108, 140), (130, 126)),
    spline((130, 126), (150, 176), (190, 222), (246, 244), (300, 252), (328, 266), (336, 288)),
)


def _stand(look: Look) -> ShoeStand:
    return ShoeStand(look.between(7, 13), look.between(-6, 8))


def canvas_sneaker(canvas: Canvas, look: Look) -> None:
    stand = _stand(look)
    fw.shadow(canvas, stand)
    fw.opening(canvas, stand, LOW, lighter(look.colour, 0.45))
    fw.tongue(canvas, stand, [(112, 204), (124, 172), (148, 172), (176, 214), (150, 222)], look.body("canvas"))
    shape = fw.upper(canvas, stand, LOW, look.cloth)
    cap = joined(spline((282, 240), (270, 262), (276, 290)), [(345, 290), (345, 240)])
    if look.chance(0.7):
        fw.panel(canvas, stand, cap, Cloth(WHITE), shape, SOFT)
    fw.panel(
        canvas, stand, [(26, 196), (56, 204), (58, 290), (26, 290)], look.cloth.plain(darker(look.colour, 0.2)), shape
    )
    fw.stitches(canvas, stand, spline((124, 212), (150, 236), (196, 268), (206, 284)), contrasting(look.colour))
    fw.flat_sole(canvas, stand, WHITE, 24, look.accent if look.chance(0.6) else look.colour)
    fw.laces(canvas, stand, [(142, 200), (226, 236)], 5, WHITE)


def court_sneaker(canvas: Canvas, look: Look) -> None:
    stand = _stand(look)
    fw.shadow(canvas, stand)
    fw.opening(canvas, stand, LOW, mix(look.colour, (0.3, 0.3, 0.32), 0.5))
    fw.tongue(canvas, stand, [(108, 204), (120, 164), (148, 166), (178, 214), (150, 222)], look.body("leather"))
    shape = fw.upper(canvas, stand, LOW, look.cloth, replace(POLISHED, gloss=0.2))
    trim = look.trim("leather")
    fw.panel(canvas, stand, joined(spline((22, 190), (66, 206), (74, 240), (58, 290)), [(22, 290)]), trim, shape)
    for k in range(look.rng.choice((2, 3))):
        stripe = moved([(140, 226), (152, 222), (128, 288), (112, 288)], 24 * k + 8, 6 * k)
        fw.panel(canvas, stand, stripe, trim, shape)
    toe = joined(spline((240, 234), (246, 258), (222, 290)), [(350, 290), (350, 236)])
    fw.panel(canvas, stand, toe, look.body("leather"), shape, SOFT)
    for k in range(5):
        canvas.decal(stand.at(ellipse(270 + k * 9, 258 + k * 3, 1.6, 1.6)), darker(look.colour, 0.5), 0.7)
    fw.flat_sole(canvas, stand, WHITE, 23)
    fw.laces(canvas, stand, [(142, 198), (228, 234)], 6, WHITE if look.chance(0.7) else look.accent)


def running_shoe(canvas: Canvas, look: Look) -> None:
    stand = _stand(look)
    fw.shadow(canvas, stand, 312)
    fw.opening(canvas, stand, LOW, darker(look.accent, 0.2), 26)
    fw.tongue(canvas, stand, [(106, 206), (116, 160), (146, 162), (180, 214), (150, 224)], look.trim("mesh"))
    shape = fw.upper(canvas, stand, LOW, look.cloth)
    trim = look.trim("smooth")
    for band in (((40, 200), (70, 226), (120, 262), (160, 292)), ((118, 214), (132, 250), (170, 290), (200, 296)),
                 ((170, 216), (186, 246), (226, 280), (262, 296))):  # fmt: skip
        line = spline(*band)
        canvas.cord([p for p in stand.at(line) if p[0] < 318], trim, look.between(6, 10), THIN)
    fw.panel(canvas, stand, joined(spline((22, 216), (52, 234), (66, 262), (60, 292)), [(22, 292)]), trim, shape, SOFT)
    fw.panel(
        canvas, stand, joined(spline((290, 244), (284, 266), (292, 292)), [(350, 292), (350, 250)]), trim, shape, SOFT
    )
    _sculpted_sole(canvas, stand, look)
    fw.laces(canvas, stand, [(142, 198), (232, 236)], 6, contrasting(look.accent, WHITE), 14, 4.4)


def _sculpted_sole(canvas: Canvas, stand: ShoeStand, look: Look) -> None:
    low = spline((340, 276), (318, 297), (240, 306), (160, 302), (110, 310), (42, 309), (22, 290))
    sole = loop((25, 270), (80, 281), (180, 285), (270, 279), (332, 264), *low[::9])
    canvas.part(stand.at(sole), Cloth(WHITE), RUBBER, shadow=0.3)
    canvas.line(stand.at(moved(low[3:-3], 0, -3)), darker(look.accent, 0.1), 6)
    wave = spline((30, 290), (80, 292), (130, 296), (170, 290), (240, 294), (320, 282))
    canvas.line(stand.at(wave), look.colour, 3.4, 0.9)


def high_top(canvas: Canvas, look: Look) -> None:
    stand = ShoeStand(look.between(5, 9), 22)
    fw.shadow(canvas, stand)
    fw.opening(canvas, stand, HIGH, lighter(look.colour, 0.4), 18)
    fw.tongue(canvas, stand, [(104, 140), (114, 104), (140, 106), (168, 190), (146, 186)], look.body())
    shape = fw.upper(canvas, stand, HIGH, look.cloth)
    fw.panel(
        canvas,
        stand,
        joined(spline((284, 240), (272, 264), (278, 290)), [(350, 290), (350, 240)]),
        Cloth(WHITE),
        shape,
        SOFT,
    )
    fw.panel(
        canvas, stand, [(26, 120), (58, 136), (52, 290), (22, 290)], look.cloth.plain(darker(look.colour, 0.2)), shape
    )
    if look.chance(0.7):
        canvas.part(stand.at(ellipse(84, 186, 20, 20)), Cloth(WHITE), THIN, shadow=0.3)
        canvas.line(
            stand.at(ellipse(84, 186, 14, 14)), look.colour if look.pattern == "plain" else look.accent, 3, closed=True
        )
    fw.flat_sole(canvas, stand, WHITE, 24, look.accent)
    fw.laces(canvas, stand, spline((132, 134), (152, 180), (186, 220), (230, 238)), 8, WHITE, 14, 4.6)


def derby(canvas: Canvas, look: Look) -> None:
    stand = _stand(look)
    fw.shadow(canvas, stand, 304)
    fw.opening(canvas, stand, DRESS, (0.72, 0.58, 0.42))
    fw.tongue(canvas, stand, [(122, 206), (132, 180), (150, 182), (176, 216), (156, 220)], look.body("leather"))
    shape = fw.upper(canvas, stand, DRESS, look.cloth, POLISHED)
    quarter = joined(
        spline((116, 214), (142, 198), (196, 222)), spline((196, 222), (176, 248), (176, 288)), [(30, 290), (24, 200)]
    )
    fw.panel(canvas, stand, quarter, look.cloth, shape, replace(POLISHED, depth=9))
    if look.chance(0.5):
        for k in range(9):
            canvas.decal(stand.at(ellipse(262 + (k % 3) * 2, 248 + k * 4.4, 1.7, 1.7)), darker(look.colour, 0.7))
        fw.stitches(canvas, stand, spline((258, 246), (264, 266), (258, 288)), darker(look.colour, 0.7), 2)
    fw.heeled_sole(canvas, stand, darker(look.colour, 0.65))
    fw.laces(canvas, stand, [(146, 202), (188, 222)], 4, darker(look.colour, 0.55), 12, 3.4)


def loafer(canvas: Canvas, look: Look) -> None:
    stand = _stand(look)
    profile = replace(
        DRESS,
        collar=spline((44, 208), (76, 226), (128, 226), (164, 204)),
        vamp=spline((164, 204), (196, 214), (240, 236), (292, 250), (328, 266), (338, 286)),
    )
    fw.shadow(canvas, stand, 304)
    fw.opening(canvas, stand, profile, mix(look.colour, (0.75, 0.62, 0.45), 0.6), 26)
    shape = fw.upper(canvas, stand, profile, look.cloth, POLISHED if look.cloth.texture == "leather" else fw.UPPER)
    apron = spline((176, 216), (220, 246), (270, 262), (314, 266))
    for k, width in ((0, 3.0), (3, 1.2)):
        canvas.line(stand.at(moved(apron, 0, k)), darker(look.colour, 0.55), width, 0.6)
    strap = [(158, 202), (186, 206), (170, 284), (134, 284)]
    fw.panel(canvas, stand, strap, look.cloth.plain(darker(look.colour, 0.1)), shape, SOFT)
    if look.chance(0.5):
        canvas.line(stand.at([(166, 226), (178, 228), (174, 240), (162, 238)]), (0.84, 0.72, 0.42), 3, closed=True)
    else:
        canvas.decal(stand.at([(160, 228), (178, 230), (170, 242), (158, 240)]), darker(look.colour, 0.7))
    fw.heeled_sole(canvas, stand, darker(look.colour, 0.6), 15)


def boot(canvas: Canvas, look: Look) -> None:
    stand = ShoeStand(look.between(5, 9), 24)
    fw.shadow(canvas, stand)
    fw.opening(canvas, stand, HIGH, darker(look.colour, 0.35), 16)
    shape = fw.upper(canvas, stand, HIGH, look.cloth, POLISHED)
    if look.chance(0.5):
        gore = joined(spline((72, 140), (78, 186), (92, 224)), spline((112, 224), (122, 190), (118, 140)))
        fw.panel(canvas, stand, gore, look.stuff(darker(look.colour, 0.6), "ribbed"), shape)
        canvas.line(stand.at(spline((50, 142), (46, 118), (54, 116), (58, 140))), darker(look.colour, 0.3), 4)
    else:
        fw.panel(
            canvas,
            stand,
            joined(spline((130, 120), (110, 170), (120, 226), (176, 290)), [(22, 292), (22, 120)]),
            look.cloth,
            shape,
            replace(POLISHED, depth=10),
        )
        fw.laces(
            canvas, stand, spline((132, 140), (152, 184), (186, 222)), 6, mix(look.colour, (0.9, 0.8, 0.6), 0.3), 14, 4
        )
    canvas.creases(stand.at(ellipse(190, 250, 34, 26)), (6, 3), 0.12)
    fw.heeled_sole(canvas, stand, darker(look.colour, 0.7), 24)


def _pointed(instep: float) -> ShoeProfile:
    return ShoeProfile(
        spline((52, 226), (40, 200), (44, 178), (52, 164)),
        spline((52, 164), (92, 206), (150, 234), (214, instep)),
        spline((214, instep), (258, 262), (310, 284), (340, 304)),
    )


def pump(canvas: Canvas, look: Look) -> None:
    stand = ShoeStand(look.between(-2, 4), 6)
    profile = _pointed(look.between(238, 246))
    tall = look.chance(0.7)
    canvas.ground(250, 318, 80, 4, 0.25)
    heel = joined(spline((46, 210), (52, 262), (50, 310)), [(64, 310)], spline((66, 262), (86, 240), (102, 232)))
    block = joined([(44, 206), (44, 308), (84, 308)], spline((88, 270), (100, 240), (110, 232)))
    inside = stand.at(
        joined(
            spline((52, 166), (86, 178), (140, 214), (222, 240)), spline((214, 246), (150, 236), (92, 208), (52, 168))
        )
    )
    canvas.part(inside, Cloth((0.80, 0.66, 0.52)), SOFT, shadow=0)
    canvas.part(stand.at(heel if tall else block), look.body("smooth"), SHINY, shadow=0)
    sole = joined(profile.outline, spline((300, 310), (230, 302), (160, 266), (110, 238), (52, 228)))
    outline = stand.at(sole)
    canvas.part(outline, look.cloth, replace(SHINY, depth=18, gloss=0.45), shadow=0.3)
    canvas.line(stand.at(profile.collar), darker(look.colour, 0.4), 2)
    canvas.line(
        stand.at(spline((340, 305), (300, 312), (230, 304), (160, 268), (112, 240))), darker(look.colour, 0.65), 3.5
    )
    if look.chance(0.4):
        canvas.part(stand.at(ellipse(226, 250, 11, 8)), look.trim(), THIN, shadow=0.4)


def ballet_flat(canvas: Canvas, look: Look) -> None:
    stand = ShoeStand(look.between(8, 14), 0)
    profile = ShoeProfile(
        spline((36, 284), (30, 256), (36, 232), (46, 220)),
        spline((46, 220), (90, 246), (160, 252), (232, 240)),
        spline((232, 240), (276, 246), (316, 258), (332, 286)),
    )
    fw.shadow(canvas, stand, 298)
    far = spline((46, 222), (80, 216), (150, 222), (226, 226), (236, 242))
    inside = stand.at(joined(far, [(200, 262), (60, 252)]))
    canvas.part(inside, Cloth((0.82, 0.70, 0.56)), SOFT, shadow=0)
    canvas.glow(inside, 9, -0.25, within=inside)
    canvas.line(stand.at(far), look.colour, 4.5)
    fw.upper(canvas, stand, profile, look.cloth, replace(POLISHED, gloss=0.2))
    low = spline((31, 279), (120, 282), (240, 283), (335, 279))
    sole = joined(low, spline((335, 279), (324, 290), (240, 293), (120, 292), (40, 290), (31, 279)))
    canvas.part(stand.at(sole), Cloth(darker(look.colour, 0.6)), RUBBER, shadow=0.2)
    _bow(canvas, stand, look)


def _bow(canvas: Canvas, stand: ShoeStand, look: Look) -> None:
    for side in (-1, 1):
        wing: Points = spline(
            (246, 242), (246 + side * 14, 228), (246 + side * 20, 240), (246 + side * 14, 252), (246, 244)
        )
        canvas.part(stand.at(wing), look.trim(), SOFT, shadow=0.4)
    canvas.part(stand.at(ellipse(246, 243, 5, 5)), look.trim(), THIN, shadow=0.4)


LEATHERS = ("Black", "Brown", "Tan", "Coffee Brown", "Maroon")

FAMILY = Family(
    "Shoes",
    (
        Cut("canvas sneaker", "Casual Shoes", canvas_sneaker, ("Navy Blue", "Red", "White", "Green", "Black", "Grey"),
            ("plain", "plain", "tartan"), "canvas", price=(25, 69)),
        Cut("running shoe", "Sports Shoes", running_shoe, ("White", "Grey", "Blue", "Black", "Red"), texture="mesh",
            price=(39, 129), accents=("Blue", "Red", "Green", "Orange", "Pink", "Silver"), usage="Sports"),
        Cut("derby", "Formal Shoes", derby, LEATHERS, texture="leather", genders=("Men",), price=(49, 159),
            usage="Formal"),
        Cut("court sneaker", "Casual Shoes", court_sneaker, ("White", "Black", "Off White", "Grey", "Navy Blue"),
            texture="leather", price=(35, 99), accents=("Navy Blue", "Red", "Green", "Black", "Silver")),
        Cut("pump", "Heels", pump, ("Black", "Red", "Beige", "Purple", "Silver", "Pink"), ("plain", "plain", "spots"),
            "smooth", ("Women",), (35, 119), usage="Party"),
        Cut("suede loafer", "Casual Shoes", loafer, ("Brown", "Black", "Tan", "Navy Blue", "Green"), texture="suede",
            genders=("Men",), price=(39, 109)),
        Cut("ankle boot", "Casual Shoes", boot, ("Tan", "Black", "Coffee Brown", "Brown", "Olive"), texture="leather",
            price=(59, 169)),
        Cut("high-top sneaker", "Casual Shoes", high_top, ("Black", "Navy Blue", "Red", "White", "Purple"),
            ("plain", "plain", "gingham"), "canvas", price=(29, 79)),
        Cut("ballet flat", "Flats", ballet_flat, ("Black", "Pink", "Red", "Beige", "Turquoise Blue"),
            ("plain", "dots", "plain"), "smooth", ("Women",), (19, 59)),
    ),
)  # fmt: skip
