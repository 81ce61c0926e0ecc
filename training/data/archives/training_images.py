"""The images to train on: studio shots of the whole archive, and people's photos."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
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
from training.data.archives.member_files import member_files
from training.data.archives.photos import LABELS, UNCLEAR_LABELS, photo_files, sender_mark
from training.data.contents import NO_CLOTHING, OTHER_CLOTHING, UNKNOWN, category_class
from training.data.cutouts import alpha_of
from training.data.garment_types import NO_CLOTHING_GROUPS, NO_CLOTHING_KINDS
from training.data.split import part_of
from training.errors import TrainingError
from training.progress import Terminal

LEAST_PAIR = 4  # products of one type and colour that make the pair a class


@dataclass(frozen=True)
class StudioShots:
    """Studio shots in the order of their ids.

    Attributes:
        ids: of the products.
        images: uint8 (n, h, w, 3).
        alphas: opacity, uint8 (n, h, w).
        categories: int32 (n,), 9 for none of the nine.
        kinds, colours, pairs, genders: classes of article type, base colour, both together, and gender, int32 (n,);
            −1 where there is no value, or the value is too rare to be a class.
        parts: the part of each product.
        contents: what the picture shows, int32 (n,): a category, OTHER_CLOTHING or NO_CLOTHING.
        kind_names: the article type of each class of `kinds`.
        detailed: whether the picture is of the archive with more pixels, bool (n,).
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
    contents: NDArray[np.int32]
    kind_names: tuple[str, ...]
    detailed: NDArray[np.bool_]

    def classes(self) -> dict[str, int]:
        """Return how many classes each attribute has, at least one."""
        names = ("kinds", "colours", "pairs", "genders")
        return {name: max(1, int(getattr(self, name).max()) + 1) for name in names}


@dataclass(frozen=True)
class PeoplePhotos:
    """People's photos: uint8 (n, h, w, 3), categories int32 (n,), 9 for none of the nine, senders, parts and labels."""

    images: NDArray[np.uint8]
    categories: NDArray[np.int32]
    senders: NDArray[np.str_]
    parts: NDArray[np.str_]
    labels: NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, np.str_))


def read_studio(
    path: Path, size: InputSize, seed: int, terminal: Terminal, detailed: Path | None = None
) -> StudioShots:
    """Read all rows of the archive that have an image, including those outside the nine categories.

    Args:
        path: of the archive.
        size: of the images.
        seed: of the split.
        terminal: shows the progress.
        detailed: `images/<id>.jpg` of some of the products with more pixels, used in place of the archive's.

    Raises:
        ArchiveError: the path holds no such archive.
        TrainingError: no image can be read, or `detailed` is no archive.
    """
    larger = _detailed_images(detailed, size) if detailed else {}
    with KaggleArchive.open(path) as archive:
        pairs_read = [
            (row, larger.get(row.id, image))
            for row, image in terminal.track(_readable(archive, size), None, "reading images")
        ]
    if not pairs_read:
        raise TrainingError(f"{path} has no usable image")
    pairs_read.sort(key=lambda pair: (int(pair[0].id), pair[0].id))
    rows = [row for row, _ in pairs_read]
    images = np.stack([image for _, image in pairs_read])
    parts = np.array([part_of(row.id, seed) for row in rows])
    kinds, colours, genders = (
        [row.attributes.get(n, "") for row in rows] for n in ("articleType", "baseColour", "gender")
    )
    pairs = [f"{kind}/{colour}" if kind and colour else "" for kind, colour in zip(kinds, colours, strict=True)]
    return StudioShots(
        ids=np.array([row.id for row in rows]),
        images=images,
        alphas=np.stack([alpha_of(image) for image in terminal.track(images, len(images), "cutting out")]),
        categories=np.array([category_class(row.category) for row in rows], np.int32),
        kinds=_classes(kinds, parts, 1),
        colours=_classes(colours, parts, 1),
        pairs=_classes(pairs, parts, LEAST_PAIR),
        genders=_classes(genders, parts, 1),
        parts=parts,
        contents=np.array([_content(row) for row in rows], np.int32),
        kind_names=tuple(_class_names(kinds, parts, 1)),
        detailed=np.array([row.id in larger for row in rows]),
    )


