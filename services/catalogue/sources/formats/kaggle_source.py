"""The Kaggle archive as a source: rows whose `subCategory` is not one of the nine categories are skipped."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from services.catalogue.sources.formats.kaggle_archive import (
    ArchiveError,
    ArchiveImageError,
    BadRow,
    KaggleArchive,
    KaggleRow,
)
from services.catalogue.sources.records.rows import Attributes, RejectedRow, SourceError, SourceImageError, SourceRow


class KaggleSource:
    """The archive "Fashion Product Images", as a zip or a folder."""

    kind = "Kaggle archive"

    def __init__(self, path: Path) -> None:
        """Open the archive.

        Raises:
            SourceError: it cannot be read.
        """
        try:
            self._archive = KaggleArchive.open(path)
            self._lines = self._archive.count_lines()
        except ArchiveError as error:
            raise SourceError(str(error)) from None
        self._read = 0

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every line of `styles.csv` after its header.

        Raises:
            SourceError: the archive is damaged, or its table lacks a column.
        """
        try:
            for row in self._archive.rows():
                self._read = row.line
                yield RejectedRow(row.line, row.id, row.reason) if isinstance(row, BadRow) else self._row(row)
        except ArchiveError as error:
            raise SourceError(str(error)) from None

    def progress(self) -> tuple[int, int]:
        """Return the lines read and their number."""
        return self._read, max(self._read, self._lines)

    def close(self) -> None:
        """Close the archive."""
        self._archive.close()

    def _row(self, row: KaggleRow) -> SourceRow:
        return SourceRow(
            key=row.id,
            image=partial(_read, self._archive, row.id),
            line=row.line,
            title=row.title or None,
            category_words=(row.attributes.get("subCategory", ""),),
            category_required=True,
            attributes=_attributes(row.attributes),
        )


def _attributes(values: dict[str, str]) -> Attributes:
    attributes: Attributes = dict(values)
    year = values.get("year", "")
    if year.isascii() and year.isdigit():
        attributes["year"] = int(year)
    return attributes


def _read(archive: KaggleArchive, product_id: str) -> bytes:
    try:
        return archive.read_image(product_id)
    except ArchiveImageError as error:
        raise SourceImageError(str(error)) from None
