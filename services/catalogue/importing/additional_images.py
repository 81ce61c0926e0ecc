"""The further images of rows: loaded beside the main ones, embedded where the product has no vector of them yet.

None of them rejects its row: what cannot be had is told, and the product does without it, or keeps what it has.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from services.catalogue.image_vectors import Vectors, own_vectors, relinked, standing_vectors, with_images
from services.catalogue.importing.images import (
    GROUP_BYTES,
    READ_AT_ONCE,
    ImageLoader,
    Loaded,
    LoadedImage,
    in_requests,
)
from services.catalogue.importing.ports import Catalogue, Embedding, Known
from services.catalogue.importing.report import Tally
from services.catalogue.product import Product, StoredImage
from services.catalogue.retry import Patience, Stopped
from services.catalogue.sources.records.rows import RejectedRow, RowImage, SourceImageError
from services.catalogue.store.http_cache import CachedImage, cache_id
from services.catalogue.store.pictures import picture_id
from services.contracts.domain.errors import LookalikeError
from services.contracts.images.fetch import NO_VALIDATORS

Products = list[tuple[Loaded, Product]]


class FurtherImages:
    """What an import does with images beside the main ones. Those that cannot be had go to `reject`, with their name."""

    def __init__(
        self,
        embedding: Embedding,
        catalogue: Catalogue,
        patience: Patience,
        tally: Tally,
        reject: Callable[[RejectedRow], None],
    ) -> None:
        self._embedding = embedding
        self._catalogue = catalogue
        self._patience = patience
        self._tally = tally
        self._reject = reject

    async def load(
        self, loader: ImageLoader, groups: AsyncIterator[list[Loaded]], known: Mapping[str, Known], model: str
    ) -> AsyncIterator[list[Loaded]]:
        """Yield rows with their further images, in groups of about GROUP_BYTES at most.

        A row is left out when we are told to stop while its images are loaded.
        """
        async for group in groups:
            if not any(loaded.item.row.images for loaded in group):
                yield group
                continue
            had = await self._had(group, known, model)
            part: list[Loaded] = []
            for some in _portions(group):
                rows = await asyncio.gather(*(self._row(loaded, loader, had) for loaded in some))
                part += [loaded for loaded in rows if loaded is not None]
                if sum(map(_size, part)) >= GROUP_BYTES:
                    yield part
                    part = []
            if part:
                yield part

    async def embed(
        self, loader: ImageLoader, products: Products, known: Mapping[str, Known], model: str, beside: str | None
    ) -> Products:
        """Return products with their further images. An image whose vector a product has is not embedded again.

        Products whose own vectors are another model's have the images that they had.
        """
        if not any(loaded.further or product.images for loaded, product in products):
            return products
        ours = [(loaded, product) for loaded, product in products if product.model == model]
        vectors = own_vectors(product for _, product in ours)
        old = await self._old(ours, vectors, known, model, beside)
        vectors |= standing_vectors(old.values(), [model] if beside is None else [model, beside])
        missing = [
            (loaded, image)
            for loaded, _ in ours
            for image in loaded.further
            if (loaded.key, image.sha256, model) not in vectors
        ]
        for part in in_requests(await self._whole(missing, loader), lambda one: len(one[1].data)):
            vectors |= await self._embedded(part, model, beside)
        return [
            (loaded, with_images(loaded.listed, product, old.get(product.key), vectors))
            if product.model == model
            else (loaded, relinked(loaded.listed, product))
            for loaded, product in products
        ]

    def without(self, products: Products, refused: Mapping[str, str]) -> Products:
        """Return products without the images whose pictures could not be stored, by `picture_id` and reason."""
        return (
            [(loaded, self._without(loaded, product, refused)) for loaded, product in products] if refused else products
        )

    async def clear(self, products: Products, known: Mapping[str, Known]) -> None:
        """Remove the stored pictures that products which have been written no longer have."""
        kept: dict[str, list[str]] = {}
        for loaded, product in products:
            stored = [image.sha256 for image in product.images if image.url is None and image.sha256 is not None]
            if loaded.key in known and set(_stored(known[loaded.key])) - set(stored):
                kept[loaded.key] = stored
        if kept:
            await self._patience.call(lambda: self._catalogue.pictures.keep_only(kept))

    async def remember(self, group: Sequence[Loaded]) -> None:
        """Remember what servers said of images that they sent."""
        seen = [(loaded.key, image.seen) for loaded in group for image in loaded.further]
        new = {cache_id(key, one.url): one for key, one in seen if one is not None and one.validators}
        if new:
            await self._patience.call(lambda: self._catalogue.http_cache.put_many(new))

    async def _had(self, group: list[Loaded], known: Mapping[str, Known], model: str) -> dict[str, CachedImage]:
        """Return the images of these products that their vectors of this model were made of, by `cache_id`."""
        had = {
            cache_id(loaded.key, url): CachedImage(url, sha256, NO_VALIDATORS)
            for loaded in group
            if (old := known.get(loaded.key)) is not None and old.seen_by(model)
            for url, sha256 in old.images
            if url is not None and sha256 is not None
        }
        recalled = await self._patience.call(lambda: self._catalogue.http_cache.get_many(list(had))) if had else {}
        return had | {
            one: seen for one, seen in recalled.items() if replace(seen, validators=NO_VALIDATORS) == had[one]
        }

    async def _row(self, loaded: Loaded, loader: ImageLoader, had: Mapping[str, CachedImage]) -> Loaded | None:
        loading = [
            self._one(loaded, image, loader, had.get(cache_id(loaded.key, image.name)))
            for image in loaded.item.row.images
        ]
        found = await asyncio.gather(*loading, return_exceptions=True)  # none of them goes on behind our back
        if any(isinstance(one, Stopped) for one in found):
            return None
        if error := next((one for one in found if isinstance(one, BaseException)), None):
            raise error
        images = {image.sha256: image for image in found if isinstance(image, LoadedImage)}
        images.pop(loaded.sha256, None)  # the main image once more
        return replace(loaded, further=tuple(images.values()))

    async def _one(
        self, loaded: Loaded, image: RowImage, loader: ImageLoader, seen: CachedImage | None
    ) -> LoadedImage | None:
        try:
            return await loader.further(image, seen)
        except (SourceImageError, LookalikeError) as error:
            self._lose(loaded, image.name, error.detail if isinstance(error, LookalikeError) else str(error))
        # What the product has of this address stays: a web server may be away for an hour.
        return None if seen is None else LoadedImage(image.name, image.name, b"", seen.sha256)

    async def _old(
        self, products: Products, vectors: Vectors, known: Mapping[str, Known], model: str, beside: str | None
    ) -> dict[str, Product]:
        """Return, by key, the products as they stand that have something to add to those that are being made."""
        keys = [
            loaded.key
            for loaded, _ in products
            if loaded.key in known
            and (known[loaded.key].images or beside is not None)
            and any((loaded.key, image.sha256, model) not in vectors for image in loaded.further)
        ]
        records = await self._patience.call(lambda: self._catalogue.products.read(keys)) if keys else []
        return {record.product.key: record.product for record in records if not isinstance(record, Exception)}

    async def _whole(
        self, missing: list[tuple[Loaded, LoadedImage]], loader: ImageLoader
    ) -> list[tuple[Loaded, LoadedImage]]:
        """Return images with their bytes; those that were not sent, for they are as they were, are fetched."""

        async def whole(loaded: Loaded, image: LoadedImage) -> LoadedImage | None:
            return image if image.data else await self._one(loaded, RowImage(image.name), loader, None)

        found = await asyncio.gather(*(whole(loaded, image) for loaded, image in missing))
        pairs = zip(missing, found, strict=True)
        return [(loaded, image) for (loaded, _), image in pairs if image is not None]

    async def _embedded(self, part: list[tuple[Loaded, LoadedImage]], model: str, beside: str | None) -> Vectors:
        images = [image.data for _, image in part]
        answer = await self._patience.call(lambda: self._embedding.embed_batch(images, model, beside))
        vectors: Vectors = {}
        for (loaded, image), outcome in zip(part, answer.items, strict=True):
            if outcome.embedding is None:
                reason = outcome.error.detail if outcome.error is not None else "no embedding came back"
                self._lose(loaded, image.name, reason)
                continue
            self._tally.embedded += 1
            for seen in filter(None, (outcome.embedding, outcome.embedding.beside)):
                vectors[loaded.key, image.sha256, seen.model] = seen.array
        return vectors

    def _without(self, loaded: Loaded, product: Product, refused: Mapping[str, str]) -> Product:
        ids = {picture_id(loaded.key, image.sha256): image for image in loaded.further if image.url is None}
        lost = {image.sha256 for one, image in ids.items() if one in refused}
        for one, image in ids.items():
            if one in refused:
                self._lose(loaded, image.name, refused[one])
        return replace(product, images=tuple(image for image in product.images if image.sha256 not in lost))

    def _lose(self, loaded: Loaded, name: str, reason: str) -> None:
        self._reject(RejectedRow(loaded.item.row.line, loaded.key, reason, name))


def same_images(loaded: Loaded, old: Known) -> bool:
    """Whether the further images are those that the product has."""
    return [image.sha256 for image in loaded.further] == [sha256 for _, sha256 in old.images]


def further_pictures(products: Products, known: Mapping[str, Known]) -> list[tuple[str, StoredImage]]:
    """Return the pictures to be stored, with their `picture_id`s: of images from files, but for those that are there."""
    return [
        (picture_id(loaded.key, image.sha256), image.picture)
        for loaded, product in products
        for image in loaded.further
        if image.url is None
        and any(kept.sha256 == image.sha256 for kept in product.images)
        and not (loaded.key in known and image.sha256 in _stored(known[loaded.key]))
    ]


def _stored(old: Known) -> list[str]:
    return [sha256 for url, sha256 in old.images if url is None and sha256 is not None]


def _portions(group: list[Loaded]) -> Iterator[list[Loaded]]:
    """Yield rows with about READ_AT_ONCE further images together."""
    part: list[Loaded] = []
    count = 0
    for loaded in group:
        part.append(loaded)
        count += len(loaded.item.row.images)
        if count >= READ_AT_ONCE:
            yield part
            part, count = [], 0
    if part:
        yield part


def _size(loaded: Loaded) -> int:
    return len(loaded.data) + sum(len(image.data) for image in loaded.further)
