"""Eyewear: frames modelled in three dimensions and seen half from the side, as studio photographs show them."""

import math
from dataclasses import dataclass, replace

from services.sample_shop.drawing.fabric import Cloth
from services.sample_shop.drawing.geometry import (
    Point,
    Points,
    ellipse,
    joined,
    loop,
    ribbon,
    scaled,
    spline,
    superellipse,
)
from services.sample_shop.drawing.light import Relief
from services.sample_shop.drawing.palette import Colour, darker, lighter, mix
from services.sample_shop.drawing.raster import Canvas
from services.sample_shop.recipe import Cut, Family, Look

ACETATE = Relief(depth=4, gain=1.3, rim=0.22, gloss=0.6)
WRAPPED = Relief(depth=4, gain=1.4, rim=0.24, gloss=0.4)
WIRE = Relief(depth=2, gain=1.2, rim=0.2, gloss=0.8)
LENS = Relief(depth=10, gain=0.5, rim=0.12)
TINTS: tuple[Colour, ...] = (
    (0.23, 0.24, 0.27),
    (0.38, 0.26, 0.18),
    (0.24, 0.31, 0.27),
    (0.29, 0.25, 0.36),
    (0.22, 0.29, 0.42),
)


@dataclass(frozen=True)
class GlassesView:
    """The camera: glasses face right and a little down, in degrees; scale in pixels a millimetre."""

    yaw: float
    pitch: float
    scale: float
    wrap: float = 0.0022

    def at(self, x: float, y: float, z: float = 0.0) -> Point:
        """Return the pixel of a place in millimetres: x to the wearer's left, y down, z towards what he looks at."""
        z = z - self.wrap * x * x
        yaw, pitch = math.radians(self.yaw), math.radians(self.pitch)
        across = x * math.cos(yaw) + z * math.sin(yaw)
        depth = z * math.cos(yaw) - x * math.sin(yaw)
        return 214 + across * self.scale, 268 + (y * math.cos(pitch) + depth * math.sin(pitch)) * self.scale

    def face(self, points: Points, z: float = 0.0) -> Points:
        """Return an outline drawn on the front of the frame as pixels."""
        return [self.at(x, y, z) for x, y in points]


@dataclass(frozen=True)
class Shape:
    """A frame: the right lens in millimetres about (0, 0), where its middle sits, how thick rim and temple are."""

    lens: Points
    offset: float
    rim: float
    temple: float
    bridge: float
    hinge: float = -10.0


def _view(look: Look) -> GlassesView:
    return GlassesView(look.between(28, 33), look.between(10, 14), look.between(1.62, 1.76))


def _temple(view: GlassesView, side: float, shape: Shape, thick: float) -> Points:
    """Return one temple: from the hinge straight back, then bent down behind the ear."""
    reach = shape.offset + max(x for x, _ in shape.lens) + shape.rim * 0.6
    y = shape.hinge
    line = spline(*[view.at(side * (reach - inward), y + down, -back) for back, down, inward in
                    ((-1, 0, 0), (26, -1, -1), (58, -2, 0), (82, 0, 3), (98, 7, 6), (108, 17, 9))])  # fmt: skip
    return ribbon(line, thick * 1.25, thick, thick * 0.85, thick * 0.9, thick * 0.8)


def _glasses(canvas: Canvas, look: Look, shape: Shape, frame: Relief, tint: Colour) -> None:
    """Lay the far temple, the lenses, the rims and the near temple."""
    view = _view(look)
    canvas.ground(206, 322, 92, 4, 0.08)
    cloth = replace(look.cloth, scale=0.5, second=darker(look.colour, 0.6), third=darker(look.colour, 0.3))
    arms = replace(cloth, colour=look.accent) if frame is WRAPPED else cloth
    canvas.part(_temple(view, 1, shape, shape.temple), replace(arms, colour=darker(arms.colour, 0.25)), frame, shadow=0)
    for side in (1, -1):
        lens = [(side * (x + shape.offset), y) for x, y in shape.lens]
        _lens(canvas, view, lens, tint, look)
    _bridge(canvas, view, shape, cloth, frame)
    for side in (1, -1):
        inner = [(side * (x + shape.offset), y) for x, y in shape.lens]
        outer = [(side * (x + shape.offset), y) for x, y in _grown(shape)]
        canvas.part(view.face(outer), cloth, frame, holes=[view.face(inner)], shadow=0.15)
    canvas.part(_temple(view, -1, shape, shape.temple), arms, frame, shadow=0.2)


def _grown(shape: Shape) -> Points:
    wide = max(x for x, _ in shape.lens)
    high = max(y for _, y in shape.lens)
    return scaled(shape.lens, 1 + shape.rim / wide, 1 + shape.rim / high, (0.0, 0.0))


def _lens(canvas: Canvas, view: GlassesView, lens: Points, tint: Colour, look: Look) -> None:
    """Draw one lens: darker at the top, translucent, with a reflection across it."""
    outline = view.face(lens)
    top = min(y for _, y in outline)
    shaded = Cloth(tint, second=lighter(tint, 0.5), pattern="ombre", origin=(180.0, top + 70), scale=0.42)
    canvas.part(outline, shaded, LENS, shadow=0, opacity=0.9)
    middle = sum(x for x, _ in outline) / len(outline)
    streak = [(middle - 16, top - 4), (middle - 4, top - 4), (middle - 22, top + 70), (middle - 40, top + 70)]
    canvas.glow(streak, 4, 0.2, within=outline)


