"""The work that each row needs: none, a new description, or the embedding of its images."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.catalogue.documents.fingerprint import Fingerprint
from services.catalogue.importing.images import LoadedRow


@dataclass
class SortedRows:
    """Rows whose main image is to be embedded, rows whose product keeps its vector, and rows that need nothing."""

    fresh: list[LoadedRow] = field(default_factory=list)
    described: list[LoadedRow] = field(default_factory=list)
    unchanged: list[LoadedRow] = field(default_factory=list)


def sort_out(rows: Iterable[LoadedRow], known: Mapping[str, Fingerprint], model: str) -> SortedRows:
    """Return the work that gives the products vectors of this model and the descriptions of their rows."""
    result = SortedRows()
    for row in rows:
        old = known.get(row.key)
        if old is None or old.images[0].sha256 != row.main.sha256 or model not in old.models:
            result.fresh.append(row)
        elif [image.sha256 for image in row.images] != [image.sha256 for image in old.images]:
            # If the product's own model is another one, its vectors alone cannot follow the images.
            (result.described if old.model == model else result.fresh).append(row)
        elif old.feed_sha256 != row.item.feed_sha256:
            result.described.append(row)
        else:
            result.unchanged.append(row)
    return result
