"""The document of a product in JSON → a record: shapes of shops' APIs, schema.org, and MongoDB's extended JSON."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from services.catalogue.sources.records.fields import RowBuilder
from services.catalogue.sources.records.images import image_name, listed_images
from services.catalogue.sources.records.money import currency_code, is_money
from services.catalogue.sources.records.rows import MAX_QUOTED, RejectedRow, RowError

UNREADABLE: dict[str, Any] = {}  # a value that is no attribute: the summary names its field
# Text in quotes, or a number that JSON does not have.
NOT_A_NUMBER = re.compile(r'("(?:[^"\\]|\\.)*")|-?\b(?:NaN|Infinity)\b')
FIRST_ID = re.compile(r'\s*\{\s*"id"\s*:\s*(?:"((?:[^"\\]|\\.)*)"|(-?\d+))\s*[,}]')
NUMBER_TYPES = {"$numberInt": int, "$numberLong": int, "$numberDouble": float, "$numberDecimal": float}
# Names in place of a field that the document does not have.
SUBSTITUTES = {
    "id": ("_id", "productID", "sku"),
    "title": ("name",),
    "url": ("link", "permalink", "product_url"),
    "image_url": ("image_link", "imageUrl", "image_src"),
    "availability": ("availabilityStatus", "availability_status", "stock_status", "stockStatus"),
}
MORE_IMAGES = ("additional_image_link", "additional_images", "thumbnail", "thumbnailUrl", "thumbnail_url")
AMOUNTS = ("amount", "value", "price", "lowPrice")
CURRENCIES = ("currency", "currencyCode", "currency_code", "priceCurrency")
OFFER = {"availability": "availability", "condition": "itemCondition", "url": "url"}
WRAPPERS = ("node", "item", "product")
PAIR_VALUES = frozenset({"value", "options", "values", "option"})
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
        record[name] = UNREADABLE if name in METADATA else _plain(value)
    _substitute(record)
    _categories(record)
    _images(record)
    _offers(record)
    for name in filter(is_money, list(record)):
        _price(record, name)
    return record


def _unwrapped(document: dict[str, Any]) -> dict[str, Any]:
    """Return the product of a list's entry, as in GraphQL's `{"node": {…}}`."""
    inner = next((document[name] for name in WRAPPERS if isinstance(document.get(name), dict)), None)
    return inner if inner is not None and not {"id", "image", "images", "title"} & document.keys() else document


def _flat(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the fields, with those of `attributes` on the same level: an object, or a list of names and values."""
    for name, value in document.items():
        if name == "attributes" and isinstance(value, dict):
            yield from value.items()
        elif name == "attributes" and _are_pairs(value):
            yield from ((str(pair["name"]), _pair_value(pair)) for pair in value)
        else:
            yield name, value


def _are_pairs(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, dict) and "name" in pair and not PAIR_VALUES.isdisjoint(pair) for pair in value
    )


def _pair_value(pair: dict[str, Any]) -> Any:
    """Return the value of an attribute; WooCommerce's API has a list of options."""
    value = next(pair[name] for name in ("value", "options", "values", "option") if name in pair)
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _plain(value: Any) -> Any:
    """Return the value of an object of extended JSON, or the name of one of schema.org; others do not change."""
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        return _extended(*next(iter(value.items())), value)
    return value["name"] if "@type" in value and isinstance(value.get("name"), str) else value


def _extended(kind: str, value: Any, whole: Any) -> Any:
    """Return the value of an object of extended JSON: `{"$numberDecimal": "19.99"}` is 19.99, a date ISO 8601."""
    if kind == "$oid":
        return value
    try:
        if kind in NUMBER_TYPES:
            number = NUMBER_TYPES[kind](value)
            return number if abs(number) < float("inf") else UNREADABLE
        if kind == "$date":
            moment = _plain(value)
            return moment if isinstance(moment, str) else datetime.fromtimestamp(moment / 1000, UTC).isoformat()
    except (ValueError, TypeError, OverflowError, OSError):
        return UNREADABLE
    return whole


def _substitute(record: dict[str, Any]) -> None:
    for field, names in SUBSTITUTES.items():
        name = next((name for name in names if record.get(name) not in (None, "")), None)
        is_image = field == "image_url" and any(record.get(other) for other in ("image", "images"))
        if name is not None and record.get(field) in (None, "") and not is_image:
            record[field] = record[name] if name == "sku" else record.pop(name)
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
    for name in MORE_IMAGES:
        more += listed_images(record.pop(name, None)) if isinstance(record.get(name), str | list | dict) else []
    if more:
        record["images"] = listed_images(record.get("images")) + more


def _offers(record: dict[str, Any]) -> None:
    """Take the price, currency, availability, condition and address of schema.org's offers: the cheapest one."""
    offers = [offer for offer in listed_images(record.get("offers")) if isinstance(offer, dict)]
    if not offers:
        return
    del record["offers"]
    offer = min(offers, key=_offered)
    if record.get("price") in (None, ""):
        record["price"] = offer
    for field, name in OFFER.items():
        if record.get(field) in (None, "") and isinstance(offer.get(name), str):
            record[field] = offer[name]


def _offered(offer: dict[str, Any]) -> float:
    try:
        return float(_first(offer, AMOUNTS))
    except (TypeError, ValueError):
        return float("inf")


def _price(record: dict[str, Any], name: str) -> None:
    """Split a price that is an object: `{"amount": "29.90", "currency": "EUR"}`.

    A price in another currency than the record's stays an object, which is left out.
    """
    value = record[name]
    if not isinstance(value, dict) or (amount := _plain(_first(value, AMOUNTS))) is None:
        return
    if isinstance(currency := _first(value, CURRENCIES), str):
        known = record.get("currency")
        if known in (None, ""):
            record["currency"] = currency
        elif isinstance(known, str) and _code(known) != _code(currency):
            return
    record[name] = amount


def _code(currency: str) -> str:
    return currency_code(currency) or currency


def _first(document: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((document[name] for name in names if document.get(name) is not None), None)
