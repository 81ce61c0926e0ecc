"""A small archive in Kaggle's layout: one coloured shape per category, drawn by code."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES

HEADER = "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName"
COLOURS = {"Red": (200, 30, 30), "Green": (30, 150, 60), "Blue": (30, 60, 190)}
BOXES = {  # each category is a rectangle at another place of the 60×80 picture
    name: (4 + 16 * (i % 3), 4 + 24 * (i // 3), 20 + 16 * (i % 3), 26 + 24 * (i // 3))
    for i, name in enumerate(CATEGORIES)
}


def jpeg(category: str, colour: str, rng: np.random.Generator) -> bytes:
    picture = Image.new("RGB", (60, 80), "white")
    dx, dy = rng.integers(-2, 3, 2)
    left, top, right, bottom = BOXES[category]
    ImageDraw.Draw(picture).rectangle((left + dx, top + dy, right + dx, bottom + dy), fill=COLOURS[colour])
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()


def products(per_category: int, seed: int = 1) -> Iterator[tuple[int, str, str, bytes]]:
    """Yield id, category, colour and picture."""
    rng = np.random.default_rng(seed)
    for number in range(per_category * len(CATEGORIES)):
        category = CATEGORIES[number % len(CATEGORIES)]
        colour = list(COLOURS)[int(rng.integers(len(COLOURS)))]
        yield 1000 + number, category, colour, jpeg(category, colour, rng)


def make_archive(
    path: Path,
    per_category: int = 12,
    extra_lines: tuple[str, ...] = (),
    backwards: bool = False,
    extra_pictures: dict[str, bytes] | None = None,
) -> Path:
    """Write a zip of products.

    Args:
        path: of the zip.
        per_category: how many products each category has.
        extra_lines: more lines of styles.csv.
        backwards: whether the rows are in reverse order.
        extra_pictures: pictures by name.
    """
    lines, drawn = [HEADER], list(products(per_category))
    for number, category, colour, _ in reversed(drawn) if backwards else drawn:
        lines.append(f"{number},Men,Apparel,{category},{category} kind,{colour},Fall,2011,Casual,{colour}, {category}")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("styles.csv", "\n".join([*lines, *extra_lines]) + "\n")
        for number, _, _, picture in drawn:
            archive.writestr(f"images/{number}.jpg", picture)
        for name, picture in (extra_pictures or {}).items():
            archive.writestr(f"images/{name}.jpg", picture)
    return path


def make_photos(path: Path, lines: tuple[str, ...], pictures: dict[str, bytes]) -> Path:
    """Write a zip in the layout of the Clothing dataset."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.csv", "\n".join(["image,sender_id,label,kids", *lines]) + "\n")
        for name, data in pictures.items():
            archive.writestr(f"images/{name}.jpg", data)
    return path


def product_line(number: int, category: str = "Topwear") -> str:
    return f"{number},Men,Apparel,{category},Shirts,Blue,Fall,2011,Casual,Name"
