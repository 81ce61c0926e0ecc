"""The languages of the shoppers' page, and the one that a browser asks for."""

from typing import Literal

# Those with a file in static/shared/strings. The first is the default.
LANGUAGES = ("en", "de", "fr", "es", "it", "el", "ar")
RIGHT_TO_LEFT = frozenset({"ar"})
MAX_RANGES = 20  # of a header that are read


def preferred(accept_language: str) -> str:
    """Return the language tag to answer with: the first one of the header that the page has, as the browser names it.

    A longer tag, such as `de-AT`, is returned as it is: numbers and prices follow it.

    Args:
        accept_language: the header (RFC 9110, section 12.5.4).
    """
    ranges = [_range(part) for part in accept_language.split(",")[:MAX_RANGES]]
    for tag, quality in sorted(ranges, key=lambda entry: -entry[1]):
        if quality > 0 and base(tag) in LANGUAGES:
            return tag
    return LANGUAGES[0]


def base(tag: str) -> str:
    """Return the language of a tag: `de` for `de-AT`."""
    return tag.partition("-")[0].lower()


def direction(tag: str) -> Literal["ltr", "rtl"]:
    """Return the direction in which a language is written."""
    return "rtl" if base(tag) in RIGHT_TO_LEFT else "ltr"


def _range(text: str) -> tuple[str, float]:
    """Return a language range and its quality; 0 if it cannot be read."""
    tag, _, parameter = text.strip().partition(";")
    tag = tag.strip()
    if not tag.replace("-", "").isalnum() or not tag.isascii() or len(tag) > 35:
        return "", 0.0
    name, _, value = parameter.strip().partition("=")
    if not name:
        return tag, 1.0
    try:
        return tag, float(value) if name.strip() == "q" else 0.0
    except ValueError:
        return tag, 0.0
