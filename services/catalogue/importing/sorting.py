"""What an import has to do with a group of products: nothing, describe them anew, or embed them; and which are new."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.catalogue.importing.additional_images import same_images
from services.catalogue.importing.images import Loaded
from services.catalogue.importing.ports import Known
from services.catalogue.product import Product


@dataclass
class Sorted:
    """Products with images: to embed, to describe anew, and those that stand as they are."""

    fresh: list[Loaded] = field(default_factory=list)
    redescribed: list[Loaded] = field(default_factory=list)
    unchanged: list[Loaded] = field(default_factory=list)


def new_and_known(
    products: list[tuple[Loaded, Product]], known: Mapping[str, Known]
) -> list[list[tuple[Loaded, Product]]]:
    """Return the products whose keys are new, which cost the database less, and the others."""
    new = [one for one in products if one[0].key not in known]
    return [some for some in (new, [one for one in products if one[0].key in known]) if some]


def sort_out(group: list[Loaded], known: Mapping[str, Known], model: str) -> Sorted:
    """Return what has to be done, for the products to have vectors of this model and the descriptions of their rows."""
    found = Sorted()
    for loaded in group:
        old = known.get(loaded.key)
        if old is None or old.image_sha256 != loaded.sha256 or not old.seen_by(model):
            found.fresh.append(loaded)
        elif not same_images(loaded, old):
            # Where another model's vectors are the document's own, those of this one cannot be changed by themselves.
            (found.redescribed if old.model == model else found.fresh).append(loaded)
        elif old.feed_sha256 != loaded.item.feed_sha256:
            found.redescribed.append(loaded)
        else:
            found.unchanged.append(loaded)
    return found
