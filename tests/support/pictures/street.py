"""Small archives of street garments and of pictures without clothing, drawn by code."""

import zipfile
from pathlib import Path

import numpy as np

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from tests.support.pictures.archives import jpeg

GARMENT_COLUMNS = "file,cutout,item,label,category,photo"
NEGATIVE_COLUMNS = "file,kind,group"
LABELS = {"jeans": "Bottomwear", "coat": "Topwear", "sunglasses": "Eyewear", "belt": ""}


def make_street(path: Path, photos: int = 60, extra_rows: tuple[str, ...] = ()) -> Path:
    """Write a zip of street photos with two garments each; the first garment of a photo has a cut-out."""
    rng, rows, labels = np.random.default_rng(8), [GARMENT_COLUMNS], list(LABELS)
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(2 * photos):
            label = labels[(number + number // 2) % len(labels)]
            picture = jpeg(LABELS[label] or CATEGORIES[0], "Green", rng)
            cutout = f"cutouts/{number}.jpg" if number % 2 == 0 else ""
            archive.writestr(f"photos/{number}.jpg", picture)
            if cutout:
                archive.writestr(cutout, picture)
            photo = f"ccp-{number // 2}"
            rows.append(f"photos/{number}.jpg,{cutout},{photo}-{label},{label},{LABELS[label]},{photo}")
        archive.writestr("garments.csv", "\n".join([*rows, *extra_rows]) + "\n")
    return path


def make_negatives(path: Path, kinds: int = 60, extra_rows: tuple[str, ...] = ()) -> Path:
    """Write a zip of pictures without clothing: two of each kind of animal, and one window of each of 60 photos."""
    rng, rows = np.random.default_rng(9), [NEGATIVE_COLUMNS]
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(2 * kinds + 60):
            name = f"images/{number}.jpg"
            archive.writestr(name, jpeg(CATEGORIES[number % 9], "Blue", rng))
            window = number - 2 * kinds
            kind, group = ("street-window", f"ccp-{window}") if window >= 0 else (f"animal:{number // 2}", name)
            rows.append(f"{name},{kind},{group}")
        archive.writestr("negatives.csv", "\n".join([*rows, *extra_rows]) + "\n")
    return path
