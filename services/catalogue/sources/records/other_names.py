"""The names that other systems have for the fields of a product."""

import re
from collections.abc import Iterable
from functools import lru_cache

# In the order in which they count; in lower case, without signs.
OTHER_NAMES = {
    "id": ("_id", "productid", "itemid", "offerid", "articleid", "entityid", "internalid", "sku", "code"),
    "title": ("name", "productname", "producttitle", "displayname", "product"),
    "url": ("link", "permalink", "producturl", "productlink", "onlinestoreurl", "deeplink"),
    "image": (
        *("imagelink", "imageurl", "imagesrc", "imgurl", "mainimage", "mainimageurl", "baseimage"),
        *("featuredimage", "primaryimage", "defaultimage", "cover"),
        *("picture", "pictureurl", "photo", "photourl", "enclosure"),
    ),
    "availability": ("availabilitystatus", "stockstatus", "instock", "isinstock"),
    "currency": ("currencycode", "pricecurrency", "currencyid"),
}
KEPT = frozenset({"sku", "instock", "isinstock"})  # also attributes under their own names
IMAGES = frozenset({"image", "image_url", "images"})
SIGNS = re.compile(r"[\W_]+")


def folded(name: str) -> str:
    """Return a name in lower case without signs, but `_id`, which MongoDB has in addition to `id`, as it is."""
    return name if name == "_id" else SIGNS.sub("", name.lower())


@lru_cache(maxsize=4096)  # the records of a feed have the same few sets of names
def other_names(names: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the fields for which a record has other names, and these names, the best first."""
    present: dict[str, list[str]] = {}
    for name in names:
        present.setdefault(folded(name), []).append(name)
    fields = (
        (field, tuple(name for other in others for name in present.get(other, ()) if name != field))
        for field, others in OTHER_NAMES.items()
    )
    return tuple((field, names) for field, names in fields if names)


def is_kept(name: str) -> bool:
    """Return whether a name stays an attribute where it stands for a field."""
    return folded(name) in KEPT


def has_image(names: Iterable[str]) -> bool:
    """Return whether a record has a field of images: then no other name is its main image."""
    return not IMAGES.isdisjoint(names)
