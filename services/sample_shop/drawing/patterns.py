"""Patterns: the weights of the second and the third colour at each point of the cloth.

Each function takes u and v, pixels on the cloth with shape (height, width), and a seed. It returns up to two weights of
the same shape.
"""

from collections.abc import Callable

import numpy as np

from services.sample_shop.drawing.light import FloatArray

Pattern = Callable[[FloatArray, FloatArray, int], tuple[FloatArray, ...]]


def _soft(distance: FloatArray) -> FloatArray:
    """Return 1 inside (distance over 0), 0 outside, with an edge one pixel wide."""
    inside: FloatArray = np.clip(distance + np.float32(0.5), 0, 1)
    return inside


def _band(t: FloatArray, period: float, width: float, start: float = 0.0) -> FloatArray:
    """Return 1 on bands `width` wide, every `period` pixels, centred on `start`."""
    place = (t - np.float32(start)) / np.float32(period)
    off = np.abs(place - np.round(place)) * np.float32(period)
    return _soft(np.float32(width / 2) - off)


def _chance(i: FloatArray, j: FloatArray, seed: int) -> FloatArray:
    """Return a random number from 0 to 1 for each cell: an integer hash that is the same on every machine."""
    a = i.astype(np.int64).astype(np.uint32) * np.uint32(374761393)
    b = j.astype(np.int64).astype(np.uint32) * np.uint32(668265263)
    h = a + b + np.uint32(seed * 2246822519 & 0xFFFFFFFF)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(1274126177)
    h ^= h >> np.uint32(16)
    return (h & np.uint32(0xFFFF)).astype(np.float32) / np.float32(65535)


def plain(u: FloatArray, v: FloatArray, seed: int) -> tuple[FloatArray, ...]:
    return ()


def stripes(u: FloatArray, v: FloatArray, seed: int) -> tuple[FloatArray, ...]:
    """Breton stripes: even, across."""
    return (_band(v, 22, 9),)


def bold_stripes(u: FloatArray, v: FloatArray, seed: int) -> tuple[FloatArray, ...]:
    """Broad stripes with a thin line in the third colour at their middle."""
    return _band(v, 56, 28), _band(v, 56, 4)


def pinstripes(u: FloatArray, v: FloatArray, seed: int) -> tuple[FloatArray, ...]:
    return (_band(u, 14, 2.2) * np.float32(0.8),)


def vertical_stripes(u: FloatArray, v: FloatArray, seed: int) -> tuple[FloatArray, ...]:
    return (_band(u, 20, 8),)


def diagonal_stripes(u: FloatArray, v: FloatArray, seed: int) -> tuple[FloatArray, ...]:
    return (_band((u + v) * np.float32(0.7071), 24, 10),)


def gingham(u: FloatArray, v: FloatArray, seed: int) -> tuple[FloatArray, ...]:
    """Two sets of half-transparent bands: full colour where they cross."""
    return ((_band(u, 24, 12) + _band(v, 24, 12)) * np.float32(0.5),)


def tartan(u: FloatArray, v: FloatArray, seed: int) -> tuple[FloatArray, ...]:
    """Broad bands both ways, thin lines of the third colour between them."""
    broad = (_band(u, 52, 24) + _band(v, 52, 24)) * np.float32(0.5)
    thin = np.maximum(_band(u, 52, 3, 26), _band(v, 52, 3, 26)) * np.float32(0.85)
    return broad, thin


def windowpane(u: FloatArray, v: FloatArray, seed: int) -> tuple[FloatArray, ...]:
    return (np.maximum(_band(u, 30, 2.5), _band(v, 30, 2.5)) * np.float32(0.85),)


def dots(u: FloatArray, v: FloatArray, seed: int) -> tuple[FloatArray, ...]:
    """Polka dots on a staggered grid."""
    row = np.round(v / 17)
    du = u / 20 - 0.5 * (row % 2)
    off = np.hypot((du - np.round(du)) * 20, v - row * 17)
    return (_soft(np.float32(4.6) - off),)


def argyle(u: FloatArray, v: FloatArray, seed: int) -> tuple[FloatArray, ...]:
    """Diamonds in two colours, thin diagonal lines across them."""
    a, b = u / 44, v / 64
    diamond = np.abs(a - np.round(a)) + np.abs(b - np.round(b))
    full = _soft((np.float32(0.33) - diamond) * 40)
    lines = np.maximum(_band((a + b) * 44, 44, 1.8, 22), _band((a - b) * 44, 44, 1.8, 22))
    return full, lines


def zigzag(u: FloatArray, v: FloatArray, seed: int) -> tuple[FloatArray, ...]:
    wave = np.abs(u / 30 - np.round(u / 30)) * 26
    return _band(v + wave, 34, 11), _band(v + wave, 34, 4, 13)


