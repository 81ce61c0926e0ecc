"""Reads the Kaggle archive "Fashion Product Images": `styles.csv` and `images/<id>.jpg`, as a zip or a folder.

Each physical line is one row, so an unbalanced quote affects only its own row, and every error has a line number.
Training and imports both use this module.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Protocol, Self

# The nine categories are `subCategory` values of the archive; a category's id is its position.
CATEGORIES = ("Topwear", "Shoes", "Bags", "Bottomwear", "Watches", "Innerwear", "Jewellery", "Eyewear", "Socks")
ATTRIBUTES = ("gender", "masterCategory", "subCategory", "articleType", "baseColour", "season", "year", "usage")
TITLE = "productDisplayName"
REQUIRED = ("id", "subCategory", "articleType", "baseColour", TITLE)
TABLE = "styles.csv"
UNKNOWN = ("", "NA")  # the public archive has NA for an unknown value
MAX_IMAGE_BYTES = 32 * 1024 * 1024
MAX_LINE_BYTES = 64 * 1024
SEARCH_DEPTH = 3  # Kaggle's zip has the data twice, the second time in a folder
# The exceptions of zipfile for damaged, encrypted or unsupported members.
MEMBER_ERRORS = (OSError, EOFError, RuntimeError, NotImplementedError, ValueError, zipfile.BadZipFile, zlib.error)


class ArchiveError(Exception):
    """The archive cannot be read. The text is a sentence for the user."""


class ArchiveImageError(ArchiveError):
    """The image of a product is missing or cannot be read. The text says which and why."""


@dataclass(frozen=True, slots=True)
class KaggleRow:
    """A product. `category` is one of `CATEGORIES`, or None for other subcategories."""

    line: int
    id: str
    category: str | None
    attributes: dict[str, str] = field(hash=False)
    title: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line of `styles.csv` that is not a product: its number (the header is 1), the reason and the id, if known."""

    line: int
    reason: str
    id: str | None = None


