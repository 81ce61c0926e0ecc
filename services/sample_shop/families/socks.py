"""Socks: ankle, crew and knee-high pairs, laid one half over the other or side by side."""

from dataclasses import dataclass, replace

from services.sample_shop.drawing.fabric import Cloth
from services.sample_shop.drawing.geometry import Points, ellipse, joined, mirror, moved, scaled, spline, turned
from services.sample_shop.drawing.light import THIN, Relief
from services.sample_shop.drawing.palette import contrasting, darker, lighter
from services.sample_shop.drawing.raster import Canvas
from services.sample_shop.recipe import Cut, Family, Look

KNIT = Relief(depth=24, gain=1.3, rim=0.26, folds=0.7, grid=(3, 6))


@dataclass(frozen=True)
class Sock:
    """One sock with its foot to the right: its outline and the panels in another colour."""

    outline: Points
    cuff: Points
    heel: Points
    toe: Points

    def put(self, dx: float, dy: float, degrees: float = 0.0, size: float = 1.0, flipped: bool = False) -> "Sock":
        """Return the sock moved, rotated about its middle, and optionally mirrored."""

        def place(points: Points) -> Points:
            points = scaled(points, size, size)
            points = mirror(points) if flipped else points
            return moved(turned(points, degrees), dx, dy)

        return Sock(place(self.outline), place(self.cuff), place(self.heel), place(self.toe))


def _sock(top: float, wide: float, rib: float) -> Sock:
    """Return a sock whose leg begins at height `top`, `wide` across the leg, with a cuff `rib` deep."""
    left, right = 118.0, 118.0 + wide
    back = spline((left, top), (left + 2, (top + 290) / 2), (left - 2, 286), (left + 4, 326), (left + 30, 356))
    foot = spline((left + 30, 356), (196, 404), (240, 436), (276, 440), (300, 418), (298, 388))
    front = spline(
        (298, 388), (272, 352), (right + 10, 306), (right + 1, 268), (right - 1, (top + 268) / 2), (right, top)
    )
    cuff = joined(
        [(left - 4, top - 3), (right + 4, top - 3)],
        spline((right + 3, top + rib), ((left + right) / 2, top + rib + 4), (left - 3, top + rib)),
    )
    heel = joined(spline((left + 28, 272), (left + 52, 320), (left + 46, 374)), [(left - 20, 380), (left - 20, 280)])
    toe = joined(spline((238, 446), (250, 408), (276, 364)), [(320, 370), (320, 450)])
    return Sock(joined(back, foot, front), cuff, heel, toe)


def _lay(canvas: Canvas, look: Look, sock: Sock, angle: float, tipped: bool, shadow: float) -> None:
    """Lay one sock: knit, then heel and toe in the second colour, then the ribbed cuff."""
    cloth = look.cloth.turned(angle, sock.cuff[0])
    canvas.part(sock.outline, cloth, KNIT, shadow=shadow)
    if tipped:
        for panel in (sock.heel, sock.toe):
            canvas.part(panel, look.trim("ribbed"), replace(KNIT, depth=10, folds=0.3), within=sock.outline, shadow=0)
    else:
        for panel in (sock.heel, sock.toe):
            canvas.line(panel[:19], darker(look.colour, 0.4), 1.2, 0.45, within=sock.outline)
    rib = look.trim("ribbed") if tipped and look.pattern != "plain" else look.body("ribbed")
    canvas.part(sock.cuff, rib, replace(THIN, depth=14), within=sock.outline, shadow=0.15)
    canvas.line(sock.outline, darker(look.colour, 0.4), 1.0, 0.35, closed=True)


def _pair(canvas: Canvas, look: Look, sock: Sock, apart: float = 34) -> None:
    """Lay a pair, the front one half over the other."""
    tipped, lean = look.chance(0.45), look.between(-3, 5)
    _lay(canvas, look, sock.put(apart * 0.6, -8, lean - 2), lean, tipped, 0)
    _lay(canvas, look, sock.put(-apart * 0.4, 2, lean), lean, tipped, 0.5)
    if look.pattern == "plain":
        x, y = sock.put(-apart * 0.4, 2, lean).cuff[0]
        _badge(canvas, look, x + 40, y + 46)


