"""Writing and reading single products. Knows no HTTP."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from weakref import WeakValueDictionary

from services.catalogue.documents.embeddings import embedding_of
from services.catalogue.product import MAX_KEY_LENGTH, Product, ProductImage, StoredImage
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.pictures import picture_id
from services.catalogue.store.product_pages import ListPosition
from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.categories import resolve_category
from services.contracts.domain.errors import CatalogueUnavailable, InvalidRequest, UnknownProduct
from services.contracts.images.metadata import without_metadata
from services.contracts.wire.embedding import EmbeddingResponse, ModelFacts
from services.contracts.wire.index import Attributes
from services.gateway.products.body import ProductBody, ProductPatch
from services.gateway.products.images import ProductImages, stored
from services.gateway.products.listing import ListedProducts
from services.gateway.products.responses import ProductResponse
from services.gateway.search.image_reader import ImageReader
from services.gateway.search.links import Links
from services.gateway.search.model_binding import ModelBinding

FEWEST_READ = 200  # documents that are read at once for a page with a filter
MAX_READ = 5000  # documents that are read for a page
PATCH_ATTEMPTS = 20  # of a product that other processes change at the same time


@dataclass(frozen=True)
class ImageFiles:
    """The image files of a form: of the main image, and of additional images."""

    main: bytes | None = None
    additional: Sequence[bytes] = ()


@dataclass(frozen=True)
class PutResult:
    """The product after a put, and whether the put created it."""

    response: ProductResponse
    created: bool


def check_key(key: str) -> str:
    """Return a product's id if it is valid.

    Raises:
        InvalidRequest: it is empty, too long, or has control characters.
    """
    if not key.strip() or len(key) > MAX_KEY_LENGTH or not key.isprintable():
        raise InvalidRequest(f"a product's id has 1 to {MAX_KEY_LENGTH} printable characters")
    return key


def check_new_key(key: str) -> str:
    """Return a product's id if a product may be created under it.

    Raises:
        InvalidRequest: it is not valid, or is a step in a path, which browsers and proxies remove from addresses.
    """
    if check_key(key) in (".", ".."):
        raise InvalidRequest(f"a product's id cannot be {key!r}: browsers and proxies remove it from addresses")
    return key


class ChangedMeanwhile(Exception):
    """A product is not as it was read: another process has written it."""


class ProductService:
    """Writes and reads single products."""

    def __init__(
        self, store: CatalogueDatabase, embedding: EmbeddingClient, binding: ModelBinding, links: Links
    ) -> None:
        self.store = store
        self.embedding = embedding
        self.binding = binding
        self.links = links
        self.images = ProductImages(store, embedding, links)
        self._patching: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def put(self, key: str, body: ProductBody, files: ImageFiles, reader: ImageReader) -> PutResult:
        """Create or replace a product. Its images go through the network; a search finds it within a second.

        Args:
            key: the product's id.
            body: the product.
            files: the image files of the request.
            reader: fetches or decodes the images that the body names.

        Raises:
            InvalidRequest: a new product has no image, the main image is given twice, there are too many images, or the
                database refuses the product.
            InvalidImage, ImageTooLarge, UnsupportedImage, ImageUrlRefused, ImageUrlFailed: an image cannot be used.
            UnknownCategory: the model has no such category.
            EmbeddingUnavailable, CatalogueUnavailable, UpstreamTimeout: a service fails.
        """
        return await self._write(key, body, files, reader, await self.store.products.get(key))

    async def patch(self, key: str, patch: ProductPatch, files: ImageFiles, reader: ImageReader) -> ProductResponse:
        """Change parts of a product. If another gateway changes it meanwhile, the patch is applied to its new state.

        Args:
            key: the product's id.
            patch: the changes.
            files: the image files of the request.
            reader: fetches or decodes the images that the patch names.

        Raises:
            UnknownProduct: there is no such product. Otherwise as `put`.
            CatalogueUnavailable: others change the product all the time.
        """
        async with self._patching.setdefault(key, asyncio.Lock()):
            for _ in range(PATCH_ATTEMPTS):
                old, revision = await self.store.products.get_revision(key)
                if old is None:
                    raise _unknown(key)
                names = (await self.binding.serving_facts()).categories
                body = patch.applied(old, names, has_new_image=files.main is not None)
                put = partial(self._replace, revision=revision)
                with contextlib.suppress(ChangedMeanwhile):
                    return (await self._write(key, body, files, reader, old, put)).response
        raise CatalogueUnavailable(f"the product {key!r} changes too often: send the patch again")

    async def _write(
        self,
        key: str,
        body: ProductBody,
        files: ImageFiles,
        reader: ImageReader,
        old: Product | None,
        put: Callable[[Product], Awaitable[object]] | None = None,
    ) -> PutResult:
        data = await self._image(body, files.main, reader, old)
        if data is not None and body.image_url is None:
            data = await asyncio.to_thread(without_metadata, data)
        requested = await self.images.requested(body.images, files.additional, old, reader)
        if data is None:
            product = await self._described_again(key, body, old)
        else:
            product = await self._embedded(key, body, data, old)
        pictures: list[tuple[str, StoredImage]] = []
        if data is not None or body.images is not None or files.additional:
            product, pictures = await self.images.added(product, old, requested, reader)
        if data is not None and body.image_url is None:
            pictures.append((key, stored(data)))
        if pictures:
            await self.store.pictures.put_many(pictures)
        try:
            await (put or self.store.products.put)(product)
        except ValueError as error:
            raise InvalidRequest(f"the product cannot be stored: {error}") from None
        await self.images.clear(product, old)
        return PutResult(await self._response(product), created=old is None)

    async def _replace(self, product: Product, revision: str | None) -> None:
        if not await self.store.products.replace(product, revision):
            raise ChangedMeanwhile

    async def get(self, key: str) -> ProductResponse:
        """Return a product.

        Raises:
            UnknownProduct, CatalogueUnavailable.
        """
        return await self._response(await self.known(key))

    async def page(
        self, position: ListPosition, limit: int, wanted: ListedProducts
    ) -> tuple[list[ProductResponse], ListPosition | None]:
        """Return the next products of the list of all, and the place after them; None after the last one.

        A page may be short, or empty, before the end: at most MAX_READ documents are read for it.

        Raises:
            InvalidRequest: the place is not valid.
            UnknownCategory: the model has no such category.
            CatalogueUnavailable.
        """
        facts = await self.binding.serving_facts()
        category = wanted.category_name(facts.categories)
        listed: list[ProductResponse] = []
        left = MAX_READ
        following: ListPosition | None = position
        while following is not None and len(listed) < limit and left > 0:
            try:
                size = limit - len(listed) if wanted.is_all else max(limit, FEWEST_READ)
                page = await self.store.products.page(following, min(left, size))
            except ValueError as error:
                raise InvalidRequest(f"cursor: {error}") from None
            left -= max(1, len(page.products))
            following = page.following
            for product, place in page.products:
                response = self._shown(product, facts)
                if wanted.matches(response, category):
                    listed.append(response)
                    if len(listed) == limit:
                        is_last = place == page.products[-1][1]
                        following = page.following if is_last else place
                        break
        return listed, following

    async def warnings(self, wanted: ListedProducts) -> list[str]:
        """Return what in the choice of products has no effect: attributes that no product has.

        Raises:
            CatalogueUnavailable.
        """
        names = await self.store.products.lacking(wanted.filter.attributes) if wanted.filter else []
        return [f"no product has the attribute {name!r}" for name in names]

    async def all(self, wanted: ListedProducts) -> AsyncIterator[list[ProductResponse]]:
        """Yield all products that are wanted, several at a time.

        Raises:
            UnknownCategory: the model has no such category.
            CatalogueUnavailable.
        """
        facts = await self.binding.serving_facts()
        category = wanted.category_name(facts.categories)
        async for products in self.store.products.all():
            responses = (self._shown(product, facts) for product in products)
            yield [response for response in responses if wanted.matches(response, category)]

    async def delete_many(self, keys: Sequence[str]) -> list[str]:
        """Remove products and their stored pictures. Return the ids of which there was no product.

        Raises:
            CatalogueUnavailable.
        """
        absent = [key for key in keys if await self.store.products.get(key) is None]
        await self.store.products.delete_many(sorted(set(keys) - set(absent)))
        return absent

    async def delete(self, key: str) -> None:
        """Remove a product and its stored pictures.

        Raises:
            UnknownProduct, CatalogueUnavailable.
        """
        if not await self.store.products.delete(key):
            raise _unknown(key)

    async def image(self, key: str, picture: str | None = None) -> StoredImage:
        """Return the stored picture of a product's main image, or of the additional image with that name.

        Raises:
            UnknownProduct: there is no such product, or its picture is not stored here.
            CatalogueUnavailable.
        """
        image = await self.store.pictures.get(key if picture is None else picture_id(key, picture))
        if image is None:
            raise UnknownProduct(f"no picture of a product {key!r} is stored here")
        return image

    async def known(self, key: str) -> Product:
        """Return a product as it is stored.

        Raises:
            UnknownProduct, CatalogueUnavailable.
        """
        product = await self.store.products.get(key)
        if product is None:
            raise _unknown(key)
        return product

    async def _image(
        self, body: ProductBody, image: bytes | None, reader: ImageReader, old: Product | None
    ) -> bytes | None:
        if image is not None and body.image_base64 is not None:
            raise InvalidRequest("give the image once: as a file part or as image_base64")
        if image is not None:
            return image
        if body.image_base64 is not None:
            return await reader.from_large_base64(body.image_base64)
        if body.image_url is not None and (old is None or old.images[0].url != body.image_url):
            return await reader.from_url(body.image_url)
        if old is None:
            raise InvalidRequest("a new product needs an image: a file part, image_base64 or image_url")
        return None

    async def _embedded(self, key: str, body: ProductBody, data: bytes, old: Product | None) -> Product:
        note = await self.store.models.note()
        model, secondary = note.written((await self.binding.serving_facts(note.active)).model)
        response = await self.embedding.embed(data, model, secondary_model=secondary)
        sha256 = hashlib.sha256(data).hexdigest()
        embeddings = filter(None, (response, response.secondary))
        product = Product(
            key=key,
            category=await self._category(body, response),
            embeddings={embedding.model: embedding_of(embedding, sha256) for embedding in embeddings},
            model=response.model,
            images=(ProductImage(body.image_url, sha256),),
            category_source="network" if body.category is None else "feed",
            created_at=datetime.now(UTC) if old is None else old.created_at,
        )
        return _described(product, body)

    async def _described_again(self, key: str, body: ProductBody, old: Product | None) -> Product:
        if old is None:
            raise _unknown(key)
        # Embeddings of other models stay as they are: another process may be writing newer ones.
        product = replace(_described(old, body), key=key, embeddings={old.model: old.embedding})
        if body.category is None:
            return product
        category = resolve_category(str(body.category), (await self.binding.serving_facts()).categories)
        return replace(product, category=category, category_source="feed")

    async def _category(self, body: ProductBody, response: EmbeddingResponse) -> int:
        if body.category is None:
            return response.category.id
        return resolve_category(str(body.category), (await self.binding.facts(response.model)).categories)

    async def _response(self, product: Product) -> ProductResponse:
        return self._shown(product, await self.binding.serving_facts())

    def _shown(self, product: Product, facts: ModelFacts) -> ProductResponse:
        """Return a product as a model sees it."""
        shown = product.embedded_by(facts.model) or product
        name = self.store.catalogue
        links = (
            self.links.product(shown, name),
            self.links.image(shown, name),
            self.links.additional_images(shown, name),
        )
        return ProductResponse.of(shown, facts.categories, *links)


def _described(product: Product, body: ProductBody) -> Product:
    attributes: Attributes = dict(body.attributes)
    return replace(
        product,
        title=body.title,
        url=body.url,
        attributes=attributes,
        group=body.group,
        feed_sha256=None,
        updated_at=datetime.now(UTC),
    )


def _unknown(key: str) -> UnknownProduct:
    return UnknownProduct(f"there is no product {key!r}")