def _bridge(canvas: Canvas, view: GlassesView, shape: Shape, cloth: Cloth, frame: Relief) -> None:
    inner = shape.offset + min(x for x, _ in shape.lens) - shape.rim * 0.3
    y = shape.bridge
    line = spline(
        view.at(-inner, y), view.at(-inner * 0.4, y - 3, 2), view.at(inner * 0.4, y - 3, 2), view.at(inner, y)
    )
    canvas.part(ribbon(line, max(shape.rim * 1.5, 3.2)), cloth, frame, shadow=0)
    for side in (-1, 1):
        canvas.decal(view.face(ellipse(side * (inner - 1.5), y + 9, 1.8, 3.6)), (0.85, 0.85, 0.83), 0.7)


def _tint(look: Look) -> Colour:
    return look.rng.choice(TINTS)


def aviator(canvas: Canvas, look: Look) -> None:
    drop = loop((-25, -17), (0, -21), (25, -19), (29, -4), (20, 17), (2, 26), (-17, 18), (-25, 0))
    shape = Shape(drop, 35, 1.9, 3.2, -13, -12)
    _glasses(canvas, look, shape, WIRE, _tint(look))


def wayfarer(canvas: Canvas, look: Look) -> None:
    lens = joined(
        spline((-22, -15), (4, -17), (26, -17)), spline((27, -14), (23, 8), (14, 17), (-6, 18), (-19, 11), (-23, -12))
    )
    _glasses(canvas, look, Shape(lens, 33, 6, 9, -9, -14), ACETATE, _tint(look))


def round_frame(canvas: Canvas, look: Look) -> None:
    shape = Shape(ellipse(0, 0, 24, 23), 33, look.between(2.2, 4.5), 4.5, -6, -6)
    _glasses(canvas, look, shape, ACETATE, _tint(look))


def cat_eye(canvas: Canvas, look: Look) -> None:
    lens = loop((-22, -10), (-4, -16), (16, -19), (30, -22), (27, -4), (17, 15), (-4, 19), (-19, 11))
    _glasses(canvas, look, Shape(lens, 34, 5, 8, -7, -15), ACETATE, _tint(look))


def oversized(canvas: Canvas, look: Look) -> None:
    shape = Shape(superellipse(0, 0, 29, 25, 2.9), 36, 5.5, 12, -8, -12)
    _glasses(canvas, look, shape, ACETATE, _tint(look))


def rectangle_frame(canvas: Canvas, look: Look) -> None:
    shape = Shape(superellipse(0, 0, 27, 16, 4.5), 35, look.between(2.2, 4.5), 6, -6, -9)
    _glasses(canvas, look, shape, ACETATE if look.chance(0.6) else WIRE, _tint(look))


def sports(canvas: Canvas, look: Look) -> None:
    """Draw a wrapped half-frame with mirrored lenses."""
    lens = loop((-26, -12), (0, -15), (26, -15), (36, -8), (28, 8), (6, 14), (-16, 12), (-27, 2))
    tint = mix(look.accent, look.rng.choice(TINTS), 0.55)
    _glasses(canvas, look, Shape(lens, 32, 3.6, 9, -8, -9), WRAPPED, tint)


def spectacles(canvas: Canvas, look: Look) -> None:
    """Draw reading glasses: tinted no more than glass is."""
    shape = Shape(superellipse(0, 0, 26, 18, 3.6), 34, look.between(2.6, 4.2), 5.5, -6, -9)
    _glasses(canvas, look, shape, ACETATE, (0.66, 0.70, 0.74))


SHADES = ("Black", "Brown", "Grey", "Blue", "Purple", "Red")
METALS = ("Gold", "Steel", "Copper", "Black", "Bronze")

FAMILY = Family(
    "Eyewear",
    (
        Cut("aviator sunglasses", "Sunglasses", aviator, METALS, texture="smooth", price=(29, 149)),
        Cut("wayfarer sunglasses", "Sunglasses", wayfarer, SHADES, ("plain", "spots", "plain"), "smooth",
            price=(29, 139)),
        Cut("round sunglasses", "Sunglasses", round_frame, ("Black", "Coffee Brown", "Gold", "Teal", "Maroon"),
            texture="smooth", price=(25, 119)),
        Cut("cat-eye sunglasses", "Sunglasses", cat_eye, ("Black", "Maroon", "Purple", "Brown", "Magenta"),
            ("plain", "spots"), "smooth", ("Women",), (29, 129)),
        Cut("oversized sunglasses", "Sunglasses", oversized, ("Brown", "Black", "Purple", "Wine", "Coffee Brown"),
            ("plain", "ombre"), "smooth", ("Women",), (35, 159)),
        Cut("rectangular sunglasses", "Sunglasses", rectangle_frame, ("Black", "Brown", "Navy Blue", "Grey", "Bronze"),
            texture="smooth", genders=("Men",), price=(25, 119)),
        Cut("sports sunglasses", "Sunglasses", sports, ("Black", "Charcoal", "Red", "Blue", "White"), texture="smooth",
            genders=("Men",), price=(35, 149), accents=("Orange", "Blue", "Green", "Red"), usage="Sports"),
        Cut("spectacle frame", "Sunglasses", spectacles, ("Black", "Coffee Brown", "Navy Blue", "Maroon", "Charcoal"),
            ("plain", "spots"), "smooth", price=(25, 99), usage="Formal"),
    ),
)  # fmt: skip
