"""People's own photos: the archive "Clothing dataset" (`images.csv`, `images/<image>.jpg`), zipped or unpacked."""

import csv
import hashlib
import io
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from services.catalogue.sources.formats.kaggle_archive import MEMBER_ERRORS
from services.contracts.domain.errors import LookalikeError
from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import prepare_image
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


# Labels that leave open what the photo shows.
SAYING_NOTHING = frozenset({"Not sure", "Skip", "Other"})


@dataclass(frozen=True)
class Photos:
    """Photos of the nine categories: uint8 (n, height, width, 3), labels int64 (n,), and who sent each.

    `others` shows none of the nine (dresses, hats, bodies), uint8 (m, height, width, 3); `outside_the_nine` counts them and
    those whose label says nothing. `senders_left_out` counts those whose photos were not wanted.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    senders: NDArray[np.str_]
    others: NDArray[np.uint8]
    outside_the_nine: int
    unreadable: int
    senders_left_out: int


def read_photos(
    path: Path,
    size: InputSize,
    categories: tuple[str, ...],
    terminal: Terminal,
    wanted: Callable[[str], bool] = lambda sender: True,
) -> Photos:
    """Read and prepare the photos whose label says what they show.

    Args:
        path: the archive or its folder.
        size: the network's input.
        categories: their names, in the order of the labels.
        terminal: gets the progress, and a line on each photo that cannot be read.
        wanted: says whose photos to take.

    Raises:
        TrainingError: the path holds no such archive, or no usable photo of the nine categories.
    """
    reading = _Reading(size, terminal)
    for name, sender, label, data in terminal.track(photo_files(path), None, "reading photos"):
        if wanted(sender):
            reading.add(name, sender, label, data)
        else:
            reading.left_out.add(sender)
    chosen = [place for place, label in enumerate(reading.labels) if LABELS.get(label) in categories]
    rest = [image for image, label in zip(reading.images, reading.labels, strict=True) if label not in LABELS]
    if not chosen:
        whose = " of a sender that the model has not seen" if reading.left_out else ""
        raise TrainingError(f"{path} has no usable photo of the nine categories{whose}")
    return Photos(
        name=path.resolve().name,
        images=np.stack([reading.images[place] for place in chosen]),
        labels=np.array([categories.index(LABELS[reading.labels[place]]) for place in chosen], np.int64),
        senders=np.array([reading.senders[place] for place in chosen]),
        others=np.stack(rest) if rest else np.zeros((0, size.height, size.width, 3), np.uint8),
        outside_the_nine=reading.told["open"] + len(reading.labels) - len(chosen),
        unreadable=reading.told["unreadable"],
        senders_left_out=len(reading.left_out),
    )


class _Reading:
    """What is read so far: pictures with their labels and senders, and what was passed over."""

    def __init__(self, size: InputSize, terminal: Terminal) -> None:
        self._size, self._terminal = size, terminal
        self.images: list[NDArray[np.uint8]] = []
        self.labels: list[str] = []
        self.senders: list[str] = []
        self.told: Counter[str] = Counter()
        self.left_out: set[str] = set()

    def add(self, name: str, sender: str, label: str, data: bytes | None) -> None:
        if label in SAYING_NOTHING:
            self.told["open"] += 1
            return
        try:
            image, _ = prepare_image(data or b"", self._size)
        except LookalikeError as error:
            self.told["unreadable"] += 1
            self._terminal.line(f"photo {name}: {error.detail if data else 'missing'}; skipped")
            return
        self.images.append(image)
        self.labels.append(label)
        self.senders.append(sender)


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
