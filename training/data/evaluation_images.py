"""The images of an evaluation other than the products: photos, pictures without clothing, and backgrounds."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES, ArchiveImageError, BadRow, KaggleArchive
from services.contracts.domain.errors import LookalikeError
from services.contracts.domain.manifest import DetectorManifest, InputSize, Manifest
from services.contracts.images.preparation import prepare_image
from training.data.archives.dataset import archive_sha256
from training.data.archives.negatives import TABLE, read_negatives
from training.data.archives.photos import EvaluationPhotos, read_photos, sender_mark
from training.data.archives.street import StreetGarments, read_street
from training.data.composing.backgrounds import corners, drawn, patches_of, pictures_in
from training.data.split import part_of
from training.errors import TrainingError
from training.progress import Terminal

DRAWN = 200  # patterns, as backgrounds and as pictures without clothing
PATCHES = 6  # of one picture of a folder
MOST_OTHER_PRODUCTS = 4_000  # outside the nine categories
Images = NDArray[np.uint8]
Predicate = Callable[[str], bool]


@dataclass(frozen=True)
class EvaluationSources:
    """Where the images come from; None for a source that is not used.

    `negatives` is a folder of pictures, or an archive with a table of their kinds:
    see `training.data.archives.negatives`.
    """

    dataset: Path
    photos: Path | None = None
    backgrounds: Path | None = None
    negatives: Path | None = None
    street: Path | None = None
    street_photos: Path | None = None

    def refuse_trained_on(self, manifest: Manifest) -> None:
        """Raise TrainingError if a folder is missing or empty, or has the backgrounds of the model's training data."""
        folders = (self.backgrounds, None if self.has_kinds else self.negatives)
        for folder in filter(None, folders):
            refuse_training_folder(folder, manifest)

    @property
    def has_kinds(self) -> bool:
        """Whether the negatives are an archive with a table of their kinds."""
        return self.negatives is not None and (self.negatives.is_file() or (self.negatives / TABLE).is_file())


@dataclass(frozen=True)
class ImageChoice:
    """Which images to take: `product` decides by a product's id, `sender` by the id of a photo's sender.

    `street_part` and `negatives_part` are parts of the archives of these names, split by `seed`; None for all.
    """

    product: Predicate = lambda product: True
    sender: Predicate = lambda sender: True
    street_part: str | None = None
    negatives_part: str | None = None
    seed: int = 0


@dataclass(frozen=True)
class EvaluationImages:
    """Images by kind.

    Attributes:
        photos: people's photos, None without an archive of them.
        no_clothing: uint8 (n, height, width, 3), none of which shows one of the nine categories.
        backgrounds: patches, uint8 (n, 128, 128, 3).
        street: all street garments, None without an archive of them. Those that `street_chosen` names are evaluated.
        street_chosen: garments of the nine categories, of the part, bool (n,).
        unseen_kinds: names in `no_clothing` whose kinds are in no other part.
        animals: pictures of animals of kinds that are not in the training part, None without an archive of kinds.
    """

    photos: EvaluationPhotos | None
    no_clothing: dict[str, Images] = field(default_factory=dict)
    backgrounds: dict[str, Images] = field(default_factory=dict)
    street: StreetGarments | None = None
    street_chosen: NDArray[np.bool_] | None = None
    unseen_kinds: tuple[str, ...] = ()
    animals: Images | None = None


