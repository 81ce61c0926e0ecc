"""Text of feeds: HTML entities decoded, control characters removed, no whitespace around it."""

import re
from collections.abc import Mapping
from html import unescape
from html.entities import html5
from typing import Any

from services.catalogue.sources.records.images import WEB

# References need their semicolon: `?a=1&copy=2` and `AT&T` are no entities.
REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
DOUBLE = re.compile(r"&(?:amp|#0*38|#[xX]0*26);(?=(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)", re.I)
AMPERSAND = re.compile(r"&(?:amp|#0*38|#x0*26);", re.I)
BREAK = re.compile(r"[\x0b\x0c\x1c-\x1e\x85]")  # a line or page break of other systems
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
LINKS = frozenset({"url", "image", "image_url", "images"})


def clean_text(text: str) -> str:
    """Return text with its HTML entities decoded, without control characters and surrounding whitespace.

    Text that is encoded twice (`&amp;eacute;`) is decoded twice. Tabs and line breaks inside stay.
    """
    if "&" in text:
        text = REFERENCE.sub(_character, _once_encoded(text))
    elif text.isprintable():
        return text.strip()
    return CONTROL.sub("", BREAK.sub(" ", text)).strip()


def clean_link(text: str) -> str:
    """Return a link with `&` for `&amp;`, which feeds write in CDATA sections and tables. Nothing else is decoded."""
    return AMPERSAND.sub("&", AMPERSAND.sub("&", text) if DOUBLE.search(text) else text) if "&" in text else text


def clean_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with clean text and links. The id and the paths of image files are not changed."""
    return {name: value if name == "id" else _clean(name, value) for name, value in record.items()}


def _clean(name: str, value: Any) -> Any:
    if isinstance(value, str):
        if name not in LINKS:
            return clean_text(value)
        # The name of an image file may contain `&amp;`.
        is_path = name in ("image", "images") and not WEB.match(value.strip())
        return value if is_path else clean_link(value)
    if isinstance(value, list):
        return [_clean(name, item) for item in value]
    if isinstance(value, dict) and name in LINKS:
        return {key: _clean(name, item) for key, item in value.items()}
    return value


def _once_encoded(text: str) -> str:
    """Return text that is encoded twice with its outer encoding removed, other text unchanged."""
    return DOUBLE.sub(lambda match: "&" if _is_entity(text, match.end()) else match[0], text)


def _is_entity(text: str, at: int) -> bool:
    name = text[at : text.index(";", at) + 1]
    return name.startswith("#") or name in html5


def _character(match: re.Match[str]) -> str:
    reference = match[0]
    return unescape(reference) if reference[1] == "#" or reference[1:] in html5 else reference
