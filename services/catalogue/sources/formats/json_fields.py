"""The document of a product in JSON → a record: shapes of shops' APIs, schema.org, and MongoDB's extended JSON."""

import re
from collections.abc import Iterator
from functools import lru_cache
from types import NoneType
from typing import Any

import orjson

from services.catalogue.sources.formats.json_prices import take_prices
from services.catalogue.sources.formats.json_values import UNREADABLE, plain
from services.catalogue.sources.records.fields import RowBuilder
from services.catalogue.sources.records.images import image_name, listed_images
from services.catalogue.sources.records.other_names import folded, is_kept, other_names
from services.catalogue.sources.records.rows import MAX_QUOTED, RejectedRow, RowError

# Text in quotes, or a number that JSON does not have.
NOT_A_NUMBER = re.compile(r'("(?:[^"\\]|\\.)*")|-?\b(?:NaN|Infinity)\b')
FIRST_ID = re.compile(r'\s*\{\s*"id"\s*:\s*(?:"((?:[^"\\]|\\.)*)"|(-?\d+))\s*[,}]')
MORE_IMAGES = frozenset(
    {"additionalimagelink", "additionalimages", "gallery", "galleryimages", "photos", "pictures", "mediagalleryentries"}
    | {"media", "thumbnail", "thumbnailurl"}
)
WRAPPERS = ("node", "item", "product")
PAIRS = ("attributes", "custom_attributes", "customAttributes")
PAIR_NAMES = ("name", "attribute_code", "code")
PAIR_VALUES = ("value", "options", "values", "option")
SCALARS = (str, int, float, bool, NoneType)
SHOPIFY_ID = "gid://shopify/"
METADATA = frozenset({"@context", "@type"})


def parsed(text: str | bytes) -> dict[str, Any]:
    """Return the document of a product. Its numbers that JSON does not have, as NaN, are UNREADABLE.

    Raises:
        RowError: it is not JSON, or not an object.
    """
    try:
        document = _loads(text)
    except orjson.JSONDecodeError as error:
        raise RowError(f"not JSON: {error.msg} at column {error.colno}") from None
    if not isinstance(document, dict):
        raise RowError("the line is not a JSON object")
    return document


def _loads(text: str | bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        decoded = text if isinstance(text, str) else text.decode("utf-8", "replace")
        clean = NOT_A_NUMBER.sub(lambda match: match[1] or "{}", decoded)
        if clean == decoded:
            raise
        return orjson.loads(clean)


def no_object(line: int, data: bytes) -> RejectedRow:
    """Return the rejected row for an entry of a list of products that is not an object."""
    text = data[:MAX_QUOTED].decode("utf-8", "replace")
    shown = text if len(data) <= MAX_QUOTED else f"{text}…"
    return RejectedRow(line, None, f"the entry {shown} is not a JSON object")


def id_at_start(text: str) -> str | None:
    """Return the id of an object that is not JSON, if it is its first field."""
    match = FIRST_ID.match(text)
    value = match and (match[1] or match[2])
    return value if value and "\\" not in value and "\ufffd" not in value else None


def record_of(document: dict[str, Any], builder: RowBuilder) -> dict[str, Any]:
    """Return the record of a product: its fields under the builder's names, in the form that the builder reads.

    Raises:
        RowError: two fields have one name.
    """
    record: dict[str, Any] = {}
    for field, value in _flat(_unwrapped(document)):
        name = builder.name(field)
        if name is None:
            continue
        if name == "images":
            record[name] = record.get(name, []) + listed_images(value)
            continue
        if name in record:
            raise RowError(f"two fields are {name!r}: rename one, or map or ignore it with --mapping")
        record[name] = value if type(value) in SCALARS else plain(value)
    for name in METADATA & record.keys():
        record[name] = UNREADABLE
    _of_shops(record)
    _substitute(record)
    if "categories" in record:
        _categories(record)
    _images(record)
    take_prices(record)
    return record


def _unwrapped(document: dict[str, Any]) -> dict[str, Any]:
    """Return the product of a list's entry, as in GraphQL's `{"node": {…}}`."""
    inner = next((document[name] for name in WRAPPERS if isinstance(document.get(name), dict)), None)
    return inner if inner is not None and not {"id", "image", "images", "title"} & document.keys() else document


def _flat(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the fields, with those of `attributes` on the same level: an object, or a list of names and values."""
    lists = [name for name in PAIRS if isinstance(document.get(name), dict) or _are_pairs(document.get(name))]
    if not lists:
        yield from document.items()
        return
    for name, value in document.items():
        if name not in lists:
            yield name, value
        elif isinstance(value, dict):
            yield from value.items()
        else:
            pairs = ((_pair(pair, PAIR_NAMES), _pair(pair, PAIR_VALUES)) for pair in value)
            yield from ((str(key), content) for key, content in pairs if name == PAIRS[0] or key not in document)


def _are_pairs(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, dict) and not pair.keys().isdisjoint(PAIR_NAMES) and not pair.keys().isdisjoint(PAIR_VALUES)
        for pair in value
    )


def _pair(pair: dict[str, Any], names: tuple[str, ...]) -> Any:
    """Return the name or the value of an attribute; WooCommerce's API has a list of options."""
    value = next(pair[name] for name in names if name in pair)
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _of_shops(record: dict[str, Any]) -> None:
    """Give values of shops' APIs the meaning that they have there."""
    if record.get("visibility") == 1 and "type_id" in record:
        record["visibility"] = False  # Magento: not visible individually
    if str(record.get("id")).startswith(SHOPIFY_ID) and record.get("handle"):
        record["id"] = record["handle"]  # as in Shopify's other exports


def _substitute(record: dict[str, Any]) -> None:
    for field, names in other_names(tuple(record)):
        name = next((name for name in names if record.get(name) not in (None, "")), None)
        is_image = field == "image" and any(record.get(other) for other in ("image_url", "images"))
        if name is not None and record.get(field) in (None, "") and not is_image:
            record[field] = record[name] if is_kept(name) else record.pop(name)
    if "_id" in record:
        record["_id"] = UNREADABLE  # MongoDB's id next to the shop's


def _categories(record: dict[str, Any]) -> None:
    """Make the names of a list of categories, which may be objects with a name, texts; the first is the category."""
    value = record.get("categories")
    if not isinstance(value, list) or not value:
        return
    names = [entry.get("name") if isinstance(entry, dict) else entry for entry in value]
    if all(isinstance(name, str) for name in names):
        record["categories"] = names
        if record.get("category") in (None, ""):
            record["category"] = names[0]


def _images(record: dict[str, Any]) -> None:
    """Make lists and objects in place of an image the main image and additional ones."""
    more: list[Any] = []
    for name in ("image", "image_url"):
        value = record.get(name)
        if isinstance(value, list | dict):
            main, *others = listed_images(value) or [None]
            record[name] = image_name(main) if main is not None else None
            more += others
    for name in _gallery_names(tuple(record)):
        more += listed_images(record.pop(name)) if isinstance(record[name], str | list | dict) else []
    if more:
        record["images"] = listed_images(record.get("images")) + more


@lru_cache(maxsize=4096)
def _gallery_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of additional images, a thumbnail last."""
    lists = [name for name in names if folded(name) in MORE_IMAGES]
    return tuple(sorted(lists, key=lambda name: folded(name).startswith("thumbnail")))
