"""The Kaggle archive as a source: rows whose `subCategory` is none of the nine are outside, not left to the network."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from services.catalogue.kaggle import ArchiveError, ArchiveImageError, BadRow, KaggleArchive, KaggleRow
from services.catalogue.sources.rows import Attributes, RejectedRow, SourceError, SourceImageError, SourceRow


class KaggleSource:
    """The archive "Fashion Product Images", as a zip or a folder."""

    kind = "Kaggle archive"

    def __init__(self, path: Path) -> None:
        """Open the archive and read its table, which has 44,446 rows at most.

        Raises:
            SourceError: it cannot be read.
        """
        try:
            self._archive = KaggleArchive.open(path)
            self._rows = list(self._archive.rows())
        except ArchiveError as error:
            raise SourceError(str(error)) from None
        self._read = 0

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every line of `styles.csv`."""
        for number, row in enumerate(self._rows, start=1):
            self._read = number
            yield RejectedRow(row.line, row.id, row.reason) if isinstance(row, BadRow) else self._row(row)

    def progress(self) -> tuple[int, int]:
        """Return the rows read and the rows there are."""
        return self._read, len(self._rows)

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
            closed=True,
            attributes=_attributes(row.attributes),
        )


def _attributes(given: dict[str, str]) -> Attributes:
    attributes: Attributes = dict(given)
    year = given.get("year", "")
    if year.isascii() and year.isdigit():
        attributes["year"] = int(year)
    return attributes


def _read(archive: KaggleArchive, product_id: str) -> bytes:
    try:
        return archive.read_image(product_id)
    except ArchiveImageError as error:
        raise SourceImageError(str(error)) from None
