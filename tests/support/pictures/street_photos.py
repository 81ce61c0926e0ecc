"""A small archive of street photos: a shirt above trousers on a grey street, and a belt that is of no category."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 48, 72
SHIRT, TROUSERS, BELT = (0.25, 0.1, 0.75, 0.5), (0.3, 0.5, 0.7, 0.95), (0.3, 0.48, 0.7, 0.52)
ITEMS = (("shirt", "Topwear", SHIRT), ("pants", "Bottomwear", TROUSERS), ("belt", "", BELT))
COLOURS = {"shirt": (200, 30, 30), "pants": (30, 30, 200), "belt": (20, 20, 20)}
HEADER = "photo,item,label,category,x0,y0,x1,y1,area"


def street_archive(path: Path, photos: int = 60, damaged: tuple[str, ...] = ()) -> Path:
    """Write an archive with so many photos that each part has some; the `damaged` ones cannot be read."""
    lines = [HEADER]
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(photos):
            name = f"{number:04}"
            archive.writestr(f"images/{name}.jpg", b"damaged" if name in damaged else _photo())
            for label, category, edges in ITEMS:
                sides = ",".join(f"{edge:.4f}" for edge in edges)
                lines.append(f"{name},item-{name}-{label},{label},{category},{sides},0.1")
        archive.writestr("items.csv", "\n".join(lines) + "\n")
    return path


def _photo() -> bytes:
    picture = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    for label, _, (left, top, right, bottom) in ITEMS:
        rows, columns = slice(int(top * HEIGHT), int(bottom * HEIGHT)), slice(int(left * WIDTH), int(right * WIDTH))
        picture[rows, columns] = COLOURS[label]
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=95)
    return file.getvalue()
