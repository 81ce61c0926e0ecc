"""What the network learns from: studio shots of the whole archive, and people's photos."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.catalogue.sources.formats.kaggle_archive import (
    CATEGORIES,
    ArchiveImageError,
    BadRow,
    KaggleArchive,
    KaggleRow,
)
from services.contracts.domain.errors import LookalikeError
from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import prepare_image
from training.data.cutouts import alpha_of
from training.data.photos import LABELS, SAYING_NOTHING, photo_files, sender_mark
from training.data.split import part_of
from training.errors import TrainingError
from training.progress import Terminal

NONE = len(CATEGORIES)  # the tenth class: no clothing of the nine kinds
UNKNOWN = -1  # an attribute that is not given: no loss is taken of it
LEAST_PAIR = 4  # products of one type and colour, for the pair to be a class of its own


@dataclass(frozen=True)
class Studio:
    """Studio shots: uint8 (n, h, w, 3), opacity uint8 (n, h, w), and positions among the classes, int32 (n,).

    `categories` holds 9 for none of the nine; `kinds` article types, `colours` base colours, `pairs` both together,
    `genders`: −1 where not given, or too rare to be a class.
    """

    ids: NDArray[np.str_]
    images: NDArray[np.uint8]
    alphas: NDArray[np.uint8]
    categories: NDArray[np.int32]
    kinds: NDArray[np.int32]
    colours: NDArray[np.int32]
    pairs: NDArray[np.int32]
    genders: NDArray[np.int32]
    parts: NDArray[np.str_]

    def classes(self) -> dict[str, int]:
        """Return how many classes each attribute has; one, which nothing is of, where none is given."""
        names = ("kinds", "colours", "pairs", "genders")
        return {name: max(1, int(getattr(self, name).max()) + 1) for name in names}


@dataclass(frozen=True)
class People:
    """People's photos: uint8 (n, h, w, 3), categories int32 (n,) with 9 for none, senders, and each sender's part."""

    images: NDArray[np.uint8]
    categories: NDArray[np.int32]
    senders: NDArray[np.str_]
    parts: NDArray[np.str_]


def read_studio(path: Path, size: InputSize, seed: int, terminal: Terminal) -> Studio:
    """Read every row of the archive that has an image, those outside the nine categories too.

    Raises:
        ArchiveError: the path holds no such archive.
        TrainingError: no image can be read.
    """
    with KaggleArchive.open(path) as archive:
        read = list(terminal.track(_readable(archive, size), None, "reading images"))
    if not read:
        raise TrainingError(f"{path} has no usable image")
    read.sort(key=lambda pair: (int(pair[0].id), pair[0].id))
    rows = [row for row, _ in read]
    images = np.stack([image for _, image in read])
    parts = np.array([part_of(row.id, seed) for row in rows])
    kinds, colours, genders = (
        [row.attributes.get(n, "") for row in rows] for n in ("articleType", "baseColour", "gender")
    )
    pairs = [f"{kind}/{colour}" if kind and colour else "" for kind, colour in zip(kinds, colours, strict=True)]
    return Studio(
        ids=np.array([row.id for row in rows]),
        images=images,
        alphas=np.stack([alpha_of(image) for image in terminal.track(images, len(images), "cutting out")]),
        categories=np.array([CATEGORIES.index(row.category) if row.category else NONE for row in rows], np.int32),
        kinds=_numbered(kinds, parts, 1),
        colours=_numbered(colours, parts, 1),
        pairs=_numbered(pairs, parts, LEAST_PAIR),
        genders=_numbered(genders, parts, 1),
        parts=parts,
    )


def _readable(archive: KaggleArchive, size: InputSize) -> Iterator[tuple[KaggleRow, NDArray[np.uint8]]]:
    """Yield rows with their prepared images. What cannot be read is told when the model is measured, not here."""
    for row in archive.rows():
        if isinstance(row, BadRow):
            continue
        with suppress(ArchiveImageError, LookalikeError):
            yield row, prepare_image(archive.read_image(row.id), size)[0]


def _numbered(values: list[str], parts: NDArray[np.str_], least: int) -> NDArray[np.int32]:
    """Return each value's class, by name; −1 for what is not given or rarer than `least` in the training part."""
    counts = Counter(value for value, part in zip(values, parts, strict=True) if value and part == "training")
    names = {name: place for place, name in enumerate(sorted(n for n, count in counts.items() if count >= least))}
    return np.array([names.get(value, UNKNOWN) for value in values], np.int32)


def read_people(path: Path, size: InputSize, seed: int, terminal: Terminal) -> People:
    """Read every photo whose label says something; divided by sender, never by photo.

    Raises:
        TrainingError: the path holds no such archive, or no usable photo.
    """
    images, categories, senders = [], [], []
    for name, sender, label, data in terminal.track(photo_files(path), None, "reading photos"):
        if label in SAYING_NOTHING:
            continue
        try:
            images.append(prepare_image(data or b"", size)[0])
        except LookalikeError as error:
            terminal.line(f"photo {name}: {error.detail if data else 'missing'}; skipped")
            continue
        categories.append(CATEGORIES.index(LABELS[label]) if label in LABELS else NONE)
        senders.append(sender)
    if not images:
        raise TrainingError(f"{path} has no usable photo")
    parts = np.array([sender_part(sender, seed) for sender in senders])
    return People(np.stack(images), np.array(categories, np.int32), np.array(senders), parts)


def refuse_empty_parts(path: Path, seed: int) -> None:
    """Raise TrainingError if the senders of a part sent no photo of the nine categories: before hours are spent."""
    found = {sender_part(sender, seed) for _, sender, label, data in photo_files(path) if label in LABELS and data}
    for part in ("training", "validation", "test"):
        if part not in found:
            raise TrainingError(f"the {part} part has no photos of the nine categories: {path} has too few senders")


def senders_seen(path: Path, seed: int) -> list[str]:
    """Return marks of the senders whose photos trained or validated: whoever measures the model leaves them out."""
    senders = {sender for _, sender, _, _ in photo_files(path)}
    return sorted(sender_mark(sender) for sender in senders if sender_part(sender, seed) != "test")


def sender_part(sender: str, seed: int) -> str:
    """Return the part of a sender's photos: as of a product's id, in a series of its own."""
    return part_of(f"sender {sender}", seed)
