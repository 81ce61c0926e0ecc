"""What a model is measured on beside the archive's products: photos, pictures without clothing, backgrounds."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES, ArchiveImageError, BadRow, KaggleArchive
from services.contracts.domain.errors import LookalikeError
from services.contracts.domain.manifest import InputSize, Manifest
from services.contracts.images.preparation import prepare_image
from training.data.backgrounds import corners, drawn, patches_of, pictures_in
from training.data.dataset import archive_sha256
from training.data.photos import Photos, read_photos, sender_mark
from training.data.split import part_of
from training.errors import TrainingError
from training.progress import Terminal

DRAWN = 200  # patterns, as backgrounds and as pictures without clothing
PATCHES = 6  # of one picture of a folder
MOST_OTHERS = 4_000  # products outside the nine
Pictures = NDArray[np.uint8]
Choice = Callable[[str], bool]  # says of an id whether it is wanted


@dataclass(frozen=True)
class Sources:
    """Where the evidence comes from; None for what is not at hand."""

    dataset: Path
    photos: Path | None = None
    backgrounds: Path | None = None
    negatives: Path | None = None

    def refuse_trained_on(self, manifest: Manifest) -> None:
        """Raise TrainingError if a folder is missing, empty, or the one of backgrounds that the model was trained on."""
        trained_on = manifest.dataset.get("backgrounds", {}).get("sha256")
        for folder in filter(None, (self.backgrounds, self.negatives)):
            if not folder.is_dir():
                raise TrainingError(f"there is no folder {folder}")
            pictures_in(folder)
            if trained_on == archive_sha256(folder):
                raise TrainingError(
                    f"{manifest.model_id} was trained on the pictures in {folder}: it cannot be measured on them"
                )


@dataclass(frozen=True)
class Evidence:
    """Pictures by kind, uint8 (n, height, width, 3): `nothing` shows none of the nine; `grounds` are patches of 128×128."""

    photos: Photos | None
    nothing: dict[str, Pictures] = field(default_factory=dict)
    grounds: dict[str, Pictures] = field(default_factory=dict)


def gather(sources: Sources, size: InputSize, row: Choice, sender: Choice, seed: int, terminal: Terminal) -> Evidence:
    """Read and draw the evidence.

    Args:
        sources: where from.
        size: the network's input.
        row: says by a product's id whether its row is taken as a picture without clothing.
        sender: says by a sender's id whether the photos are taken.
        seed: of what is drawn.
        terminal: gets the progress.

    Raises:
        ArchiveError, TrainingError: a source is not what it should be; the text is one sentence.
    """
    photos = read_photos(sources.photos, size, CATEGORIES, terminal, sender) if sources.photos else None
    patterns = np.stack(list(drawn(np.random.default_rng([seed, 4]), DRAWN)))
    nothing = {
        "other products": _other_products(sources.dataset, size, row, terminal),
        "drawn": _resized(patterns, size),
    }
    grounds = {"drawn": patterns}
    if photos is not None:
        nothing["other photos"] = photos.others
        floors = list(corners([*photos.images, *photos.others]))
        grounds |= {"photos": np.stack(floors)} if floors else {}
    if sources.negatives:
        nothing["pictures"] = _whole(sources.negatives, size)
    if sources.backgrounds:
        grounds["pictures"] = _parts(sources.backgrounds, np.random.default_rng([seed, 5]))
    return Evidence(photos, {name: pictures for name, pictures in nothing.items() if len(pictures)}, grounds)


def unseen(manifest: Manifest, left_out: Collection[str] = ()) -> Choice:
    """Return what says of a sender whether the model has not seen the photos, and the mark is none of those to leave out."""
    seen = frozenset(manifest.dataset.get("photos", {}).get("senders_seen", ())) | frozenset(left_out)
    return lambda sender: sender_mark(sender) not in seen


def in_part(part: str, seed: int) -> Choice:
    """Return what says of a product's id whether it is in the part."""
    return lambda product: part_of(product, seed) == part


def _other_products(path: Path, size: InputSize, row: Choice, terminal: Terminal) -> Pictures:
    """Return the pictures of the archive's rows that belong to none of the nine categories."""
    images: list[Pictures] = []
    with KaggleArchive.open(path) as archive:
        for found in terminal.track(archive.rows(), None, "reading other products"):
            if isinstance(found, BadRow) or found.category is not None or not row(found.id):
                continue
            if len(images) == MOST_OTHERS:
                break
            try:
                images.append(prepare_image(archive.read_image(found.id), size)[0])
            except (ArchiveImageError, LookalikeError):
                continue
    return _stacked(images, size)


def _resized(patterns: Pictures, size: InputSize) -> Pictures:
    return np.stack([np.asarray(Image.fromarray(one).resize((size.width, size.height))) for one in patterns])


def _whole(folder: Path, size: InputSize) -> Pictures:
    """Return a folder's pictures as the network sees them; those that cannot be read are left out."""
    images: list[Pictures] = []
    for file in pictures_in(folder):
        try:
            images.append(prepare_image(file.read_bytes(), size)[0])
        except LookalikeError:
            continue
    return _stacked(images, size)


def _parts(folder: Path, rng: np.random.Generator) -> Pictures:
    found = [patch for file in pictures_in(folder) for patch in patches_of(file, rng, PATCHES)]
    if not found:
        raise TrainingError(f"{folder} holds no picture that can be read")
    return np.stack(found)


def _stacked(images: list[Pictures], size: InputSize) -> Pictures:
    return np.stack(images) if images else np.zeros((0, size.height, size.width, 3), np.uint8)