def gather(
    sources: EvaluationSources, size: InputSize, choice: ImageChoice, seed: int, terminal: Terminal
) -> EvaluationImages:
    """Read and draw the images.

    Args:
        sources: the archives and folders.
        size: the network's input.
        choice: which products and photos to take.
        seed: of the drawn patterns.
        terminal: shows the progress.

    Raises:
        ArchiveError, TrainingError: a source cannot be used; the text is one sentence.
    """
    photos = read_photos(sources.photos, size, CATEGORIES, terminal, choice.sender) if sources.photos else None
    patterns = np.stack(list(drawn(np.random.default_rng([seed, 4]), DRAWN)))
    no_clothing = {
        "other products": _other_products(sources.dataset, size, choice.product, terminal),
        "drawn": _resized(patterns, size),
    }
    backgrounds = {"drawn": patterns}
    if photos is not None:
        no_clothing["other photos"] = photos.others
        photo_corners = list(corners([*photos.images, *photos.others]))
        backgrounds |= {"photos": np.stack(photo_corners)} if photo_corners else {}
    unseen: tuple[str, ...] = ()
    animals = None
    if sources.negatives and sources.has_kinds:
        every = read_negatives(sources.negatives, size, choice.seed, terminal)
        chosen = every.take(every.parts == choice.negatives_part) if choice.negatives_part else every
        no_clothing |= {name: chosen.images[chosen.families == name] for name in sorted(set(chosen.families.tolist()))}
        animals = every.images[(every.families == "animal") & (every.parts != "training")]
        unseen = tuple(sorted(set(chosen.families[chosen.unseen].tolist())))
    elif sources.negatives:
        no_clothing["pictures"] = _whole_pictures(sources.negatives, size)
    street = read_street(sources.street, size, choice.seed, terminal) if sources.street else None
    if sources.backgrounds:
        backgrounds["pictures"] = folder_patches(sources.backgrounds, np.random.default_rng([seed, 5]), terminal)
    no_clothing = {name: images for name, images in no_clothing.items() if len(images)}
    chosen_street = _chosen_street(street, choice.street_part) if street else None
    return EvaluationImages(photos, no_clothing, backgrounds, street, chosen_street, unseen, animals)


def _chosen_street(street: StreetGarments, part: str | None) -> NDArray[np.bool_]:
    inside = street.categories < len(CATEGORIES)
    return inside if part is None else inside & (street.parts == part)


def refuse_training_folder(folder: Path, manifest: Manifest | DetectorManifest) -> None:
    """Raise TrainingError if a folder is missing or empty, or holds the backgrounds that the model was trained on."""
    if not folder.is_dir():
        raise TrainingError(f"there is no folder {folder}")
    pictures_in(folder)
    if manifest.dataset.get("backgrounds", {}).get("sha256") == archive_sha256(folder):
        raise TrainingError(
            f"{manifest.model_id} was trained on the pictures in {folder}: it cannot be evaluated on them"
        )


def unseen(manifest: Manifest, excluded: Collection[str] = ()) -> Predicate:
    """Return whether a sender's photos are new to the model, and the sender's mark is not among those to exclude."""
    marks = frozenset(manifest.dataset.get("photos", {}).get("senders_seen", ())) | frozenset(excluded)
    return lambda sender: sender_mark(sender) not in marks


def in_part(part: str, seed: int) -> Predicate:
    """Return whether a product's id is in the part."""
    return lambda product: part_of(product, seed) == part


def folder_patches(folder: Path, rng: np.random.Generator, terminal: Terminal) -> Images:
    """Return square parts of a folder's pictures, uint8 (n, 128, 128, 3).

    Raises:
        TrainingError: no picture of the folder can be read.
    """
    files = pictures_in(folder)
    tracked = terminal.track(files, len(files), "backgrounds")
    patches = [patch for file in tracked for patch in patches_of(file, rng, PATCHES)]
    if not patches:
        raise TrainingError(f"{folder} holds no picture that can be read")
    return np.stack(patches)


def _other_products(path: Path, size: InputSize, wanted: Predicate, terminal: Terminal) -> Images:
    """Return the images of the archive's products outside the nine categories."""
    images: list[Images] = []
    with KaggleArchive.open(path) as archive:
        for row in terminal.track(archive.rows(), None, "reading other products"):
            if isinstance(row, BadRow) or row.category is not None or not wanted(row.id):
                continue
            if len(images) == MOST_OTHER_PRODUCTS:
                break
            try:
                images.append(prepare_image(archive.read_image(row.id), size)[0])
            except (ArchiveImageError, LookalikeError):
                continue
    return _stacked(images, size)


def _resized(patterns: Images, size: InputSize) -> Images:
    return np.stack([np.asarray(Image.fromarray(pattern).resize((size.width, size.height))) for pattern in patterns])


def _whole_pictures(folder: Path, size: InputSize) -> Images:
    """Return a folder's pictures as the network's input, without those that cannot be read."""
    images: list[Images] = []
    for file in pictures_in(folder):
        try:
            images.append(prepare_image(file.read_bytes(), size)[0])
        except LookalikeError:
            continue
    return _stacked(images, size)


def _stacked(images: list[Images], size: InputSize) -> Images:
    return np.stack(images) if images else np.zeros((0, size.height, size.width, 3), np.uint8)
