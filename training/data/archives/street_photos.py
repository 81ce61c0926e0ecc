"""Street photos of dressed people: the archive `street-photos.zip` (`items.csv`, `images/<photo>.jpg`), or its folder.

Each photo has the boxes of its garments, and their pixels if the archive has `masks/<photo>.png`, whose values
`mask-labels.json` names. The parts are split by photo: all garments of a photo are in one part.
"""

import io
import json
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.images.preparation import DECODE_ERRORS
from training.data.archives.member_files import MemberFiles, member_files
from training.data.split import part_of
from training.errors import TrainingError
from training.progress import Terminal

TABLE, MASK_LABELS = "items.csv", "mask-labels.json"
EDGES = ("x0", "y0", "x1", "y1")  # left, top, right, bottom, as fractions of the photo's sides
NO_MASK = 0  # the value of pixels that belong to no garment


@dataclass(frozen=True)
class StreetItem:
    """A row of the table: the category's id, the label, and the edges as fractions of the photo's sides."""

    category: int
    label: str
    edges: tuple[float, ...]


Items = dict[str, list[StreetItem]]


def _empty() -> NDArray[Any]:
    return np.zeros(0, np.uint8)


@dataclass(frozen=True)
class StreetPhoto:
    """A photo with the garments of the nine categories in it.

    Attributes:
        name: of the photo.
        picture: uint8 (height, width, 3).
        boxes: float32 (n, 4), left, top, right, bottom in pixels.
        categories: int32 (n,), ids of the nine categories.
        mask: uint8 (rows, columns), the value of the garment at each pixel, at any resolution; empty without masks.
        values: uint8 (n,), the value of each garment in the mask, 0 if it has none; empty without masks.
    """

    name: str
    picture: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    categories: NDArray[np.int32]
    mask: NDArray[np.uint8] = field(default_factory=_empty)
    values: NDArray[np.uint8] = field(default_factory=_empty)


def read_street_photos(path: Path, seed: int, terminal: Terminal) -> dict[str, list[StreetPhoto]]:
    """Return the photos of each part: `training`, `validation` and `test`.

    Items of none of the nine categories (dresses, belts, hats) have no box.

    Raises:
        TrainingError: the path is not such an archive, or a part has no photo.
    """
    parts: dict[str, list[StreetPhoto]] = {"training": [], "validation": [], "test": []}
    with member_files(path, "there are no street photos") as files:
        items, values = _items(files, path), _mask_values(files, path)
        for name in terminal.track(sorted(items), len(items), "reading street photos"):
            photo = _photo(files.read(f"images/{name}.jpg"), name, items[name])
            if photo is not None and values:
                photo = _masked(photo, files.read(f"masks/{name}.png"), items[name], values)
            if photo is None:
                terminal.line(f"street photo {name}: it cannot be read; rejected")
            else:
                parts[street_part(name, seed)].append(photo)
    for part, photos in parts.items():
        if not photos:
            raise TrainingError(f"the {part} part has no street photo: {path} has too few photos")
    return parts


def street_part(name: str, seed: int) -> str:
    """Return the part of a street photo, which depends on its name and the seed alone."""
    return part_of(f"street {name}", seed)


def _items(files: MemberFiles, path: Path) -> Items:
    """Return category and edges of the garments of each photo.

    Raises:
        TrainingError: the table is missing, lacks a column, or a row has no box.
    """
    items: Items = defaultdict(list)
    for number, row in enumerate(files.rows(TABLE, frozenset({"photo", "category", *EDGES})), 2):
        name, category = PurePosixPath(row["photo"]).name, row["category"]
        try:
            edges = tuple(float(row[edge]) for edge in EDGES)
        except ValueError:
            raise TrainingError(f"{TABLE} of {path}, line {number}: {', '.join(EDGES)} have to be numbers") from None
        garments = items[name]
        if category in CATEGORIES:
            garments.append(StreetItem(CATEGORIES.index(category), row.get("label", ""), edges))
    return items


def _mask_values(files: MemberFiles, path: Path) -> dict[str, int]:
    """Return the mask value of each label, empty if the archive has no masks.

    Raises:
        TrainingError: the file of the values is not an object of labels by value.
    """
    data = files.read(MASK_LABELS)
    if data is None:
        return {}
    try:
        return {str(label): int(value) for value, label in json.loads(data).items() if int(value) != NO_MASK}
    except (ValueError, AttributeError):
        raise TrainingError(f"{MASK_LABELS} of {path} has to be an object of labels by value") from None


def _masked(photo: StreetPhoto, data: bytes | None, items: list[StreetItem], values: dict[str, int]) -> StreetPhoto:
    """Return the photo with its mask; without one if the mask is missing or cannot be read."""
    try:
        with Image.open(io.BytesIO(data or b""), formats=("PNG",)) as opened:
            mask = np.asarray(opened.convert("L"))
    except DECODE_ERRORS:
        return photo
    return replace(photo, mask=mask, values=np.array([values.get(item.label, NO_MASK) for item in items], np.uint8))


def _photo(data: bytes | None, name: str, garments: list[StreetItem]) -> StreetPhoto | None:
    try:
        with Image.open(io.BytesIO(data or b""), formats=("JPEG",)) as opened:
            picture = np.asarray(opened.convert("RGB"))
    except DECODE_ERRORS:
        return None
    height, width = picture.shape[:2]
    boxes = np.array([item.edges for item in garments], np.float32).reshape(-1, 4)
    boxes *= np.array([width, height, width, height], np.float32)
    return StreetPhoto(name, picture, boxes, np.array([item.category for item in garments], np.int32))
