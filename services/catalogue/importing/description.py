"""A row's category, if the source gives one, and its description, before any image is read."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import orjson

from services.catalogue.product import Attributes
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import SourceRow


@dataclass(frozen=True, slots=True)
class Placement:
    """A row's category by the source's own words; `category` is None if the network decides."""

    category: int | None
    source: Literal["feed", "mapping", "network"]


class UnknownTarget(ValueError):
    """A mapping has a category that the model does not have. The text says which."""


class Placer:
    """Finds a row's category among the model's."""

    def __init__(self, categories: Sequence[str], mapping: FeedMapping) -> None:
        """Set both.

        Args:
            categories: the model's categories; a category's id is its position.
            mapping: the feed's words in the model's terms.

        Raises:
            UnknownTarget: the mapping has another category.
        """
        self.categories = tuple(categories)
        self._ours = {name.casefold(): number for number, name in enumerate(categories)}
        self._mapping = mapping.categories
        for word, target in self._mapping.items():
            if target is not None and target.strip().casefold() not in self._ours:
                names = ", ".join(categories)
                raise UnknownTarget(
                    f"the mapping has {target!r} for {word!r}, which is not a category: use one of {names}"
                )

    def place(self, row: SourceRow) -> Placement | None:
        """Return a row's category, or None for a row outside the categories. The mapping comes before the names."""
        for word in row.category_words:
            folded = word.strip().casefold()
            if folded in self._mapping:
                target = self._mapping[folded]
                return None if target is None else Placement(self._ours[target.strip().casefold()], "mapping")
            if folded in self._ours:
                return Placement(self._ours[folded], "feed")
        return None if row.category_required else Placement(None, "network")


@dataclass(frozen=True, slots=True)
class Described:
    """A row that is to become a product, without its images.

    `feed_sha256` changes when anything in the description changes.
    """

    row: SourceRow
    placement: Placement
    url: str | None
    attributes: Attributes
    feed_sha256: str

    @property
    def stores_image(self) -> bool:
        """Whether the catalogue has to store the main picture: it comes from a file, and has no URL."""
        return not isinstance(self.row.image, str) and self.row.image_url is None


def describe(row: SourceRow, placement: Placement, url_template: str | None = None) -> Described:
    """Return the description of a row.

    Args:
        row: the row.
        placement: its category by the source's words.
        url_template: a product page's address with `{id}` in it, for rows that have none.
    """
    url = row.url
    if url is None and url_template is not None:
        url = url_template.replace("{id}", quote(row.key, safe=""))
    facts: list[Any] = [row.title, url, row.image_url, placement.category, placement.source, row.attributes]
    if row.images:  # without any, the hash is that of earlier versions
        facts.append([image.name for image in row.images])
    if row.group is not None:
        facts.append({"group": row.group})
    digest = hashlib.sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return Described(row, placement, url, row.attributes, digest)
