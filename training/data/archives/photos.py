"""People's own photos: the archive "Clothing dataset" (`images.csv`, `images/<image>.jpg`), zipped or unpacked."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.errors import LookalikeError
from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import prepare_image
from training.data.archives.member_files import member_files
from training.errors import TrainingError
from training.progress import Terminal

TABLE = "images.csv"
COLUMNS = frozenset({"image", "sender_id", "label"})
# Labels of the archive → the nine categories. Dress, Hat, Body, Other, Not sure and Skip belong to none.
LABELS = {
    **dict.fromkeys(
        ("T-Shirt", "Longsleeve", "Shirt", "Polo", "Blazer", "Hoodie", "Top", "Blouse", "Outwear"), "Topwear"
    ),
    "Undershirt": "Innerwear",
    **dict.fromkeys(("Pants", "Shorts", "Skirt"), "Bottomwear"),
    "Shoes": "Shoes",
}
UNCLEAR_LABELS = frozenset({"Not sure", "Skip", "Other"})


@dataclass(frozen=True)
class EvaluationPhotos:
    """Photos of the nine categories, and of other garments.

    Attributes:
        name: of the archive.
        images: of the nine categories, uint8 (n, height, width, 3).
        labels: int64 (n,).
        senders: of each photo.
        types: the archive's label of each photo, such as `T-Shirt`.
        others: photos of none of the nine (dresses, hats, bodies), uint8 (m, height, width, 3).
        skipped: how many photos are of none of the nine, or have an unclear label.
        unreadable: how many photos cannot be read.
        senders_excluded: how many senders were excluded.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    senders: NDArray[np.str_]
    types: NDArray[np.str_]
    others: NDArray[np.uint8]
    skipped: int
    unreadable: int
    senders_excluded: int


def read_photos(
    path: Path,
    size: InputSize,
    categories: tuple[str, ...],
    terminal: Terminal,
    wanted: Callable[[str], bool] = lambda sender: True,
) -> EvaluationPhotos:
    """Read and prepare the photos with a clear label.

    Args:
        path: the archive or its folder.
        size: the network's input.
        categories: their names, in the order of the labels.
        terminal: shows the progress, and a line for each photo that cannot be read.
        wanted: whether to take the photos of a sender.

    Raises:
        TrainingError: the path is not such an archive, or has no usable photo of the nine categories.
    """
    reader = _PhotoReader(size, terminal)
    for name, sender, label, data in terminal.track(photo_files(path), None, "reading photos"):
        if wanted(sender):
            reader.add(name, sender, label, data)
        else:
            reader.excluded.add(sender)
    positions = [place for place, label in enumerate(reader.labels) if LABELS.get(label) in categories]
    others = [image for image, label in zip(reader.images, reader.labels, strict=True) if label not in LABELS]
    if not positions:
        sender_note = " of a sender that the model has not seen" if reader.excluded else ""
        raise TrainingError(f"{path} has no usable photo of the nine categories{sender_note}")
    return EvaluationPhotos(
        name=path.resolve().name,
        images=np.stack([reader.images[place] for place in positions]),
        labels=np.array([categories.index(LABELS[reader.labels[place]]) for place in positions], np.int64),
        senders=np.array([reader.senders[place] for place in positions]),
        types=np.array([reader.labels[place] for place in positions]),
        others=np.stack(others) if others else np.zeros((0, size.height, size.width, 3), np.uint8),
        skipped=reader.unclear + len(reader.labels) - len(positions),
        unreadable=reader.unreadable,
        senders_excluded=len(reader.excluded),
    )


class _PhotoReader:
    """Collects images with their labels and senders, and counts the photos that are not used."""

    def __init__(self, size: InputSize, terminal: Terminal) -> None:
        self._size, self._terminal = size, terminal
        self.images: list[NDArray[np.uint8]] = []
        self.labels: list[str] = []
        self.senders: list[str] = []
        self.unclear = self.unreadable = 0
        self.excluded: set[str] = set()

    def add(self, name: str, sender: str, label: str, data: bytes | None) -> None:
        if label in UNCLEAR_LABELS:
            self.unclear += 1
            return
        try:
            image, _ = prepare_image(data or b"", self._size)
        except LookalikeError as error:
            self.unreadable += 1
            self._terminal.line(f"photo {name}: {error.detail if data else 'missing'}; rejected")
            return
        self.images.append(image)
        self.labels.append(label)
        self.senders.append(sender)


def sender_mark(sender: str) -> str:
    """Return a short hash of a sender's id, which does not identify the sender."""
    return hashlib.sha256(f"sender {sender}".encode()).hexdigest()[:8]


def photo_files(path: Path) -> Iterator[tuple[str, str, str, bytes | None]]:
    """Yield name, sender, label and file of each photo; None for a missing file.

    Raises:
        TrainingError: the path is not such an archive.
    """
    with member_files(path, "there are no photos") as files:
        for row in files.rows(TABLE, COLUMNS):
            name = PurePosixPath(row["image"]).name
            yield name, row["sender_id"], row["label"], files.read(f"images/{name}.jpg")
