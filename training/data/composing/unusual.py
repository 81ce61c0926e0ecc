"""Pictures that a search seldom gets: photos of a screen, turned, drawn, in the dark, and pictures that are no photos.

Faces, hands and walls are drawings: none of the archives has such pictures.
"""

import io
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageOps

Picture = Image.Image
Change = Callable[[Picture, np.random.Generator], Picture]
Drawing = Callable[[np.random.Generator], Picture]
SIDE = 256  # pixels of a drawing
COLLAGE = 4  # photos in a collage
WORST_QUALITY = 5  # of a JPEG
TEXT = ("Ref. 2041-B", "100 % cotton, woven in Portugal", "Machine wash at 30 degrees", "EUR 24.90", "S  M  L  XL")


def night(photo: Picture, rng: np.random.Generator) -> Picture:
    """Return the photo with a fifth of the light, a blue cast and noise."""
    dark = np.asarray(photo) * 0.18 * np.array([0.9, 0.9, 1.15])
    return _picture(dark + rng.normal(0, 7, dark.shape))


def compressed(photo: Picture, rng: np.random.Generator) -> Picture:
    """Return the photo after a JPEG of the worst quality."""
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=WORST_QUALITY)
    return Image.open(file).convert("RGB")


def screen(photo: Picture, rng: np.random.Generator) -> Picture:
    """Return a photo of a screen that shows the photo: moiré, a dark frame, slightly turned."""
    shown = np.asarray(photo.resize((2 * photo.width, 2 * photo.height))).astype(float)
    rows, columns = np.mgrid[: shown.shape[0], : shown.shape[1]]
    moire = (1 + 0.18 * np.sin(1.9 * columns + 0.3 * rows)) * (1 + 0.12 * np.sin(2.3 * rows))
    lit = _picture(shown * moire[..., None] * np.array([0.92, 0.98, 1.1]))
    frame = Image.new("RGB", (int(lit.width * 1.3), int(lit.height * 1.25)), (18, 18, 20))
    frame.paste(lit, (int(lit.width * 0.15), int(lit.height * 0.12)))
    return frame.rotate(float(rng.uniform(-6, 6)), fillcolor=(60, 55, 50))


def upside_down(photo: Picture, rng: np.random.Generator) -> Picture:
    """Return the photo turned by a half."""
    return photo.rotate(180)


def on_its_side(photo: Picture, rng: np.random.Generator) -> Picture:
    """Return the photo turned by a quarter."""
    return photo.rotate(90, expand=True)


def product_sheet(photo: Picture, rng: np.random.Generator) -> Picture:
    """Return a white page with the photo above eight lines of text."""
    page, part = Image.new("RGB", (400, 560), "white"), photo.copy()
    part.thumbnail((360, 340))
    page.paste(part, (20, 20))
    pen = ImageDraw.Draw(page)
    for line in range(8):
        pen.text((20, 380 + 20 * line), TEXT[int(rng.integers(len(TEXT)))], fill="black")
    return page


def pencil_drawing(photo: Picture, rng: np.random.Generator) -> Picture:
    """Return the lines of the photo, grey on white."""
    grey = ImageOps.autocontrast(ImageOps.grayscale(photo))
    blurred = ImageOps.invert(grey).filter(ImageFilter.GaussianBlur(6))
    base, light = np.asarray(grey).astype(float), np.asarray(blurred).astype(float)
    lines = np.minimum(255, base * 255 / np.maximum(255 - light, 1))
    return _picture(np.repeat(lines[..., None], 3, axis=2))


CHANGES: dict[str, Change] = {
    "at night": night,
    "heavily compressed": compressed,
    "of a screen": screen,
    "upside down": upside_down,
    "on their side": on_its_side,
    "product sheets with text": product_sheet,
    "pencil drawings": pencil_drawing,
}


def collage(photos: Sequence[Picture]) -> Picture:
    """Return four photos in a square."""
    whole = Image.new("RGB", (2 * SIDE, 2 * SIDE))
    for place, photo in enumerate(photos):
        whole.paste(photo.resize((SIDE, SIDE)), (SIDE * (place % 2), SIDE * (place // 2)))
    return whole


def dressed(pet: NDArray[np.uint8], garment: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> Picture:
    """Return a picture with a garment over the middle of its lower half.

    Args:
        pet: uint8 (h, w, 3).
        garment: uint8 (n, n, 3), with its opacity `alpha`, uint8 (n, n).
    """
    picture = Image.fromarray(pet)
    size = (round(0.6 * picture.width), round(0.55 * picture.height))
    place = ((picture.width - size[0]) // 2, picture.height - size[1])
    picture.paste(Image.fromarray(garment).resize(size), place, Image.fromarray(alpha).resize(size))
    return picture


def wall(rng: np.random.Generator) -> Picture:
    """Return an empty wall: one colour, more light on one side, a little noise."""
    light = np.linspace(0.8, 1.1, SIDE)[:, None, None]
    return _picture(rng.uniform(60, 240, 3) * light + rng.normal(0, 3, (SIDE, SIDE, 3)))


def face(rng: np.random.Generator) -> Picture:
    """Return a drawn face in the colours of skin and hair before a wall."""
    picture, skin = wall(rng), _skin(rng)
    pen, hair = ImageDraw.Draw(picture), tuple(int(value) for value in rng.integers(10, 120, 3))
    left, width = int(rng.integers(50, 80)), int(rng.integers(110, 140))
    pen.ellipse((left - 12, 18, left + width + 12, 190), fill=hair)
    pen.ellipse((left, 40, left + width, 220), fill=skin)
    for share in (0.3, 0.7):
        x = left + share * width
        pen.ellipse((x - 13, 105, x + 13, 121), fill="white")
        pen.ellipse((x - 6, 107, x + 6, 119), fill=hair)
    middle = left + width / 2
    pen.line((middle, 122, middle - 6, 155), fill=_darker(skin), width=4)
    pen.arc((middle - 26, 155, middle + 26, 190), 20, 160, fill=(150, 50, 60), width=6)
    return picture.filter(ImageFilter.GaussianBlur(1.5))


def hand(rng: np.random.Generator) -> Picture:
    """Return a drawn hand in the colours of skin before a wall."""
    picture, skin = wall(rng), _skin(rng)
    pen = ImageDraw.Draw(picture)
    pen.rounded_rectangle((80, 110, 180, 230), 30, fill=skin)
    for place, length in enumerate(rng.integers(70, 100, 4)):
        left = 80 + 26 * place
        pen.rounded_rectangle((left, 120 - int(length), left + 21, 150), 10, fill=skin, outline=_darker(skin))
    pen.line((175, 190, 225, 130), fill=skin, width=24)
    return picture.rotate(float(rng.uniform(-40, 40)), fillcolor=picture.getpixel((0, 0))).filter(
        ImageFilter.GaussianBlur(1.5)
    )


DRAWINGS: dict[str, Drawing] = {"empty walls, drawn": wall, "faces, drawn": face, "hands, drawn": hand}


def _skin(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = np.array([235, 190, 160]) * rng.uniform(0.4, 1.05)
    return min(255, int(red)), int(green), int(blue)


def _darker(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    red, green, blue = (int(0.75 * value) for value in colour)
    return red, green, blue


def _picture(values: NDArray[np.floating]) -> Picture:
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))
