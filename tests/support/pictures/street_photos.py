"""A small archive of street photos: a shirt above trousers on a grey street, and a belt that is of no category."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 48, 72
SHIRT, TROUSERS, BELT = (0.25, 0.1, 0.75, 0.5), (0.3, 0.5, 0.7, 0.95), (0.3, 0.48, 0.7, 0.52)
ITEMS = (("shirt", "Topwear", SHIRT), ("pants", "Bottomwear", TROUSERS), ("belt", "", BELT))
COLOURS = {"shirt": (200, 30, 30), "pants": (30, 30, 200), "belt": (20, 20, 20)}
MASK_VALUES = {"shirt": 3, "pants": 5}  # in masks of half the photo's size
HEADER = "photo,item,label,category,x0,y0,x1,y1,area"


def street_archive(path: Path, photos: int = 60, damaged: tuple[str, ...] = (), masks: bool = True) -> Path:
    """Write an archive with enough photos for each part; the `damaged` ones cannot be read."""
    lines = [HEADER]
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(photos):
            name = f"{number:04}"
            archive.writestr(f"images/{name}.jpg", b"damaged" if name in damaged else _photo())
            for label, category, edges in ITEMS:
                sides = ",".join(f"{edge:.4f}" for edge in edges)
                lines.append(f"{name},item-{name}-{label},{label},{category},{sides},0.1")
        archive.writestr("items.csv", "\n".join(lines) + "\n")
        if masks:
            values = {"0": "null"} | {str(value): label for label, value in MASK_VALUES.items()}
            archive.writestr("mask-labels.json", json.dumps(values))
            for number in range(photos):
                archive.writestr(f"masks/{number:04}.png", _mask())
    return path


def _photo() -> bytes:
    picture = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    for label, _, (left, top, right, bottom) in ITEMS:
        rows, columns = slice(int(top * HEIGHT), int(bottom * HEIGHT)), slice(int(left * WIDTH), int(right * WIDTH))
        picture[rows, columns] = COLOURS[label]
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=95)
    return file.getvalue()


def _mask() -> bytes:
    mask = np.zeros((HEIGHT // 2, WIDTH // 2), np.uint8)
    for label, _, (left, top, right, bottom) in ITEMS:
        rows = slice(int(top * HEIGHT / 2), int(bottom * HEIGHT / 2))
        mask[rows, int(left * WIDTH / 2) : int(right * WIDTH / 2)] = MASK_VALUES.get(label, 0)
    file = io.BytesIO()
    Image.fromarray(mask).save(file, "PNG")
    return file.getvalue()
