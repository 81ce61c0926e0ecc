"""The rows of a source: products, and rejected rows with the reason."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.catalogue.product import MAX_KEY_LENGTH
from services.contracts.domain.filtering.filters import AttributeValue

Attributes = dict[str, AttributeValue | list[AttributeValue]]
Loader = Callable[[], bytes]
MAX_QUOTED = 60  # characters of a value in an error


class SourceError(Exception):
    """The source cannot be read. The text is a sentence for the user."""


class SourceImageError(Exception):
    """The image file of a product is missing or cannot be read. The text says which and why."""


class RowError(ValueError):
    """A row is not a product. The text says why."""


@dataclass(frozen=True, slots=True)
class RowImage:
    """An additional image of a product.

    Attributes:
        name: its URL, or its path in the source.
        load: reads the file (raises SourceImageError); None for a URL.
    """

    name: str
    load: Loader | None = None


@dataclass(frozen=True, slots=True)
class ValueProblem:
    """A value of a product that is not understood. The product is imported; `reason` says what becomes of the value."""

    column: str
    value: Any
    reason: str

    def __str__(self) -> str:
        """Return the problem as a sentence with the column and the value."""
        text = repr(self.value)
        return f"{self.column} {text if len(text) <= MAX_QUOTED else text[:MAX_QUOTED] + '…'} {self.reason}"


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A product of the source.

    Attributes:
        key: the product's id.
        image: the main image: a function that reads its file (raises SourceImageError), or its URL.
        line: the first line of the product in the feed, from 1; None if the source has no lines.
        title, url, image_url: shown in results.
        category_words: the source's own category names, the most specific first.
        category_required: whether the row is skipped if no word names a category. If false, the network decides.
        attributes: the attributes for filters.
        group: what the variants of a style share.
        left_out: the names of fields that cannot be attributes: nested, or too long.
        images: the additional images without duplicates, at most MAX_IMAGES - 1.
        problems: the values that are not understood.
        hidden: whether the shop does not show the product; such a row has only its key.
    """

    key: str
    image: Loader | str
    line: int | None = None
    title: str | None = None
    url: str | None = None
    image_url: str | None = None
    category_words: tuple[str, ...] = ()
    category_required: bool = False
    attributes: Attributes = field(default_factory=dict)
    group: str | None = None
    left_out: tuple[str, ...] = ()
    images: tuple[RowImage, ...] = ()
    problems: tuple[ValueProblem, ...] = ()
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that is not a product: its line, its id if it is known, and the reason.

    If `image` is set, only the additional image of this name is rejected; if `column` is set, the row is imported, but
    the value of this column is not understood.
    """

    line: int | None
    key: str | None
    reason: str
    image: str | None = None
    column: str | None = None


def value_rows(row: SourceRow) -> list[RejectedRow]:
    """Return the values of a row that are not understood, for the file of rejected rows."""
    return [RejectedRow(row.line, row.key, str(problem), column=problem.column) for problem in row.problems]


def hidden_row(key: str, line: int | None) -> SourceRow:
    """Return the row of a product that the shop does not show: the import leaves it out and counts it."""
    return SourceRow(key=key, image="", line=line, category_required=True, hidden=True)


class Source(Protocol):
    """A catalogue to import. Rows are streamed, so memory does not grow with the source."""

    @property
    def kind(self) -> str:
        """The name of the format."""

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every row in order, without duplicate keys.

        Raises:
            SourceError: the source cannot be read to its end.
        """

    def progress(self) -> tuple[int, int]:
        """Return the amount read and the total in the same unit; a total of 0 is unknown."""

    def close(self) -> None:
        """Close the files."""


def notes_of(source: object) -> tuple[str, ...]:
    """Return the oddities of a source that did no harm, as sentences; only some readers have such notes."""
    return tuple(getattr(source, "notes", ()))


def checked_key(text: str) -> str:
    """Return a product's id without surrounding whitespace.

    Raises:
        RowError: it is empty, too long, a step in a path, or has characters that cannot be printed.
    """
    key = text.strip()
    if not key:
        raise RowError("the id is missing")
    if len(key) > MAX_KEY_LENGTH:
        raise RowError(f"the id has {len(key)} characters: at most {MAX_KEY_LENGTH} are accepted")
    if key in (".", ".."):
        raise RowError(f"the id cannot be {key!r}: browsers and proxies remove it from addresses")
    if not key.isprintable():
        raise RowError("the id has characters that cannot be printed")
    return key
