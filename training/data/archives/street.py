"""Garments of street photos: crops as they are in the street, and the same garments cut out on white.

The archive has `garments.csv` (`file`, `cutout`, `item`, `label`, `category`, `photo`) and the pictures that it names.
All pieces of a street picture have its `photo` id: the parts are split by it, never by garment.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.manifest import InputSize
from training.data.archives.member_files import member_files
from training.data.contents import category_class
from training.data.split import part_of
from training.errors import TrainingError
from training.progress import Terminal

TABLE = "garments.csv"
COLUMNS = frozenset({"file", "cutout", "item", "label", "category", "photo"})


@dataclass(frozen=True)
class StreetGarments:
    """Garments in the order of the table.

    Attributes:
        name: of the archive.
        crops: as they are in the street, uint8 (n, h, w, 3).
        cutouts: on white, uint8 (n, h, w, 3); white where there is none.
        has_cutout: bool (n,).
        categories: int32 (n,), 9 for none of the nine (dresses, belts, hats).
        items: the id of each garment; several crops may show one, str (n,).
        labels: of the archive, such as `jeans`, str (n,).
        photos: ids of the street photos, str (n,).
        parts: the part of each garment.
        unreadable: how many crops cannot be read.
    """

    name: str
    crops: NDArray[np.uint8]
    cutouts: NDArray[np.uint8]
    has_cutout: NDArray[np.bool_]
    categories: NDArray[np.int32]
    items: NDArray[np.str_]
    labels: NDArray[np.str_]
    photos: NDArray[np.str_]
    parts: NDArray[np.str_]
    unreadable: int = 0

    def take(self, positions: NDArray[np.integer | np.bool_]) -> "StreetGarments":
        """Return the garments at these positions, or where this mask is true."""
        names = ("crops", "cutouts", "has_cutout", "categories", "items", "labels", "photos", "parts")
        return replace(self, **{name: getattr(self, name)[positions] for name in names})


def photo_part(photo: str, seed: int) -> str:
    """Return the part of all pieces of a street photo."""
    return part_of(f"photo {photo}", seed)


def read_street(path: Path, size: InputSize, seed: int, terminal: Terminal) -> StreetGarments:
    """Read all garments whose crop can be read.

    Raises:
        TrainingError: the path is not such an archive, or has no usable garment.
    """
    rows, crops, cutouts, unreadable = [], [], [], 0
    with member_files(path) as files:
        for row in terminal.track(files.rows(TABLE, COLUMNS), None, "reading street garments"):
            crop = files.image(row["file"], size)
            if crop is None:
                unreadable += 1
                terminal.line(f"street garment {row['file']}: missing or unreadable; rejected")
                continue
            rows.append(row)
            crops.append(crop)
            cutouts.append(files.image(row["cutout"], size))
    if not rows:
        raise TrainingError(f"{path} has no usable street garment")
    white = np.full((size.height, size.width, 3), 255, np.uint8)
    return StreetGarments(
        name=path.resolve().name,
        crops=np.stack(crops),
        cutouts=np.stack([white if cutout is None else cutout for cutout in cutouts]),
        has_cutout=np.array([cutout is not None for cutout in cutouts]),
        categories=np.array([category_class(row["category"]) for row in rows], np.int32),
        items=np.array([row["item"] for row in rows]),
        labels=np.array([row["label"] for row in rows]),
        photos=np.array([row["photo"] for row in rows]),
        parts=np.array([photo_part(row["photo"], seed) for row in rows]),
        unreadable=unreadable,
    )
