"""What every source gives: rows that are products, and rows that are not, with the reason."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from services.catalogue.product import MAX_KEY_LENGTH
from services.contracts.domain.filters import AttributeValue

Attributes = dict[str, AttributeValue | list[AttributeValue]]
Loader = Callable[[], bytes]


class SourceError(Exception):
    """The source cannot be read at all. The text is one sentence for the person who gave it."""


class SourceImageError(Exception):
    """One product's image file is missing or cannot be read. The text says which and why."""


class RowError(ValueError):
    """A row is no product. The text says why."""


@dataclass(frozen=True, slots=True)
class RowImage:
    """An image of a product beside its main one.

    Attributes:
        name: its URL, or its path as the source has it.
        load: reads the file (raises SourceImageError); None where it is a URL.
    """

    name: str
    load: Loader | None = None


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One product as the source describes it.

    Attributes:
        key: the product's id.
        image: how to get at the image's bytes: a loader of a file (raises SourceImageError), or a URL.
        line: the line of the feed it begins on, from 1; None where the source has no lines.
        title, url, image_url: what a result shows.
        category_words: what the source says of the category, the most telling first; they need not be ours.
        closed: whether a row whose words name no category is outside the catalogue; otherwise the network decides.
        attributes: what a search can filter by.
        left_out: names of fields that are no attributes: nested, or too long.
        images: its images beside the main one, each once, at most as many as a product may have.
    """

    key: str
    image: Loader | str
    line: int | None = None
    title: str | None = None
    url: str | None = None
    image_url: str | None = None
    category_words: tuple[str, ...] = ()
    closed: bool = False
    attributes: Attributes = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    images: tuple[RowImage, ...] = ()


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that is no product: its line, its id where that can be told, and why.

    With `image`, its name, it is only that one of the further images that cannot be had.
    """

    line: int | None
    key: str | None
    reason: str
    image: str | None = None


class Source(Protocol):
    """A catalogue to import. Rows stream: memory does not grow with the source."""

    @property
    def kind(self) -> str:
        """What it is, for people."""

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every row, in order; no key twice.

        Raises:
            SourceError: the source breaks off.
        """

    def progress(self) -> tuple[int, int]:
        """Return how much has been read and how much there is, in the source's own unit; (n, 0) when that is unknown."""

    def close(self) -> None:
        """Let go of what is open."""


def checked_key(text: str) -> str:
    """Return a product's id as it can be stored.

    Raises:
        RowError: it is empty, too long, or holds characters that cannot be printed.
    """
    key = text.strip()
    if not key:
        raise RowError("the id is missing")
    if len(key) > MAX_KEY_LENGTH:
        raise RowError(f"the id has {len(key)} characters: at most {MAX_KEY_LENGTH} are taken")
    if not key.isprintable():
        raise RowError("the id holds characters that cannot be printed")
    return key
