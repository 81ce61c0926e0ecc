"""Backgrounds for composed images: parts of any pictures, corners of people's photos, and drawn patterns."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.contracts.images.preparation import DECODE_ERRORS
from training.data.archives.negatives import Negatives
from training.data.archives.training_images import PeoplePhotos
from training.errors import TrainingError
from training.progress import Terminal

PATCH = 128  # pixels a side
PATCHES = 250  # of one picture of the folder, at most
PIXELS_A_PATCH = 12_000
LEAST_SIDE = 32  # pixels of the shorter side; smaller pictures are not used
LEAST_VARIED_SIDE = 256  # pixels of the shorter side; smaller pictures give two patches
LONGEST = 1280  # pixels of the longer side; larger pictures are reduced first
DRAWN = 400
FORMATS = ("JPEG", "PNG", "WEBP")
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
WAVE = 6.28  # radians a wave
Patch = NDArray[np.uint8]
Plane = NDArray[np.float64]


def read_backgrounds(
    folder: Path | None, people: PeoplePhotos, seed: int, terminal: Terminal, negatives: Negatives | None = None
) -> Patch:
    """Return patches, uint8 (n, 128, 128, 3): drawn patterns, corners of the training photos, parts of the folder's
    pictures, and the training part of the pictures without clothing.

    Raises:
        TrainingError: the folder holds no picture.
    """
    rng = np.random.default_rng([seed, 1])
    patches = [*drawn(rng, DRAWN), *corners(people.images[people.parts == "training"])]
    if folder is not None:
        files = pictures_in(folder)
        for file in terminal.track(files, len(files), "reading backgrounds"):
            patches += patches_of(file, rng)
    if negatives is not None:
        pictures = negatives.images[negatives.parts == "training"]
        patches += [np.asarray(Image.fromarray(p).resize((PATCH, PATCH), Image.Resampling.BILINEAR)) for p in pictures]
    return np.stack(patches)


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures in the folder and its subfolders, in order of their paths.

    Raises:
        TrainingError: there is no picture.
    """
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not files:
        raise TrainingError(f"{folder} holds no JPEG, PNG or WebP picture")
    return files


def patches_of(file: Path, rng: np.random.Generator, at_most: int = PATCHES) -> list[Patch]:
    """Return random square parts of a picture, more of a large one; none of a file that cannot be read."""
    try:
        with Image.open(file, formats=FORMATS) as opened:
            picture = opened.convert("RGB")
    except (*DECODE_ERRORS, Image.DecompressionBombError):
        return []
    picture.thumbnail((LONGEST, LONGEST))
    least = min(picture.size)
    if least < LEAST_SIDE:
        return []
    count = (
        int(min(at_most, max(2, picture.width * picture.height / PIXELS_A_PATCH))) if least >= LEAST_VARIED_SIDE else 2
    )
    return [_patch(picture, int(least * rng.uniform(0.25, 1.0)), rng) for _ in range(count)]


def _patch(picture: Image.Image, side: int, rng: np.random.Generator) -> Patch:
    left, top = rng.integers(0, picture.width - side + 1), rng.integers(0, picture.height - side + 1)
    box = (int(left), int(top), int(left) + side, int(top) + side)
    return np.asarray(picture.resize((PATCH, PATCH), Image.Resampling.BILINEAR, box=box))


def corners(images: Iterable[NDArray[np.uint8]]) -> Iterator[Patch]:
    """Yield two corners of each photo: the floors and beds on which garments are photographed."""
    for image in images:
        height, width = image.shape[0] // 3, image.shape[1] // 3
        inside = np.argwhere(image.min(axis=2) < 255)  # without the white padding
        if not len(inside):
            continue
        (top, left), (bottom, right) = inside.min(axis=0), inside.max(axis=0) + 1
        upper, lower = (
            image[top : top + height, left : left + width],
            image[bottom - height : bottom, right - width : right],
        )
        for part in (upper, lower):
            if part.shape[:2] == (height, width):
                yield np.asarray(Image.fromarray(part).resize((PATCH, PATCH), Image.Resampling.BILINEAR))


def drawn(rng: np.random.Generator, count: int) -> Iterator[Patch]:
    """Yield `count` drawn patterns, uint8 (128, 128, 3): gradients, stripes, checks and clouds, with some noise."""
    across, down = np.meshgrid(np.linspace(0, 1, PATCH), np.linspace(0, 1, PATCH))
    for _ in range(count):
        angle, first, second = rng.uniform(0, 2 * np.pi), rng.uniform(0, 255, 3), rng.uniform(0, 255, 3)
        along = across * np.cos(angle) + down * np.sin(angle)
        other = down * np.cos(angle) - across * np.sin(angle)
        waves = rng.uniform(2, 25)
        mix = PATTERNS[rng.integers(len(PATTERNS))](along, other, waves, rng)
        noise = rng.normal(0, rng.uniform(0, 12), (PATCH, PATCH, 1))
        pattern = first + mix[:, :, None] * (second - first) + noise
        yield pattern.clip(0, 255).astype(np.uint8)


def _gradient(along: Plane, other: Plane, waves: float, rng: np.random.Generator) -> Plane:
    return np.asarray((along - along.min()) / np.ptp(along))


def _stripes(along: Plane, other: Plane, waves: float, rng: np.random.Generator) -> Plane:
    return (np.sin(along * waves * WAVE) > 0).astype(float)


def _checks(along: Plane, other: Plane, waves: float, rng: np.random.Generator) -> Plane:
    return ((np.sin(along * waves * WAVE) > 0) ^ (np.sin(other * waves * WAVE) > 0)).astype(float)


def _clouds(along: Plane, other: Plane, waves: float, rng: np.random.Generator) -> Plane:
    coarse = rng.integers(0, 256, (int(waves) + 3,) * 2, np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((PATCH, PATCH))) / 255


# Each pattern mixes two colours by the place along an angle and across it, 0 to about 1, and the waves from edge to
# edge.
PATTERNS: tuple[Callable[[Plane, Plane, float, np.random.Generator], Plane], ...] = (
    _gradient,
    _stripes,
    _checks,
    _clouds,
)
