"""Outlines as lists of points, in pixels of the finished picture, y downwards."""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

Point = tuple[float, float]
Points = list[Point]


def spline(*through: Point, steps: int = 9) -> Points:
    """Return a smooth open line through the points (Catmull-Rom, uniform), end points included."""
    if len(through) < 3:
        return list(through)
    padded = [_reflect(through[0], through[1]), *through, _reflect(through[-1], through[-2])]
    line = [_catmull_rom(padded[i : i + 4], step / steps) for i in range(len(through) - 1) for step in range(steps)]
    return [*line, through[-1]]


def _reflect(end: Point, inner: Point) -> Point:
    return 2 * end[0] - inner[0], 2 * end[1] - inner[1]


def _catmull_rom(corners: Sequence[Point], t: float) -> Point:
    """Return the point at the fraction t between the second and the third of four corners."""
    # The basis functions of the uniform Catmull-Rom spline, tension 1/2.
    a, b = 0.5 * (-t + 2 * t * t - t**3), 0.5 * (2 - 5 * t * t + 3 * t**3)
    c, d = 0.5 * (t + 4 * t * t - 3 * t**3), 0.5 * (t**3 - t * t)
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners
    return a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3


def loop(*through: Point, steps: int = 9) -> Points:
    """Return a smooth closed outline through the points."""
    ring = [through[-1], *through, through[0], through[1]]
    return [_catmull_rom(ring[i : i + 4], step / steps) for i in range(len(through)) for step in range(steps)]


def joined(*lines: Iterable[Point]) -> Points:
    """Return one outline of consecutive lines, with corners between them."""
    return [point for line in lines for point in line]


def mirror(points: Iterable[Point], axis: float = 180.0) -> Points:
    """Return the points mirrored left to right, in the same order."""
    return [(2 * axis - x, y) for x, y in points]


def symmetric(half: Sequence[Point], axis: float = 180.0) -> Points:
    """Return a closed outline from its right half, which starts and ends on the axis."""
    return [*half, *reversed(mirror(half, axis))]


def moved(points: Iterable[Point], dx: float = 0.0, dy: float = 0.0) -> Points:
    """Return the points shifted."""
    return [(x + dx, y + dy) for x, y in points]


def turned(points: Iterable[Point], degrees: float, centre: Point = (180.0, 240.0)) -> Points:
    """Return the points rotated clockwise (in the picture) about a centre."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [
        (centre[0] + (x - centre[0]) * c - (y - centre[1]) * s, centre[1] + (x - centre[0]) * s + (y - centre[1]) * c)
        for x, y in points
    ]


def scaled(points: Iterable[Point], sx: float, sy: float, centre: Point = (180.0, 240.0)) -> Points:
    """Return the points scaled from a centre."""
    return [(centre[0] + (x - centre[0]) * sx, centre[1] + (y - centre[1]) * sy) for x, y in points]


def bent(points: Iterable[Point], bend: Callable[[float, float], Point]) -> Points:
    """Return the points after a mapping of the plane."""
    return [bend(x, y) for x, y in points]


def ellipse(cx: float, cy: float, rx: float, ry: float, start: float = 0.0, end: float = 360.0) -> Points:
    """Return an ellipse, or the arc of it between two angles in degrees (0 right, 90 down)."""
    count = max(8, int(abs(end - start) / 6))
    angles = [math.radians(start + (end - start) * i / count) for i in range(count + (abs(end - start) < 360))]
    return [(cx + rx * math.cos(a), cy + ry * math.sin(a)) for a in angles]


def superellipse(cx: float, cy: float, rx: float, ry: float, power: float) -> Points:
    """Return a Lamé curve: power 2 is an ellipse, 4 a cushion, 8 nearly a rectangle."""

    def root(v: float) -> float:
        return math.copysign(abs(v) ** (2 / power), v)

    angles = [math.tau * i / 72 for i in range(72)]
    return [(cx + rx * root(math.cos(a)), cy + ry * root(math.sin(a))) for a in angles]


def rectangle(x0: float, y0: float, x1: float, y1: float, radius: float = 0.0) -> Points:
    """Return a rectangle, its corners rounded by `radius`."""
    r = min(radius, abs(x1 - x0) / 2, abs(y1 - y0) / 2)
    if r <= 0:
        return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    corners = ((x1 - r, y0 + r, -90), (x1 - r, y1 - r, 0), (x0 + r, y1 - r, 90), (x0 + r, y0 + r, 180))
    return joined(*(ellipse(cx, cy, r, r, a, a + 90) for cx, cy, a in corners))


def ribbon(line: Sequence[Point], *widths: float) -> Points:
    """Return the outline of a band along a line; its widths are interpolated evenly along the length."""
    left: Points = []
    right: Points = []
    last = len(line) - 1
    for i, (x, y) in enumerate(line):
        (ax, ay), (bx, by) = line[max(i - 1, 0)], line[min(i + 1, last)]
        length = math.hypot(bx - ax, by - ay) or 1.0
        half = _between(widths, i / max(last, 1)) / 2
        nx, ny = -(by - ay) / length * half, (bx - ax) / length * half
        left.append((x + nx, y + ny))
        right.append((x - nx, y - ny))
    return [*left, *reversed(right)]


def _between(values: Sequence[float], t: float) -> float:
    place = t * (len(values) - 1)
    i = min(int(place), len(values) - 1)
    following = values[min(i + 1, len(values) - 1)]
    return values[i] + (following - values[i]) * (place - i)


def spaced(line: Sequence[Point], count: int) -> list[tuple[float, float, float]]:
    """Return `count` points at equal distances along a line, with both ends: (x, y, direction in degrees)."""
    lengths = [math.hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(line)]
    total, places, segment, before = sum(lengths), [], 0, 0.0
    for i in range(count):
        target = total * i / max(count - 1, 1)
        while segment < len(lengths) - 1 and before + lengths[segment] < target:
            before += lengths[segment]
            segment += 1
        (ax, ay), (bx, by) = line[segment], line[segment + 1]
        t = (target - before) / (lengths[segment] or 1.0)
        places.append((ax + (bx - ax) * t, ay + (by - ay) * t, math.degrees(math.atan2(by - ay, bx - ax))))
    return places


def star(cx: float, cy: float, outer: float, inner: float, count: int, turn: float = -90.0) -> Points:
    """Return a star with `count` points."""
    radii = (outer, inner)
    angles = [math.radians(turn + 180 * i / count) for i in range(2 * count)]
    return [(cx + radii[i % 2] * math.cos(a), cy + radii[i % 2] * math.sin(a)) for i, a in enumerate(angles)]


def bounds(points: Iterable[Point]) -> tuple[float, float, float, float]:
    """Return (left, top, right, bottom)."""
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)
