"""Writing and reading single products. Knows no HTTP."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from services.catalogue.documents.embeddings import embedding_of
from services.catalogue.product import (
    MAX_ATTRIBUTES,
    MAX_GROUP_LENGTH,
    MAX_IMAGES,
    MAX_KEY_LENGTH,
    Product,
    ProductImage,
    StoredImage,
)
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.pictures import picture_id
from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.categories import resolve_category
from services.contracts.domain.errors import InvalidRequest, UnknownProduct
from services.contracts.wire.embedding import EmbeddingResponse
from services.contracts.wire.index import Attributes
from services.gateway.products.images import ImageBody, ProductImages, stored
from services.gateway.products.responses import ProductResponse
from services.gateway.search.image_reader import ImageReader
from services.gateway.search.links import Links
from services.gateway.search.model_binding import ModelBinding

MAX_ATTRIBUTE_TEXT = 1000  # characters of a value
MAX_ATTRIBUTE_VALUES = 100  # of a list
AttributeText = Annotated[str, Field(max_length=MAX_ATTRIBUTE_TEXT)]
AttributeName = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^.$\x00][^.\x00]*$")]
AttributeList = Annotated[list[AttributeText | bool | int | float], Field(max_length=MAX_ATTRIBUTE_VALUES)]


class ProductBody(BaseModel):
    """A product in a request. Without an image, an existing product keeps its own."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = Field(default=None, max_length=1000, examples=["Men's navy blue checked shirt"])
    url: str | None = Field(default=None, max_length=2048, examples=["https://shop.example/products/15970"])
    image_url: str | None = Field(
        default=None,
        max_length=2048,
        description="URL of the shop's own image: results link it; it is fetched once if the request has no image",
    )
    image_base64: str | None = Field(default=None, description="the image file in base64, or a data: URL")
    images: list[ImageBody] | None = Field(
        default=None,
        max_length=MAX_IMAGES - 1,
        description="additional images, in their order; default: those that the product has; [] removes them",
        examples=[[{"url": "https://shop.example/images/15970-back.jpg"}]],
    )
    category: str | int | None = Field(default=None, description="name or id; default: the predicted category")
    attributes: dict[AttributeName, AttributeText | bool | int | float | AttributeList] = Field(
        default_factory=dict,
        max_length=MAX_ATTRIBUTES,
        examples=[{"gender": "Men", "baseColour": "Navy Blue", "price": 29.9}],
    )
    group: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_GROUP_LENGTH,
        description="what the variants of a style share",
        examples=["SHIRT-12"],
    )

    @field_validator("attributes", mode="before")
    @classmethod
    def _are_few(cls, value: object) -> object:
        """Count the attributes before each of them is validated."""
        if isinstance(value, dict) and len(value) > MAX_ATTRIBUTES:
            raise ValueError(f"a product has at most {MAX_ATTRIBUTES} attributes, not {len(value):,}")
        return value


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
        old = await self.store.products.get(key)
        data = await self._image(body, files.main, reader, old)
        requested = await self.images.requested(body.images, files.additional, old, reader)
        product = await (self._described_again(key, body, old) if data is None else self._embedded(key, body, data))
        pictures: list[tuple[str, StoredImage]] = []
        if data is not None or body.images is not None or files.additional:
            product, pictures = await self.images.added(product, old, requested, reader)
        if data is not None and body.image_url is None:
            pictures.append((key, stored(data)))
        if pictures:
            await self.store.pictures.put_many(pictures)
        try:
            await self.store.products.put(product)
        except ValueError as error:
            raise InvalidRequest(f"the product cannot be stored: {error}") from None
        await self.images.clear(product, old)
        return PutResult(await self._response(product), created=old is None)

    async def get(self, key: str) -> ProductResponse:
        """Return a product.

        Raises:
            UnknownProduct, CatalogueUnavailable.
        """
        return await self._response(await self._known(key))

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

    async def _known(self, key: str) -> Product:
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
            return reader.from_base64(body.image_base64)
        if body.image_url is not None and (old is None or old.images[0].url != body.image_url):
            return await reader.from_url(body.image_url)
        if old is None:
            raise InvalidRequest("a new product needs an image: a file part, image_base64 or image_url")
        return None

    async def _embedded(self, key: str, body: ProductBody, data: bytes) -> Product:
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
        facts = await self.binding.serving_facts()
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
