"""For whom garments are: a look does not mix women's and men's, nor grown-ups' and children's garments.

The attribute is `gender`, with the values of Google's feeds, of the Kaggle archive and of most shops. A garment without
it, or with another value, such as unisex, goes with every other.
"""

from collections import Counter
from collections.abc import Iterable

from services.contracts.domain.filtering.filter_match import Attributes
from services.contracts.domain.filtering.filters import Filter
from services.contracts.wire.filter_json import parse_filter

ATTRIBUTE = "gender"
AGREEING = 0.7  # of the products that look most like a garment, for it to be taken as theirs
GROUPS = (
    ("women", "woman", "female", "womens", "women's", "ladies"),
    ("men", "man", "male", "mens", "men's"),
    ("girls", "girl"),
    ("boys", "boy"),
)


def group_of(attributes: Attributes) -> int | None:
    """Return the number of the group that a garment is for; None if it may be for any."""
    value = attributes.get(ATTRIBUTE)
    word = value.strip().casefold() if isinstance(value, str) else None
    return next((number for number, words in enumerate(GROUPS) if word in words), None)


def shared_group(garments: Iterable[Attributes]) -> int | None:
    """Return the group that most garments are for, if enough of them are."""
    groups = [group_of(attributes) for attributes in garments]
    if not groups:
        return None
    group, count = Counter(groups).most_common(1)[0]
    return group if count >= AGREEING * len(groups) else None


def of_others(group: int) -> Filter:
    """Return the filter of the products that are for another group."""
    words = [word for number, words in enumerate(GROUPS) for word in words if number != group]
    return parse_filter({ATTRIBUTE: [form for word in words for form in (word, word.capitalize(), word.upper())]})
