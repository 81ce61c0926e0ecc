"""Which images of an import need not be sent again, because their server still knows what it sent the last time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from services.catalogue.documents.fingerprint import Fingerprint
from services.catalogue.importing.description import Described
from services.catalogue.importing.images import LoadedRow
from services.catalogue.importing.ports import Catalogue
from services.catalogue.retry import Retry
from services.catalogue.store.http_cache import CachedImage, cache_id
from services.contracts.images.fetch import NO_VALIDATORS

CachedImages = Mapping[str, CachedImage]  # by a product's key, or by the `cache_id` of an additional image


class ImageCache:
    """Recalls images before they are fetched, and remembers them afterwards."""

    def __init__(self, catalogue: Catalogue, retry: Retry) -> None:
        self._catalogue = catalogue
        self._retry = retry

    async def recall(self, batch: Sequence[Described], known: Mapping[str, Fingerprint], model: str) -> CachedImages:
        """Return the images that the products' vectors of this model come from.

        An additional image that is not in the cache comes without validators: if it cannot be fetched, the
        product keeps the image.
        """
        embedded = [(item, known[item.row.key]) for item in batch if item.row.key in known]
        embedded = [(item, fingerprint) for item, fingerprint in embedded if model in fingerprint.models]
        main = {item.row.key: old.images[0].sha256 for item, old in embedded if isinstance(item.row.image, str)}
        additional = dict(
            entry for item, old in embedded if item.row.images for entry in _additional(item.row.key, old)
        )
        names = [*main, *additional]
        cached = await self._retry.call(lambda: self._catalogue.http_cache.get_many(names)) if names else {}
        valid = {
            name: image
            for name, image in cached.items()
            if image.sha256 == main.get(name) or replace(image, validators=NO_VALIDATORS) == additional.get(name)
        }
        return additional | valid

    async def remember(self, rows: Sequence[LoadedRow], recalled: CachedImages) -> None:
        """Remember what servers said of the images that they sent."""
        images = (entry for row in rows for entry in _fetched(row))
        new = {name: image for name, image in images if image.validators and image != recalled.get(name)}
        if new:
            await self._retry.call(lambda: self._catalogue.http_cache.put_many(new))


def _additional(key: str, old: Fingerprint) -> Iterator[tuple[str, CachedImage]]:
    for image in old.images[1:]:
        if image.url is not None and image.sha256 is not None:
            yield cache_id(key, image.url), CachedImage(image.url, image.sha256, NO_VALIDATORS)


def _fetched(row: LoadedRow) -> Iterator[tuple[str, CachedImage]]:
    for number, image in enumerate(row.images):
        if image.cached is not None:
            yield row.key if number == 0 else cache_id(row.key, image.cached.url), image.cached
