"""The record of a feed → a row: its fields, its attributes, and the errors of invalid ones."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.catalogue.product import MAX_GROUP_LENGTH
from services.catalogue.sources.records.attributes import MAX_TEXT, AttributeReader
from services.catalogue.sources.records.images import (
    WEB,
    image_loader,
    image_name,
    listed_images,
    page_address,
    row_images,
    web_address,
    with_base,
)
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import Loader, RowError, SourceRow, checked_key, hidden_row
from services.catalogue.sources.records.text import clean_record
from services.catalogue.sources.records.visibility import is_visible

FIELDS = ("id", "title", "url", "image", "image_url", "category", "images", "group")
FIELD_NAMES = frozenset(FIELDS)
ALIASES = {"image_urls": "images"} | {
    f"{name}.{part}": "images" for name in ("image", "images") for part in ("url", "src")
}
IMAGES = ("image", "image_url", "images")
INDEX = re.compile(r"\[\d+\]")  # in a list: `images[0]`
ADDRESS = r"(?:_(?:url|link|src))?"
NUMBERED_IMAGE = re.compile(rf"(?:additional_)?(?:image|picture|photo|bild|img){ADDRESS}_?\d{{1,2}}{ADDRESS}")
GROUP_ID = "item_group_id"  # also an attribute
MAX_TITLE = 1000
MAX_NAME = 128
MAX_KNOWN = 4096  # a feed has the same names in every row


class RowBuilder:
    """Turns the records of a feed into rows."""

    def __init__(self, mapping: FeedMapping, images_root: Path) -> None:
        """Create the builder of a feed.

        Args:
            mapping: the names of the feed's columns.
            images_root: the folder of image paths, which must not lead out of it.
        """
        self._columns = dict(mapping.columns)
        self._names: dict[str, str | None] = {}
        self._ignored = frozenset(mapping.ignore)
        self._root = images_root.resolve()
        self._image_base = mapping.image_base_url
        self._attributes = AttributeReader(mapping)

    def name(self, column: str) -> str | None:
        """Return the field or attribute of a column, or None if it is ignored."""
        if column in self._names:
            return self._names[column]
        name = self._name(column)
        if len(column) <= MAX_NAME and len(self._names) < MAX_KNOWN:
            self._names[column] = name
        return name

    def is_mapped(self, column: str) -> bool:
        """Return whether the mapping names or ignores a column."""
        return column in self._columns or column in self._ignored

    def _name(self, column: str) -> str | None:
        if column in self._ignored:
            return None
        return self._columns[column] if column in self._columns else _own_name(column)

    def row(self, line: int, record: Mapping[str, Any], extra_words: tuple[str, ...] = ()) -> SourceRow:
        """Return the product of a record, or a row that the import skips if the shop does not show it.

        Args:
            line: the record's first line.
            record: the record by the names that `name` returns.
            extra_words: category names that are less specific than the field `category`.

        Raises:
            RowError: the record is not a product.
        """
        clean = clean_record(record)
        if self._image_base is not None:
            clean |= {name: with_base(clean[name], self._image_base) for name in IMAGES if clean.get(name)}
        return self._row(line, clean, extra_words)

    def _row(self, line: int, record: Mapping[str, Any], extra_words: tuple[str, ...]) -> SourceRow:
        """Return the row of a record with clean text."""
        key = _key(record.get("id"))
        if not is_visible(record):
            return hidden_row(key, line)
        read = self._attributes.read([item for item in record.items() if item[0] not in FIELD_NAMES])
        attributes = read.attributes
        image, image_url, others = _main_image(record)
        images, too_many = row_images(others, self._root, (image, image_url))
        group, is_no_group = _group(record)
        category = _text(record.get("category"), "category")
        if category is not None and len(category) <= MAX_TEXT:
            attributes["category"] = category  # the shop's category, which need not be one of the model's
        return SourceRow(
            key=key,
            image=self._image(image, image_url),
            line=line,
            title=(_text(record.get("title"), "title") or "")[:MAX_TITLE] or None,
            url=_page_address(record.get("url")),
            image_url=image_url or (image if image is not None and WEB.match(image) else None),
            category_words=((category,) if category else ()) + extra_words,
            attributes=attributes,
            group=group,
            left_out=(*read.left_out, *(("images",) if too_many else ()), *(("group",) if is_no_group else ())),
            images=images,
            problems=tuple(read.problems),
        )

    def _image(self, image: str | None, image_url: str | None) -> Loader | str:
        if image is None:
            if image_url is None:
                raise RowError("there is no image: neither a path nor a URL")
            return image_url
        if WEB.match(image):
            return image
        if "\0" in image:
            raise RowError("the image's path has a NUL character")
        return image_loader(image, self._root)


def _own_name(column: str) -> str | None:
    """Return the field or attribute of a column that no mapping names."""
    column = INDEX.sub("", column)
    folded = re.sub(r"[\s_-]+", "_", column.strip().casefold())
    folded = "images" if NUMBERED_IMAGE.fullmatch(folded) else ALIASES.get(folded, folded)
    if folded in FIELDS:
        return folded
    # Dots and a leading dollar sign have a special meaning in the database.
    return column.strip().replace(".", "_").replace("\0", "_").lstrip("$")[:MAX_NAME] or None


def key_of(record: Mapping[str, Any]) -> str | None:
    """Return the id of a record for an error, or None if it has no valid one."""
    try:
        return _key(record.get("id"))
    except RowError:
        return None


def _key(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or value == "":
        raise RowError("the id is missing")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RowError("the id is neither text nor a whole number")
    return checked_key(str(value))


def _text(value: Any, name: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RowError(f"{name} is neither text nor a number")
    return str(value).strip() or None


def _group(record: Mapping[str, Any]) -> tuple[str | None, bool]:
    """Return the group of a record, by default its `item_group_id`, and whether the value cannot be a group."""
    value = next((record[name] for name in ("group", GROUP_ID) if record.get(name) not in (None, "", [])), None)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None:
        return None, False
    text = "" if isinstance(value, bool) or not isinstance(value, str | int) else str(value).strip()
    return (text, False) if 0 < len(text) <= MAX_GROUP_LENGTH else (None, True)


def _web_address(value: Any, name: str) -> str | None:
    text = _text(value, name)
    return None if text is None else web_address(text, name)


def _main_image(record: Mapping[str, Any]) -> tuple[str | None, str | None, list[Any]]:
    """Return `image`, `image_url` and the additional images. Without the former, the first image is the main one."""
    image, image_url = _text(record.get("image"), "image"), _web_address(record.get("image_url"), "image_url")
    others = listed_images(record.get("images"))
    if image is None and image_url is None and others:
        image, others = image_name(others[0]), others[1:]
    if image is not None and WEB.match(image):
        image = web_address(image, "image")
    return image, image_url, others


def _page_address(value: Any) -> str | None:
    text = _text(value, "url")
    return None if text is None else page_address(text, "url")
