"""People's own photos: the archive "Clothing dataset" (`images.csv`, `images/<image>.jpg`), zipped or unpacked."""

import csv
import hashlib
import io
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from services.catalogue.kaggle import MEMBER_ERRORS
from services.contracts.errors import LookalikeError
from services.contracts.imaging import prepare_image
from services.contracts.manifest import InputSize
from training.errors import TrainingError
from training.progress import Terminal

TABLE = "images.csv"
# Labels of the archive → the nine categories; Dress, Hat, Body, Other, Not sure and Skip belong to none.
LABELS = {
    **dict.fromkeys(
        ("T-Shirt", "Longsleeve", "Shirt", "Polo", "Blazer", "Hoodie", "Top", "Blouse", "Outwear"), "Topwear"
    ),
    "Undershirt": "Innerwear",
    **dict.fromkeys(("Pants", "Shorts", "Skirt"), "Bottomwear"),
    "Shoes": "Shoes",
}


@dataclass(frozen=True)
class Photos:
    """Photos of the nine categories: uint8 (n, height, width, 3), labels int64 (n,), and who sent each.

    `senders_left_out` counts those whom the model knows from its training.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    senders: NDArray[np.str_]
    outside_the_nine: int
    unreadable: int
    senders_left_out: int = 0


def read_photos(
    path: Path,
    size: InputSize,
    categories: tuple[str, ...],
    terminal: Terminal,
    seen: Collection[str] = (),
) -> Photos:
    """Read and prepare every photo whose label is one of the nine categories.

    Args:
        path: the archive or its folder.
        size: the network's input.
        categories: their names, in the order of the labels.
        terminal: gets the progress, and a line on each photo that cannot be read.
        seen: marks of senders to leave out, see `sender_mark`.

    Raises:
        TrainingError: the path holds no such archive, or no usable photo.
    """
    images, labels, senders = [], [], []
    told: Counter[str] = Counter()
    left_out: set[str] = set()
    for image, sender, label, data in terminal.track(photo_files(path), None, "reading photos"):
        category = LABELS.get(label)
        if sender_mark(sender) in seen:
            left_out.add(sender)
            continue
        if category not in categories:
            told["outside"] += 1
            continue
        try:
            images.append(prepare_image(data or b"", size)[0])
        except LookalikeError as error:
            told["unreadable"] += 1
            terminal.line(f"photo {image}: {error.detail if data else 'missing'}; skipped")
            continue
        labels.append(categories.index(category))
        senders.append(sender)
    if not images:
        whose = " of a sender that the model has not seen" if left_out else ""
        raise TrainingError(f"{path} has no usable photo of the nine categories{whose}")
    counts = told["outside"], told["unreadable"], len(left_out)
    return Photos(np.stack(images), np.array(labels, np.int64), np.array(senders), *counts)


def sender_mark(sender: str) -> str:
    """Return a short hash of a sender's id, which tells no one who it is."""
    return hashlib.sha256(f"sender {sender}".encode()).hexdigest()[:8]


def photo_files(path: Path) -> Iterator[tuple[str, str, str, bytes | None]]:
    """Yield name, sender, label and file of each photo; no file where it is missing."""
    if not path.exists():
        raise TrainingError(
            f"there are no photos at {path}: give the path of the Clothing dataset's zip or of its folder"
        )
    try:
        root = zipfile.Path(zipfile.ZipFile(path)) if path.is_file() else path
    except (zipfile.BadZipFile, OSError):
        raise TrainingError(f"{path} is not a zip archive") from None
    with closing(root.root if isinstance(root, zipfile.Path) else io.BytesIO()):
        table = root / TABLE
        if not table.is_file():
            raise TrainingError(f"{path} has no {TABLE}: it is not the archive of the Clothing dataset")
        for row in csv.DictReader(io.StringIO(table.read_text("utf-8"))):
            name = PurePosixPath(row.get("image") or "").name
            yield name, row.get("sender_id") or "", row.get("label") or "", _file(root / "images" / f"{name}.jpg")


def _file(file: Path | zipfile.Path) -> bytes | None:
    try:
        return file.read_bytes()
    except (KeyError, *MEMBER_ERRORS):
        return None
