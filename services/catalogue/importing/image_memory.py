"""Which images of an import need not be sent again, for their server still knows what it sent the last time."""

from collections.abc import Mapping, Sequence

from services.catalogue.importing.description import Described
from services.catalogue.importing.images import Loaded
from services.catalogue.importing.ports import Catalogue, Known
from services.catalogue.retry import Patience
from services.catalogue.store.http_cache import CachedImage


class ImageMemory:
    """Recalls images before they are fetched, and remembers them afterwards."""

    def __init__(self, catalogue: Catalogue, patience: Patience) -> None:
        self._catalogue = catalogue
        self._patience = patience

    async def recall(
        self, batch: Sequence[Described], known: Mapping[str, Known], model: str
    ) -> dict[str, CachedImage]:
        """Return, by key, the images that the products' vectors of this model were made of."""
        keys = [
            item.row.key
            for item in batch
            if isinstance(item.row.image, str) and (old := known.get(item.row.key)) is not None and old.seen_by(model)
        ]
        if not keys:
            return {}
        found = await self._patience.call(lambda: self._catalogue.http_cache.get_many(keys))
        return {key: image for key, image in found.items() if known[key].image_sha256 == image.sha256}

    async def remember(self, group: Sequence[Loaded], recalled: Mapping[str, CachedImage]) -> None:
        """Remember what is new about fetched images."""
        seen = ((loaded.key, loaded.seen) for loaded in group)
        new = {key: image for key, image in seen if image and image.validators and image != recalled.get(key)}
        if new:
            await self._patience.call(lambda: self._catalogue.http_cache.put_many(new))
