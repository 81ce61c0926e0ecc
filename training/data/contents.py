"""What a picture shows, as a class of the network: one of the nine categories, other clothing, or no clothing."""

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES

NONE = len(CATEGORIES)  # no clothing of the nine categories, where nothing else is known
OTHER_CLOTHING, NO_CLOTHING = NONE, NONE + 1
UNKNOWN = -1  # an attribute without a value: it has no loss


def category_class(name: str | None) -> int:
    """Return the class of a category's name, OTHER_CLOTHING for a name that is none of the nine."""
    return CATEGORIES.index(name) if name in CATEGORIES else OTHER_CLOTHING
