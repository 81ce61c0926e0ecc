"""Makes pictures small in bands of rows, so that no full copy of a large picture is made."""

from collections.abc import Callable, Iterator

from PIL import Image

BAND_PIXELS = 1_000_000  # of a band, which takes 4 MB
REDUCING_GAP = 3.0  # as Pillow's: box-reduce a picture to three times its target, then resize it
Area = tuple[int, int, int, int]  # left, top, right, bottom in pixels
Flatten = Callable[[Image.Image], Image.Image]


def shrunk(image: Image.Image, area: Area, target: tuple[int, int], flatten: Flatten) -> Image.Image:
    """Return an area of a picture, flattened and resized as by `Image.resize(…, BICUBIC, reducing_gap=3.0)`.

    Args:
        image: the picture, whose pixels are loaded.
        area: the part to use.
        target: width and height of the result.
        flatten: turns any mode into RGB or RGBA.
    """
    width, height = area[2] - area[0], area[3] - area[1]
    if width * height <= BAND_PIXELS:
        part = flatten(image.crop(area))
        return part if part.size == target else part.resize(target, Image.Resampling.BICUBIC, reducing_gap=REDUCING_GAP)
    factors = _factor(width, target[0]), _factor(height, target[1])
    reduced: Image.Image | None = None
    for row, band in _bands(image, area, factors[1], flatten):
        colours = band.convert("RGBa") if band.mode == "RGBA" else band  # premultiplied, as `resize` does it
        if reduced is None:
            reduced = Image.new(colours.mode, (-(-width // factors[0]), -(-height // factors[1])))
        reduced.paste(colours.reduce(factors), (0, row // factors[1]))
    assert reduced is not None
    result = reduced.resize(target, Image.Resampling.BICUBIC, (0.0, 0.0, width / factors[0], height / factors[1]))
    return result.convert("RGBA") if result.mode == "RGBa" else result


def _bands(image: Image.Image, area: Area, factor: int, flatten: Flatten) -> Iterator[tuple[int, Image.Image]]:
    """Yield bands of the area, each with its first row, a multiple of the factor, counted from the area's top."""
    left, top, right, bottom = area
    rows = max(1, BAND_PIXELS // (right - left) // factor) * factor
    for row in range(top, bottom, rows):
        yield row - top, flatten(image.crop((left, row, right, min(bottom, row + rows))))


def _factor(size: int, target: int) -> int:
    return int(size / target / REDUCING_GAP) or 1
