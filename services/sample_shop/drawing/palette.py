"""Colours by the names that the Kaggle data set uses in `baseColour`."""

from colorsys import hls_to_rgb, rgb_to_hls

# sRGB, 0 to 1.
Colour = tuple[float, float, float]

WHITE_NAMES = frozenset({"White", "Off White", "Cream"})


def _hex(text: str) -> Colour:
    return int(text[0:2], 16) / 255, int(text[2:4], 16) / 255, int(text[4:6], 16) / 255


COLOURS: dict[str, Colour] = {
    name: _hex(code)
    for name, code in {
        "Black": "26262a", "White": "f2f2f0", "Blue": "2f64ad", "Navy Blue": "232c4e", "Grey": "90939a",
        "Charcoal": "484b52", "Red": "bf2430", "Maroon": "6d1d2c", "Green": "2f7d4c", "Olive": "666a3d",
        "Teal": "1f7a80", "Turquoise Blue": "35b2ba", "Brown": "6b4530", "Tan": "b98452", "Beige": "d9c5a4",
        "Cream": "efe6d0", "Off White": "ece8dd", "Khaki": "a3936a", "Pink": "e58aa8", "Magenta": "c2357f",
        "Peach": "f0b394", "Purple": "6a4590", "Lavender": "b3a4d6", "Yellow": "eec53c", "Mustard": "c99527",
        "Orange": "e47a2b", "Rust": "a6502c", "Coffee Brown": "43302a", "Silver": "c9cbd0", "Steel": "a9adb3",
        "Gold": "d4a84a", "Copper": "b9744c", "Bronze": "84653a", "Skin": "e2b796", "Grey Melange": "a9abb0",
        "Sky Blue": "8fbce0", "Mint": "a9d8c0", "Wine": "571f33",
    }.items()
}  # fmt: skip

# The same colours on indigo cloth.
DENIM: dict[str, Colour] = {
    "Blue": _hex("4a6c9b"),
    "Navy Blue": _hex("2d3c5c"),
    "Sky Blue": _hex("8fadcb"),
    "Black": _hex("2c2d33"),
    "Grey": _hex("7f858e"),
}


def mix(a: Colour, b: Colour, t: float) -> Colour:
    """Return the colour at the fraction t from a to b."""
    return a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t


def darker(colour: Colour, t: float) -> Colour:
    """Return the colour mixed with black by the fraction t."""
    return mix(colour, (0.0, 0.0, 0.0), t)


def lighter(colour: Colour, t: float) -> Colour:
    """Return the colour mixed with white by the fraction t."""
    return mix(colour, (1.0, 1.0, 1.0), t)


def luminance(colour: Colour) -> float:
    """Return relative luminance (ITU-R BT.709 weights on sRGB values, an approximation for contrast)."""
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]


def varied(colour: Colour, hue: float, light: float) -> Colour:
    """Return the colour with its hue rotated by `hue` (fraction of a circle) and its lightness changed by `light`."""
    h, lightness, s = rgb_to_hls(*colour)
    return hls_to_rgb((h + hue) % 1.0, min(max(lightness + light, 0.03), 0.96), s)


def contrasting(colour: Colour, light: Colour = (0.95, 0.95, 0.93), dark: Colour = (0.12, 0.13, 0.17)) -> Colour:
    """Return the light or the dark colour, the one with more contrast."""
    return dark if luminance(colour) > 0.5 else light