def _detailed_images(path: Path, size: InputSize) -> dict[str, NDArray[np.uint8]]:
    """Return the images that can be read, by the product's id."""
    images = {}
    with member_files(path) as files:
        for name in files.pictures("images"):
            image = files.image(f"images/{name}", size)
            if image is not None:
                images[Path(name).stem] = image
    return images


def _content(row: KaggleRow) -> int:
    if row.category:
        return CATEGORIES.index(row.category)
    group, kind = row.attributes.get("masterCategory", ""), row.attributes.get("subCategory", "")
    return NO_CLOTHING if group in NO_CLOTHING_GROUPS or kind in NO_CLOTHING_KINDS else OTHER_CLOTHING


def _readable(archive: KaggleArchive, size: InputSize) -> Iterator[tuple[KaggleRow, NDArray[np.uint8]]]:
    """Yield rows with their prepared images. The evaluation reports images that cannot be read; this does not."""
    for row in archive.rows():
        if isinstance(row, BadRow):
            continue
        with suppress(ArchiveImageError, LookalikeError):
            yield row, prepare_image(archive.read_image(row.id), size)[0]


def _classes(values: list[str], parts: NDArray[np.str_], least: int) -> NDArray[np.int32]:
    """Return the class of each value by name; −1 for no value, or one rarer than `least` in the training part."""
    names = {name: place for place, name in enumerate(_class_names(values, parts, least))}
    return np.array([names.get(value, UNKNOWN) for value in values], np.int32)


def _class_names(values: list[str], parts: NDArray[np.str_], least: int) -> list[str]:
    counts = Counter(value for value, part in zip(values, parts, strict=True) if value and part == "training")
    return sorted(name for name, count in counts.items() if count >= least)


def read_people(path: Path, size: InputSize, seed: int, terminal: Terminal) -> PeoplePhotos:
    """Read all photos with a clear label. The parts are split by sender, never by photo.

    Raises:
        TrainingError: the path is not such an archive, or has no usable photo.
    """
    images, categories, senders, labels = [], [], [], []
    for name, sender, label, data in terminal.track(photo_files(path), None, "reading photos"):
        if label in UNCLEAR_LABELS:
            continue
        try:
            images.append(prepare_image(data or b"", size)[0])
        except LookalikeError as error:
            terminal.line(f"photo {name}: {error.detail if data else 'missing'}; rejected")
            continue
        categories.append(category_class(LABELS.get(label)))
        senders.append(sender)
        labels.append(label)
    if not images:
        raise TrainingError(f"{path} has no usable photo")
    parts = np.array([sender_part(sender, seed) for sender in senders])
    return PeoplePhotos(np.stack(images), np.array(categories, np.int32), np.array(senders), parts, np.array(labels))


def refuse_empty_parts(path: Path, seed: int) -> None:
    """Raise TrainingError if the senders of a part have no photo of the nine categories."""
    photos = ((sender, label, data) for _, sender, label, data in photo_files(path))
    parts = {sender_part(sender, seed) for sender, label, data in photos if label in LABELS and data}
    for part in ("training", "validation", "test"):
        if part not in parts:
            raise TrainingError(f"the {part} part has no photos of the nine categories: {path} has too few senders")


def senders_seen(path: Path, seed: int) -> list[str]:
    """Return the marks of the senders of the training and validation parts: an evaluation excludes their photos."""
    senders = {sender for _, sender, _, _ in photo_files(path)}
    return sorted(sender_mark(sender) for sender in senders if sender_part(sender, seed) != "test")


def sender_part(sender: str, seed: int) -> str:
    """Return the part of a sender's photos."""
    return part_of(f"sender {sender}", seed)