class _Files(Protocol):
    def names(self) -> list[str]:
        """Return the paths of all `styles.csv` files."""

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading; raises KeyError or FileNotFoundError if it is missing."""

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""

    def close(self) -> None:
        """Close the archive."""


class _Zip:
    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            raise ArchiveError(f"{path} is not a zip archive: give Kaggle's zip or its extracted folder") from None
        except OSError as error:
            raise ArchiveError(f"{path} cannot be read: {error.strerror or error}") from None

    def names(self) -> list[str]:
        return [name for name in self._zip.namelist() if name.rpartition("/")[2] == TABLE]

    def open(self, name: str) -> IO[bytes]:
        return self._zip.open(name)

    def size(self, name: str) -> int:
        return self._zip.getinfo(name).file_size

    def close(self) -> None:
        self._zip.close()


class _Folder:
    def __init__(self, path: Path) -> None:
        self._root = path

    def names(self) -> list[str]:
        patterns = ("/".join(["*"] * depth + [TABLE]) for depth in range(SEARCH_DEPTH))
        return [path.relative_to(self._root).as_posix() for pattern in patterns for path in self._root.glob(pattern)]

    def open(self, name: str) -> IO[bytes]:
        return (self._root / name).open("rb")

    def size(self, name: str) -> int:
        return (self._root / name).stat().st_size

    def close(self) -> None:
        pass


class KaggleArchive:
    """An open archive. `read_image` is thread-safe."""

    def __init__(self, path: Path, files: _Files, table: str) -> None:
        self.path = path
        self._files = files
        self._table = table
        self._images = str(PurePosixPath(table).parent / "images")

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a zip or an extracted folder. The data may be in a subfolder, up to two levels deep.

        Raises:
            ArchiveError: the path does not exist, is not a zip, or has no `styles.csv`.
        """
        if not path.exists():
            raise ArchiveError(f"there is no data set at {path}: give the path of Kaggle's zip or of its folder")
        files: _Files = _Folder(path) if path.is_dir() else _Zip(path)
        tables = sorted(files.names(), key=lambda name: (name.count("/"), name))
        if not tables:
            files.close()
            raise ArchiveError(f"{path} has no {TABLE}: it is not the archive Fashion Product Images")
        return cls(path, files, tables[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._files.close()

    def rows(self) -> Iterator[KaggleRow | BadRow]:
        """Yield every line after the header in order, as a product or as a bad row. Blank lines are skipped.

        Raises:
            ArchiveError: `styles.csv` is damaged, or a required column is missing.
        """
        try:
            with self._files.open(self._table) as table:
                yield from _parse(table, self.path)
        except MEMBER_ERRORS as error:
            raise ArchiveError(f"{TABLE} in {self.path} is damaged: {error}") from None

    def count_lines(self) -> int:
        """Return the number of lines of `styles.csv`, for progress; much faster than reading the rows.

        Raises:
            ArchiveError: `styles.csv` is damaged.
        """
        try:
            with self._files.open(self._table) as table:
                return sum(block.count(b"\n") for block in iter(lambda: table.read(1 << 20), b""))
        except MEMBER_ERRORS as error:
            raise ArchiveError(f"{TABLE} in {self.path} is damaged: {error}") from None

    def read_image(self, product_id: str) -> bytes:
        """Return the bytes of a product's image file.

        Raises:
            ArchiveImageError: the file is missing, damaged or too large.
        """
        name = f"{self._images.removeprefix('./')}/{product_id}.jpg"
        try:
            size = self._files.size(name)
            if size > MAX_IMAGE_BYTES:
                raise ArchiveImageError(f"{name} has {size:,} bytes: at most {MAX_IMAGE_BYTES:,} are accepted")
            with self._files.open(name) as image:
                return image.read()
        except (KeyError, FileNotFoundError):
            raise ArchiveImageError(f"the archive has no {name}") from None
        except MEMBER_ERRORS as error:
            raise ArchiveImageError(f"{name} is damaged in the archive: {error}") from None


def _lines(table: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    buffered = io.BufferedReader(table, 1 << 16)  # type: ignore[type-var]  # both zipfile and open() support this
    number = 0
    while line := buffered.readline(MAX_LINE_BYTES):
        number += 1
        while not line.endswith(b"\n") and (more := buffered.readline(MAX_LINE_BYTES)):
            line = line[:MAX_LINE_BYTES] + more[-1:]  # the content of an overlong line is dropped; its row is rejected
        yield number, line


def _split(line: bytes) -> list[str]:
    """Return the fields of a line.

    Raises:
        ValueError: the line is not UTF-8, too long, or not CSV.
    """
    if len(line) > MAX_LINE_BYTES:
        raise ValueError(f"the line is longer than {MAX_LINE_BYTES:,} bytes")
    try:
        return next(csv.reader([line.decode("utf-8").rstrip("\r\n")]), [])
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start + 1} of the line") from None
    except csv.Error as error:
        raise ValueError(f"not CSV: {error}") from None


def _header(line: bytes, path: Path) -> list[str]:
    try:
        columns = [name.strip() for name in _split(line.removeprefix(b"\xef\xbb\xbf"))]
    except ValueError as error:
        raise ArchiveError(f"the header of {TABLE} in {path} cannot be read: {error}") from None
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        raise ArchiveError(f"{TABLE} in {path} has no column {missing[0]}: its first line must have the column names")
    return columns


def _parse(table: IO[bytes], path: Path) -> Iterator[KaggleRow | BadRow]:
    lines = _lines(table)
    columns = _header(next(lines, (1, b""))[1], path)
    first_lines: dict[str, int] = {}
    for number, line in lines:
        if not line.strip():
            continue
        try:
            row = _row(number, _split(line), columns)
        except ValueError as error:
            row = BadRow(number, str(error))
        if isinstance(row, KaggleRow):
            first = first_lines.setdefault(row.id, number)
            if first != number:
                row = BadRow(number, f"the id {row.id} is already on line {first}", row.id)
        yield row


def _row(number: int, fields: list[str], columns: list[str]) -> KaggleRow | BadRow:
    if len(fields) < len(columns):
        return BadRow(number, f"the row has {len(fields)} fields instead of {len(columns)}", _id(fields[0]))
    if len(fields) > len(columns):
        if columns[-1] != TITLE:
            return BadRow(number, f"the row has {len(fields)} fields instead of {len(columns)}", _id(fields[0]))
        last = len(columns) - 1  # display names have unquoted commas: the excess fields belong to the name
        fields = [*fields[:last], ",".join(fields[last:])]
    values = {name: value.strip() for name, value in zip(columns, fields, strict=True)}
    if _id(values["id"]) is None:
        return BadRow(number, f"the id {values['id'][:40]!r} is not a number")
    attributes = {name: values[name] for name in ATTRIBUTES if values.get(name, "") not in UNKNOWN}
    kind = attributes.get("subCategory")
    return KaggleRow(number, values["id"], kind if kind in CATEGORIES else None, attributes, values[TITLE])


def _id(text: str) -> str | None:
    text = text.strip()
    return text if text.isascii() and text.isdigit() and len(text) <= 20 else None
