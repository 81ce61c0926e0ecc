"""Type and colour of a product, by the names that feeds give to these attributes."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Literal

from services.catalogue.product import Attributes

Trait = Literal["type", "colour"]
# As the pages know them: services/gateway/static/shared/format.js.
NAMES: dict[Trait, tuple[str, ...]] = {
    "type": ("type", "articletype", "producttype", "garmenttype"),
    "colour": ("colour", "color", "basecolour", "basecolor", "colourgroup", "colorgroup"),
}
_NO_LETTER = re.compile(r"[^a-z]")


def trait_of(attributes: Attributes, trait: Trait) -> str | None:
    """Return the type or the colour of a product; None if its attributes have none."""
    for name, value in attributes.items():
        if _NO_LETTER.sub("", name.lower()) in NAMES[trait]:
            first = value[0] if isinstance(value, list) and value else value
            if isinstance(first, str) and first:
                return first
    return None


def most_common(values: Iterable[str | None]) -> str | None:
    """Return the most frequent value that is not None; of equally frequent ones, the first in the alphabet."""
    counts = Counter(value for value in values if value is not None)
    return min(counts, key=lambda value: (-counts[value], value), default=None)
