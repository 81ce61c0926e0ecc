"""Colours that go together, by the theory of colour: a prior where nothing has been learned.

Neutral colours go with every colour. Of others, neighbours on the circle of hues and opposite ones go together: the
templates i and I of Cohen-Or et al., Color Harmonization (SIGGRAPH 2006), after Matsuda. The widths are theirs.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
NEUTRAL_CHROMA, NEUTRAL_WIDTH = 14.0, 4.0  # CIELAB: with less chroma a garment looks grey, black, white or beige
NEUTRAL = 0.8  # harmony of a neutral colour with any other
OPPOSITE = 0.6  # harmony of opposite hues; of equal hues it is 1
NEIGHBOURS_DEGREES, OPPOSITE_DEGREES = 30.0, 25.0


def harmony(first: Floats, other: Floats) -> Floats:
    """Return how well colours go together, 0 to 1.

    Args:
        one, other: CIELAB, shapes (…, 3) that can be broadcast.
    """
    distance = np.abs(_hue(first) - _hue(other)) % 360
    distance = np.minimum(distance, 360 - distance)
    neighbours = np.exp(-((distance / NEIGHBOURS_DEGREES) ** 2) / 2)
    opposites = OPPOSITE * np.exp(-(((distance - 180) / OPPOSITE_DEGREES) ** 2) / 2)
    neutral = np.maximum(_neutrality(first), _neutrality(other))
    return np.asarray(neutral * NEUTRAL + (1 - neutral) * np.maximum(neighbours, opposites))


def lab(rgb: Floats) -> Floats:
    """Return colours in CIELAB (D65).

    Args:
        rgb: sRGB, 0 to 255, shape (…, 3).
    """
    share = rgb / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _XYZ.T / _WHITE
    curve = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = curve[..., 0], curve[..., 1], curve[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])


def _hue(colour: Floats) -> Floats:
    return np.asarray(np.degrees(np.arctan2(colour[..., 2], colour[..., 1])))


def _neutrality(colour: Floats) -> Floats:
    chroma = np.hypot(colour[..., 1], colour[..., 2])
    return np.asarray(1 / (1 + np.exp((chroma - NEUTRAL_CHROMA) / NEUTRAL_WIDTH)))
