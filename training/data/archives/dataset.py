"""The archive's products of the nine categories, prepared and in memory."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
from training.errors import TrainingError
from training.progress import Terminal

LISTED = 20  # rejected rows with a line each; the others are only counted


@dataclass
class DatasetCounts:
    """How many of the archive's rows are products, skipped (outside the nine categories) or rejected."""

    products: int = 0
    skipped: int = 0
    bad_rows: int = 0
    missing_images: int = 0
    unreadable_images: int = 0
    per_category: Counter[str] = field(default_factory=Counter)

    @property
    def rejected(self) -> int:
        """Rows that cannot be used."""
        return self.bad_rows + self.missing_images + self.unreadable_images

    def facts(self) -> dict[str, int]:
        """Return the counts by name, without those per category."""
        return {
            "products": self.products,
            "skipped": self.skipped,
            "bad_rows": self.bad_rows,
            "missing_images": self.missing_images,
            "unreadable_images": self.unreadable_images,
        }

    def summary(self) -> str:
        """Return the counts as one line."""
        return (
            f"{self.products:,} products of the nine categories, {self.skipped:,} outside them, "
            f"{self.bad_rows:,} bad rows, {self.missing_images:,} missing images, "
            f"{self.unreadable_images:,} unreadable images"
        )


@dataclass(frozen=True)
class Dataset:
    """Products in the order of their ids, which is not the order of the archive's rows.

    Attributes:
        name: of the archive.
        sha256: of the archive, see `archive_sha256`.
        content_sha256: of the products alone, the same for a zip and the folder it unpacks to.
        ids: of the products.
        images: uint8 (n, height, width, 3).
        labels: int64 (n,), positions in CATEGORIES.
        article_types, base_colours: str (n,), empty where the archive has none.
        counts: of the archive's rows.
    """

    name: str
    sha256: str
    content_sha256: str
    ids: tuple[str, ...]
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    article_types: NDArray[np.str_]
    base_colours: NDArray[np.str_]
    counts: DatasetCounts

    def facts(self) -> dict[str, Any]:
        """Return what a manifest records of the data set."""
        hashes = {"sha256": self.sha256, "content_sha256": self.content_sha256}
        return {"name": self.name, "products": len(self.ids)} | hashes


def archive_sha256(path: Path) -> str:
    """Return the SHA-256 of a zip file, or of the relative paths and contents of a folder's files, in order of path."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    for file_path in sorted(p for p in path.rglob("*") if p.is_file()):
        digest.update(f"{file_path.relative_to(path).as_posix()}\0{file_path.stat().st_size}\0".encode())
        digest.update(file_path.read_bytes())
    return digest.hexdigest()


def _usable(archive: KaggleArchive, counts: DatasetCounts, terminal: Terminal) -> Iterator[tuple[KaggleRow, bytes]]:
    """Yield the products of the nine categories with their image files; count and report the other rows."""
    for row in archive.rows():
        if isinstance(row, BadRow):
            counts.bad_rows += 1
            _report(terminal, counts, row.line, row.reason)
        elif row.category is None:
            counts.skipped += 1
        else:
            try:
                yield row, archive.read_image(row.id)
            except ArchiveImageError as error:
                counts.missing_images += 1
                _report(terminal, counts, row.line, str(error))


def _report(terminal: Terminal, counts: DatasetCounts, line: int, reason: str) -> None:
    if counts.rejected <= LISTED:
        terminal.line(f"styles.csv line {line}: {reason}; rejected")
    elif counts.rejected == LISTED + 1:
        terminal.line("more rows are rejected; the counts follow")


def read_dataset(path: Path, size: InputSize, terminal: Terminal) -> Dataset:
    """Read and prepare every product of the nine categories.

    Raises:
        ArchiveError: the path holds no such archive.
        TrainingError: the archive holds no usable product of the nine categories.
    """
    counts = DatasetCounts()
    rows: list[KaggleRow] = []
    images: list[NDArray[np.uint8]] = []
    digests: list[bytes] = []
    with KaggleArchive.open(path) as archive:
        for row, data in terminal.track(_usable(archive, counts, terminal), None, "reading images"):
            try:
                image, _ = prepare_image(data, size)
            except LookalikeError as error:
                counts.unreadable_images += 1
                _report(terminal, counts, row.line, f"image {row.id}: {error.detail}")
                continue
            rows.append(row)
            images.append(image)
            digests.append(_digest(row, data))
            counts.products += 1
            counts.per_category[str(row.category)] += 1
    terminal.line(f"read {counts.summary()}")
    if not rows:
        raise TrainingError(f"{path} has no usable product of the nine categories")
    return _assemble(path, rows, images, digests, counts)


def _digest(row: KaggleRow, image: bytes) -> bytes:
    """Return a hash of the parts of a product that training and evaluation use."""
    facts = (row.id, row.category, row.attributes.get("articleType", ""), row.attributes.get("baseColour", ""))
    return hashlib.sha256("\0".join([*map(str, facts), ""]).encode() + image).digest()


def _assemble(
    path: Path, rows: list[KaggleRow], images: list[NDArray[np.uint8]], digests: list[bytes], counts: DatasetCounts
) -> Dataset:
    order = sorted(range(len(rows)), key=lambda i: (int(rows[i].id), rows[i].id))
    ordered = [rows[i] for i in order]
    return Dataset(
        name=path.resolve().name,
        sha256=archive_sha256(path),
        content_sha256=hashlib.sha256(b"".join(digests[i] for i in order)).hexdigest(),
        ids=tuple(row.id for row in ordered),
        images=np.stack([images[i] for i in order]),
        labels=np.array([CATEGORIES.index(str(row.category)) for row in ordered], np.int64),
        article_types=np.array([row.attributes.get("articleType", "") for row in ordered]),
        base_colours=np.array([row.attributes.get("baseColour", "") for row in ordered]),
        counts=counts,
    )
