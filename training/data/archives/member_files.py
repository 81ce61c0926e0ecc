"""The table and the pictures of a data set, zipped or unpacked."""

import csv
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from services.catalogue.sources.formats.kaggle_archive import MEMBER_ERRORS
from services.contracts.domain.errors import LookalikeError
from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import prepare_image
from training.errors import TrainingError


class MemberFiles:
    """An open data set. Paths are relative to its root."""

    def __init__(self, root: Path | zipfile.Path) -> None:
        self._root = root

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None if it is missing, damaged, or outside the data set."""
        path = PurePosixPath(name)
        if not name or path.is_absolute() or ".." in path.parts:
            return None
        try:
            return (self._root / path.as_posix()).read_bytes()
        except (KeyError, *MEMBER_ERRORS):
            return None

    def image(self, name: str, size: InputSize) -> NDArray[np.uint8] | None:
        """Return a picture as the network's input, or None if it is missing or cannot be read."""
        try:
            return prepare_image(self.read(name) or b"", size)[0]
        except LookalikeError:
            return None

    def rows(self, table: str, columns: frozenset[str]) -> list[dict[str, str]]:
        """Return the rows of a CSV table, an empty text for a missing value.

        Raises:
            TrainingError: the table is missing, or lacks one of the columns.
        """
        data = self.read(table)
        if data is None:
            raise TrainingError(f"{self._name} has no {table}: it is another archive")
        reader = csv.DictReader(io.StringIO(data.decode("utf-8", "replace")))
        missing = columns - set(reader.fieldnames or ())
        if missing:
            raise TrainingError(f"{table} in {self._name} has no column {', '.join(sorted(missing))}")
        return [{name: value or "" for name, value in row.items() if isinstance(name, str)} for row in reader]

    def pictures(self, folder: str) -> Iterator[str]:
        """Yield the names of the files in a folder, without the folder."""
        root = self._root / folder
        if root.is_dir():
            yield from (entry.name for entry in root.iterdir() if entry.is_file())

    @property
    def _name(self) -> str:
        root = self._root
        return str(root.root.filename) if isinstance(root, zipfile.Path) else str(root)


@contextmanager
def member_files(path: Path, missing: str = "there is no archive") -> Iterator[MemberFiles]:
    """Open a data set, a zip or a folder.

    Args:
        path: of the zip or the folder.
        missing: the beginning of the error's sentence if there is nothing at the path.

    Raises:
        TrainingError: the path does not exist, or is no zip archive.
    """
    if path.is_dir():
        yield MemberFiles(path)
        return
    if not path.exists():
        raise TrainingError(f"{missing} at {path}: use the path of the zip or of its folder")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError):
        raise TrainingError(f"{path} is not a zip archive") from None
    with archive:
        yield MemberFiles(zipfile.Path(archive))
