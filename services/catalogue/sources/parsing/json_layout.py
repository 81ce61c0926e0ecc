"""Recognises where a JSON file has its products, from its start: in a list, or as objects one after the other."""

import codecs
from dataclasses import dataclass
from pathlib import Path

import ijson  # type: ignore[import-untyped]
import orjson

from services.catalogue.sources.records.rows import SourceError

START = 1 << 16  # bytes that are read
LEVELS = {"start_array": 1, "start_map": 1, "end_array": -1, "end_map": -1}
# Names of a list of products, in the responses of shops' APIs and in schema.org.
LIST_NAMES = frozenset(
    {"products", "product", "items", "item", "entries", "results", "data", "records", "rows", "nodes", "edges"}
    | {"articles", "hits", "catalog", "catalogue", "docs", "@graph", "itemListElement"}
)
# An object with two of these is a product, and not one that has a list of products.
PRODUCT_NAMES = frozenset({"id", "_id", "sku", "productID", "image", "images", "image_url", "price", "offers"})
SHOPIFY_NAMES = (b'"variants"', b'"src"', b'"body_html"')

IMAGE_NAMES = frozenset({"image", "images", "image_url", "imageUrl", "image_link", "thumbnail", "picture", "pictures"})
TITLE_NAMES = frozenset({"title", "name", "price", "sku", "id"})
NOT_KEYS = LIST_NAMES | PRODUCT_NAMES | {"node"}  # names of objects in a product, or around one


@dataclass(frozen=True, slots=True)
class JsonLayout:
    """Where a file has its products.

    Attributes:
        names: the names that lead to the list: () for a file that is a list, None for objects one after the other.
        has_lines: whether each line is an object.
        is_shopify: whether the products are those of Shopify.
        is_map: whether the products are in an object, each under a name, as PHP writes lists with gaps.
    """

    names: tuple[str, ...] | None
    has_lines: bool
    is_shopify: bool
    is_map: bool = False


def json_layout(path: Path) -> JsonLayout:
    """Return the layout of a file.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(START)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from None
    text = start.removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n\x1e")
    names = _list_names(text)
    if names is None and not _has_several_lines(text) and (names_of_map := _names_to_map(text)) is not None:
        return JsonLayout(names_of_map, has_lines=False, is_shopify=False, is_map=True)
    is_graphql = names is not None and names[-1:] in (("edges",), ("nodes",))
    is_page = names is not None and names[-1:] == ("products",)
    is_shopify = b'"handle"' in text and (is_page or any(name in text for name in SHOPIFY_NAMES))
    return JsonLayout(names, names is None and _has_lines(text), is_shopify and names is not None and not is_graphql)


def _list_names(text: bytes) -> tuple[str, ...] | None:
    if text.startswith(b"["):
        return None if _is_list_without_objects(text) else ()
    try:
        return _names_to_list(text)
    except (ijson.JSONError, UnicodeDecodeError):  # not JSON, or a longer file
        return None


def _is_list_without_objects(text: bytes) -> bool:
    """Return whether the first line is a list without any object: a line of a file with one entry on each."""
    try:
        entries = orjson.loads(text.split(b"\n", 1)[0])
    except orjson.JSONDecodeError:
        return False
    return bool(entries) and not any(isinstance(entry, dict) for entry in entries)


def _names_to_list(text: bytes) -> tuple[str, ...] | None:
    """Return the names that lead to the first list of products, or None if the object is a product.

    Raises:
        ijson.JSONError: the text ends before, or is not JSON.
    """
    product_names = other_levels = 0
    path: list[str] = []  # the current name in each open object
    for event, value in ijson.basic_parse(text):
        if other_levels:  # inside another list
            other_levels += LEVELS.get(event, 0)
        elif event == "map_key":
            path[-1] = value
            product_names += len(path) == 1 and value in PRODUCT_NAMES
        elif event == "start_map":
            path.append("")
        elif event == "end_map":
            path.pop()
        elif event == "start_array":
            if path[-1] in LIST_NAMES:
                return tuple(path)
            other_levels = 1
        if product_names > 1 or not path:
            return None
    return None


def _has_several_lines(text: bytes) -> bool:
    """Return whether a file has several lines, and the first is JSON."""
    first, _, others = text.partition(b"\n")
    try:
        orjson.loads(first)
    except orjson.JSONDecodeError:
        return False
    return bool(others.strip())


def _names_to_map(text: bytes) -> tuple[str, ...] | None:
    """Return the names that lead to an object of products, each under a name, or None if there is none."""
    open_maps: list[tuple[str, set[str]]] = []  # the name of each open object, and the names in it
    map_place: tuple[tuple[str, ...], set[str]] | None = None  # the names that lead to a map, and its own names
    name = ""
    try:
        for event, value in ijson.basic_parse(text):
            if event == "map_key":
                name = value
                open_maps[-1][1].add(name)
            elif event == "start_map":
                open_maps.append((name, set()))
            elif event == "end_map":
                own, names = open_maps.pop()
                outer = tuple(other for other, _ in open_maps[1:])
                is_entry = bool(open_maps) and own not in NOT_KEYS and all(other in LIST_NAMES for other in outer)
                if map_place is None and is_entry and _is_product(names):
                    map_place = outer, open_maps[-1][1]
    except (ijson.JSONError, UnicodeDecodeError):
        pass  # the file is longer, or is not JSON
    return None if map_place is None or map_place[1] & PRODUCT_NAMES else map_place[0]


def _is_product(names: set[str]) -> bool:
    return not names.isdisjoint(IMAGE_NAMES) and not names.isdisjoint(TITLE_NAMES)


def _has_lines(text: bytes) -> bool:
    """Return whether a file that begins with an object has one on each line, and not one over several lines."""
    lines = [line for line in text.splitlines() if line.strip()][:2]
    try:
        orjson.loads(lines[0] if lines else b"{}")
    except orjson.JSONDecodeError as error:
        if len(lines) < 2:  # objects on one line, one after the other
            return "unexpected content" not in error.msg
        return lines[1].lstrip().startswith(b"{") or b"}" in lines[0]
    return True
