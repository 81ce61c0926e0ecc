"""Folders of images: each image is a product with its path as the id and its folders as category names."""

import os
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from services.catalogue.sources.records.images import read_image
from services.catalogue.sources.records.key_registry import KeyRegistry
from services.catalogue.sources.records.rows import RejectedRow, RowError, SourceError, SourceRow, checked_key

SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".bmp", ".avif", ".heic", ".heif", ".hif"})
IGNORED = frozenset({"__macosx", "thumbs.db", "desktop.ini"})


class ImageFolder:
    """The images in a folder and its subfolders. Links out of the folder are not followed."""

    kind = "folder of images"

    def __init__(self, path: Path) -> None:
        """Count the images of the folder.

        Raises:
            SourceError: it cannot be read.
        """
        self._root = path.resolve()
        self._read = 0
        self._total = sum(1 for _ in _files(self._root))
        if not self._total:
            raise SourceError(f"there is no image in {path}: the accepted suffixes are {', '.join(sorted(SUFFIXES))}")
        self._keys = KeyRegistry()
        self.skipped: Counter[str] = Counter()

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every image, ordered by path."""
        for number, file in enumerate(_files(self._root, self.skipped), start=1):
            self._read = number
            yield self._row(number, file)

    def progress(self) -> tuple[int, int]:
        """Return the images read and their number."""
        return self._read, self._total

    def close(self) -> None:
        """Remove the registered keys."""
        self._keys.close()

    def _row(self, number: int, file: PurePosixPath) -> SourceRow | RejectedRow:
        path = str(file)
        try:
            path.encode("utf-8")
            key = checked_key(str(file.with_suffix("")))
        except UnicodeEncodeError:
            return RejectedRow(None, None, f"the name {os.fsencode(path)!r} is not UTF-8")
        except RowError as error:
            return RejectedRow(None, None, f"{path}: {error}")
        if self._keys.first(key, number) != number:
            return RejectedRow(None, key, f"{path}: another image has the same path with another suffix")
        return SourceRow(
            key=key,
            image=partial(read_image, self._root, path),
            title=file.stem.replace("_", " ").strip() or None,
            category_words=tuple(reversed(file.parts[:-1])),
        )


def _files(root: Path, skipped: Counter[str] | None = None) -> Iterator[PurePosixPath]:
    """Yield the paths of images relative to the folder, sorted; count other files in `skipped` by suffix."""

    def unreadable(error: OSError) -> None:
        raise SourceError(f"{error.filename} cannot be read: {error.strerror}")

    for folder, folders, files in os.walk(root, onerror=unreadable):
        folders[:] = sorted(name for name in folders if _is_wanted(name))
        here = PurePosixPath(Path(folder).relative_to(root).as_posix())
        for name in sorted(filter(_is_wanted, files)):
            suffix = PurePosixPath(name).suffix.lower()
            if suffix in SUFFIXES:
                yield here / name
            elif skipped is not None:
                skipped[suffix or name] += 1


def _is_wanted(name: str) -> bool:
    return not name.startswith(".") and name.casefold() not in IGNORED