def _badge(canvas: Canvas, look: Look, x: float, y: float) -> None:
    ink = look.accent if look.chance(0.6) else contrasting(look.colour)
    mark = look.rng.choice((0, 1, 2))
    if mark == 0:
        for k in range(3):
            canvas.line([(x - 14 + k * 10, y + 8), (x - 8 + k * 10, y - 8)], ink, 4)
    elif mark == 1:
        canvas.decal([(x, y - 12), (x + 8, y), (x, y + 12), (x - 8, y)], ink)
    else:
        canvas.line(ellipse(x, y, 8, 8), ink, 3, closed=True)


def crew(canvas: Canvas, look: Look) -> None:
    _pair(canvas, look, _sock(look.between(92, 120), 84, 34))


def calf(canvas: Canvas, look: Look) -> None:
    _pair(canvas, look, _sock(look.between(40, 56), 78, 28), 40)


def quarter(canvas: Canvas, look: Look) -> None:
    sock = _sock(look.between(150, 172), 92, 30).put(-8, -40, look.between(6, 12), 1.04)
    _pair(canvas, look, sock, 42)


def ankle(canvas: Canvas, look: Look) -> None:
    sock = _sock(look.between(186, 202), 94, 26).put(-14, -58, look.between(10, 16), 1.14)
    _pair(canvas, look, sock, 44)


def single(canvas: Canvas, look: Look) -> None:
    """Draw a folded pair, which shows as one."""
    sock = _sock(look.between(48, 80), 80, 26).put(-16, 0, look.between(-4, 4))
    _lay(canvas, look, sock, 0, look.chance(0.4), 0)


def spread(canvas: Canvas, look: Look) -> None:
    """Draw a pair laid side by side."""
    tipped, lean = look.chance(0.6), look.between(3, 8)
    sock = _sock(92, 80, 26)
    _lay(canvas, look, sock.put(28, -20, lean, 0.9), lean, tipped, 0)
    _lay(canvas, look, sock.put(-56, 20, lean, 0.9), lean, tipped, 0.4)


def pack(canvas: Canvas, look: Look) -> None:
    """Draw three pairs in a fan: one colour, darker and lighter."""
    sock = _sock(66, 76, 26)
    shades: tuple[Cloth, ...] = (
        look.trim(look.cloth.texture),
        replace(look.cloth, colour=lighter(look.colour, 0.35)),
        look.cloth,
    )
    for k, cloth in enumerate(shades):
        _lay(
            canvas, replace(look, cloth=cloth, colour=cloth.colour), sock.put(34 - 34 * k, -4 + 4 * k, 2), 2, False, 0.5
        )


DARKS = ("Black", "Navy Blue", "Grey", "White", "Brown", "Maroon", "Charcoal", "Beige")

FAMILY = Family(
    "Socks",
    (
        Cut("crew socks", "Socks", crew, DARKS, ("plain", "stripes", "argyle", "plain"), "ribbed", price=(5, 14)),
        Cut("calf socks", "Socks", calf, ("Navy Blue", "Charcoal", "Brown", "Black", "Green"),
            ("argyle", "dots", "plain", "bold stripes"), "knit", ("Men",), (6, 16), usage="Formal"),
        Cut("ankle socks", "Socks", ankle, ("White", "Pink", "Grey", "Black", "Sky Blue"),
            ("plain", "stripes", "dots"), "ribbed", price=(4, 11), usage="Sports"),
        Cut("quarter socks", "Socks", quarter, ("White", "Grey", "Black", "Blue", "Red"),
            ("plain", "stripes", "plain"), "ribbed", price=(5, 12), usage="Sports"),
        Cut("dress socks", "Socks", single, ("Black", "Brown", "Navy Blue", "Beige", "Maroon", "Grey"),
            ("plain", "pinstripes", "argyle"), "ribbed", ("Men",), (5, 15), usage="Formal"),
        Cut("pair of socks", "Socks", spread, ("Grey", "Green", "Black", "Purple", "Blue"),
            ("stripes", "diagonal stripes", "bold stripes", "plain"), "knit", price=(5, 13)),
        Cut("three-pair pack of socks", "Socks", pack, ("Black", "Charcoal", "Navy Blue", "Brown"), ("plain",),
            "ribbed", price=(9, 22)),
    ),
)  # fmt: skip