def floral(u: FloatArray, v: FloatArray, seed: int) -> tuple[FloatArray, ...]:
    """Five-petalled flowers, one in each cell at a random point, with an eye and a leaf in the third colour."""
    cell = np.float32(32)
    i, j = np.floor(u / cell), np.floor(v / cell)
    du = u - (i + 0.34 + 0.32 * _chance(i, j, seed)) * cell
    dv = v - (j + 0.34 + 0.32 * _chance(i, j, seed + 1)) * cell
    turn = _chance(i, j, seed + 2) * np.float32(6.283)
    angle, off = np.arctan2(dv, du), np.hypot(du, dv)
    size = 7.5 + 4.5 * _chance(i, j, seed + 3)
    petals = _soft(size * (0.72 + 0.28 * np.cos(5 * (angle + turn))) - off)
    leaf = _soft(3.6 - np.hypot((du + 12) * 0.45 + dv * 0.2, dv - 9))
    return petals, np.maximum(_soft(2.6 - off), leaf * (1 - petals))


def paisley(u: FloatArray, v: FloatArray, seed: int) -> tuple[FloatArray, ...]:
    """Block print: rings in drops with a half-drop repeat."""
    col = np.floor(u / 30)
    dv = v / 38 + 0.5 * (col % 2)
    a, b = u - (col + 0.5) * 30, (dv - np.floor(dv) - 0.5) * 38
    off = np.hypot(a * (1 + (b + 10) * 0.02), b * 0.8)
    return _soft(9.5 - off) - _soft(6.5 - off), _soft(4 - off)


def camouflage(u: FloatArray, v: FloatArray, seed: int) -> tuple[FloatArray, ...]:
    """Blotches: sums of waves with a threshold."""
    s = np.float32(seed % 97)
    a = np.sin(u / 10 + s + 1.8 * np.sin(v / 14 + s)) + np.sin(v / 9 - u / 25 + s * 2)
    b = np.sin(v / 12 - s + 1.7 * np.sin(u / 13 - s)) + np.sin(u / 9 + v / 22 - s)
    return _soft((a - 0.35) * 6), _soft((b - 0.75) * 6)


def spots(u: FloatArray, v: FloatArray, seed: int) -> tuple[FloatArray, ...]:
    """Animal print: irregular dark rings."""
    cell = np.float32(19)
    j = np.floor(v / cell)
    u = u + cell * 0.5 * (j % 2)
    i = np.floor(u / cell)
    du, dv = u - (i + 0.5) * cell, v - (j + 0.5) * cell
    du, dv = du + 5 * _chance(i, j, seed + 3) - 2.5, dv + 5 * _chance(i, j, seed + 4) - 2.5
    turn, angle = _chance(i, j, seed + 2) * np.float32(6.283), np.arctan2(dv, du)
    size = 5.5 + 2.5 * _chance(i, j, seed)
    off = np.hypot(du * (0.7 + 0.6 * _chance(i, j, seed + 1)), dv) + 0.8 * np.sin(5 * angle + turn)
    gap = _soft((np.cos(angle - turn) - 0.72) * 4) + _soft((np.cos(angle - 2 * turn) - 0.86) * 4)
    heart = _soft(size - 2.8 - off)
    return (_soft(size - off) - heart) * (1 - np.clip(gap, 0, 1)), heart * np.float32(0.8)


def colour_block(u: FloatArray, v: FloatArray, seed: int) -> tuple[FloatArray, ...]:
    """A broad block across, a narrow band of the third colour below it."""
    return _soft(-(v + 70) * np.float32(1)), _soft(10 - np.abs(v + 62))


def chest_band(u: FloatArray, v: FloatArray, seed: int) -> tuple[FloatArray, ...]:
    return _soft(26 - np.abs(v + 45)), _soft(4 - np.abs(np.abs(v + 45) - 34))


def ombre(u: FloatArray, v: FloatArray, seed: int) -> tuple[FloatArray, ...]:
    return (np.clip((v + 120) / 320, 0, 1),)


def marl(u: FloatArray, v: FloatArray, seed: int) -> tuple[FloatArray, ...]:
    """Two yarns twisted: short flecks."""
    return (_chance(np.floor(u / 4), np.floor(v / 1.6), seed) * np.float32(0.55),)


PATTERNS: dict[str, Pattern] = {
    "plain": plain,
    "stripes": stripes,
    "bold stripes": bold_stripes,
    "pinstripes": pinstripes,
    "vertical stripes": vertical_stripes,
    "diagonal stripes": diagonal_stripes,
    "gingham": gingham,
    "tartan": tartan,
    "windowpane": windowpane,
    "dots": dots,
    "argyle": argyle,
    "zigzag": zigzag,
    "floral": floral,
    "paisley": paisley,
    "camouflage": camouflage,
    "spots": spots,
    "colour block": colour_block,
    "chest band": chest_band,
    "ombre": ombre,
    "marl": marl,
}
