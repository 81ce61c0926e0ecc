"""Rows with images → products: an image goes through the network where no vector of it is known."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from services.catalogue.documents.embeddings import embedding_of
from services.catalogue.documents.fingerprint import Fingerprint
from services.catalogue.image_vectors import Vectors, known_vectors, with_images, with_urls
from services.catalogue.importing import images as image_limits
from services.catalogue.importing.description import Described
from services.catalogue.importing.images import ImageLoader, LoadedImage, LoadedRow
from services.catalogue.importing.ports import BatchEmbedder, Catalogue
from services.catalogue.importing.report import OutcomeLog
from services.catalogue.importing.sorting import SortedRows
from services.catalogue.product import Prediction, Product, ProductImage
from services.catalogue.retry import Retry
from services.contracts.wire.embedding import MAX_BATCH, BatchEmbedding, BatchItem, BatchResponse

T = TypeVar("T")
Products = list[tuple[LoadedRow, Product]]
RowImages = list[tuple[LoadedRow, LoadedImage]]
NO_EMBEDDING = "no embedding came back"


class RowEmbedder:
    """Makes products of rows."""

    def __init__(
        self, embedding: BatchEmbedder, catalogue: Catalogue, retry: Retry, loader: ImageLoader, outcomes: OutcomeLog
    ) -> None:
        self._embedding = embedding
        self._catalogue = catalogue
        self._retry = retry
        self._loader = loader
        self._outcomes = outcomes

    async def products(
        self, rows: SortedRows, known: Mapping[str, Fingerprint], model: str, secondary: str | None
    ) -> Products:
        """Return the products of rows, except of those whose main image cannot be embedded.

        Args:
            rows: the rows; those that are unchanged are left out.
            known: the fingerprints of products that are stored.
            model: the model that searches use.
            secondary: another one whose vectors are to be there as well.
        """
        products, undescribable = await self._described(rows.described)
        fresh = await self._loader.with_main_bytes([*rows.fresh, *undescribable])
        for number, part in enumerate(in_requests(fresh, lambda row: row.main.size)):
            if number and self._loader.stopping.is_set():
                break  # the rest is as if it had not been read
            products += await self._with_main_image(part, model, secondary)
        return await self._with_all_images(products, known, model, secondary)

    async def _described(self, rows: Sequence[LoadedRow]) -> tuple[Products, list[LoadedRow]]:
        """Return products with their new description and their stored vectors; and rows that have to be embedded."""
        if not rows:
            return [], []
        stored = await self._stored([row.key for row in rows])
        products: Products = []
        undescribable: list[LoadedRow] = []
        for row in rows:
            product = stored.get(row.key)
            if (
                product is None
                or product.embedding.prediction is None
                or not product.embedding.is_of(row.product_images[0])
            ):
                undescribable.append(row)
                continue
            # Embeddings of other models stay as they are: another process may be writing newer ones.
            own = replace(product, embeddings={product.model: product.embedding})
            products.append((row, _with_description(own, row.item, product.embedding.prediction)))
        return products, undescribable

    async def _with_main_image(self, part: list[LoadedRow], model: str, secondary: str | None) -> Products:
        response = await self._send([row.main.content for row in part], model, secondary)
        products: Products = []
        for row, item in zip(part, response.items, strict=True):
            if item.embedding is not None:
                products.append((row, _product(row, item.embedding)))
                self._outcomes.tally.embedded += 1
            else:
                self._outcomes.product_rejected(row.item, refusal(item))
        return products

    async def _with_all_images(
        self, products: Products, known: Mapping[str, Fingerprint], model: str, secondary: str | None
    ) -> Products:
        """Return products with all their images. An image whose vector the stored product has is not embedded again.

        Products whose own vectors are another model's keep the images that they have.
        """
        if not any(len(row.images) > 1 or len(product.images) > 1 for row, product in products):
            return products
        models = [model] if secondary is None else [model, secondary]
        own = [(row, product) for row, product in products if product.model == model]
        vectors = known_vectors((product for _, product in own), [model])
        stored = await self._stored(_to_look_up(own, vectors, known, models))
        vectors |= known_vectors(stored.values(), models)
        missing = [
            (row, image) for row, _ in own for image in row.images[1:] if (row.key, image.sha256, model) not in vectors
        ]
        for part in in_requests(await self._with_bytes(missing), lambda pair: pair[1].size):
            vectors |= await self._additional_vectors(part, model, secondary)
        return [(row, _with_images(row, product, model, stored.get(row.key), vectors)) for row, product in products]

    async def _stored(self, keys: Sequence[str]) -> dict[str, Product]:
        records = await self._retry.call(lambda: self._catalogue.products.read(keys)) if keys else []
        return {record.product.key: record.product for record in records if not isinstance(record, Exception)}

    async def _with_bytes(self, missing: RowImages) -> RowImages:
        images = await asyncio.gather(*(self._loader.with_bytes(row, image) for row, image in missing))
        pairs = zip(missing, images, strict=True)
        return [(row, image) for (row, _), image in pairs if image is not None]

    async def _additional_vectors(self, part: RowImages, model: str, secondary: str | None) -> Vectors:
        response = await self._send([image.content for _, image in part], model, secondary)
        vectors: Vectors = {}
        for (row, image), item in zip(part, response.items, strict=True):
            if item.embedding is None:
                self._outcomes.image_rejected(row.item, image.name, refusal(item))
                continue
            self._outcomes.tally.embedded += 1
            for embedding in filter(None, (item.embedding, item.embedding.secondary)):
                vectors[row.key, image.sha256, embedding.model] = embedding.array
        return vectors

    async def _send(self, images: list[bytes], model: str, secondary: str | None) -> BatchResponse:
        return await self._retry.call(lambda: self._embedding.embed_batch(images, model, secondary))


def in_requests(items: Iterable[T], size_of: Callable[[T], int], most: int = MAX_BATCH) -> Iterator[list[T]]:
    """Yield items with an image in parts that fit in one request to the embedding service.

    Args:
        items: any objects with an image.
        size_of: returns the bytes of an item's image.
        most: images in one request.
    """
    part: list[T] = []
    size = 0
    for item in items:
        if part and (len(part) == most or size + size_of(item) > image_limits.GROUP_BYTES):
            yield part
            part, size = [], 0
        part.append(item)
        size += size_of(item)
    if part:
        yield part


def refusal(item: BatchItem) -> str:
    """Return why an image has no embedding."""
    return NO_EMBEDDING if item.error is None else item.error.detail


def _to_look_up(
    products: Products, vectors: Vectors, known: Mapping[str, Fingerprint], models: Sequence[str]
) -> list[str]:
    """Return the keys of stored products that may have vectors of images whose vectors are not known."""
    return [
        row.key
        for row, _ in products
        if row.key in known
        and (len(known[row.key].images) > 1 or len(models) > 1)
        and any((row.key, image.sha256, models[0]) not in vectors for image in row.images[1:])
    ]


def _with_images(row: LoadedRow, product: Product, model: str, stored: Product | None, vectors: Vectors) -> Product:
    if product.model == model:
        return with_images(product, row.product_images, stored, vectors)
    return with_urls(product, row.product_images)


def _product(row: LoadedRow, embedding: BatchEmbedding) -> Product:
    embeddings = filter(None, (embedding, embedding.secondary))
    product = Product(
        key=row.key,
        category=embedding.category.id,
        embeddings={each.model: embedding_of(each, row.main.sha256) for each in embeddings},
        model=embedding.model,
        images=(ProductImage(row.main.url, row.main.sha256),),
    )
    return _with_description(product, row.item, Prediction(embedding.category.id, embedding.category.probability))


def _with_description(product: Product, item: Described, prediction: Prediction) -> Product:
    placed = item.placement.category
    main, *others = product.images
    now = datetime.now(UTC)
    return replace(
        product,
        category=prediction.category if placed is None else placed,
        category_source=item.placement.source,
        images=(replace(main, url=item.row.image_url), *others),
        url=item.url,
        title=item.row.title,
        attributes=item.attributes,
        group=item.row.group,
        feed_sha256=item.feed_sha256,
        updated_at=now,
        created_at=product.created_at or now,  # a stored product keeps its own
    )
