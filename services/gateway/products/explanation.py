"""Why a product is found: which parts of the query's picture and of the product's picture make them alike."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from services.catalogue.product import Product
from services.catalogue.store.pictures import picture_id
from services.contracts.domain.errors import InvalidRequest, LookalikeError, UnknownProduct
from services.contracts.wire.embedding import PairExplanationResponse
from services.gateway.products.service import ProductService
from services.gateway.search.image_reader import ImageReader
from services.gateway.search.options import ExplainOptions


@dataclass(frozen=True)
class Explainer:
    """Explains the matches of one catalogue's products."""

    products: ProductService
    reader: ImageReader

    async def explain(self, key: str, photo: bytes | None, options: ExplainOptions) -> PairExplanationResponse:
        """Explain the match of a product with a photo, or with the main image of `options.query_product`.

        Raises:
            UnknownProduct: there is no such product, or its picture is no longer stored.
            InvalidRequest: the product has no such image, or none with a web address; or the box has too few pixels.
            ImageUrlRefused, ImageUrlFailed: the picture's address cannot be fetched.
            InvalidImage, ImageTooLarge, UnsupportedImage: a picture cannot be used.
            EmbeddingUnavailable, IndexNotReady, CatalogueUnavailable, UpstreamTimeout: a service fails.
        """
        model = await self.products.binding.active()
        if options.query_product is not None:
            photo = await self._picture(options.query_product, 0, model)
        if photo is None:
            raise InvalidRequest("send the query's photo, or name the product in its place as query_product")
        picture = await self._picture(key, options.image_index, model)
        return await self.products.embedding.explain(photo, picture, model, options.box)

    async def _picture(self, key: str, number: int, model: str) -> bytes:
        """Return the file of one of the images by which searches with a model find a product."""
        stored = await self.products.known(key)
        product = stored.embedded_by(model) or stored
        if number >= len(product.images):
            raise InvalidRequest(f"image_index: the product {key!r} has {len(product.images)} images, counted from 0")
        try:
            return await self._file(product, number)
        except LookalikeError as error:
            error.detail = f"the picture of the product {key!r}: {error.detail}"
            raise

    async def _file(self, product: Product, number: int) -> bytes:
        image, catalogue = product.images[number], self.products.store.catalogue
        url = image.url
        if url is None and image.sha256 is None and number == 0:
            url = self.products.links.image(product, catalogue)  # the template's
        if url is not None:
            if urlsplit(url).scheme not in ("http", "https"):
                raise InvalidRequest(f"its address {url!r} is no web address, so the gateway cannot read it")
            return await self.reader.from_url(url)
        name = product.key if number == 0 else picture_id(product.key, str(image.sha256))
        picture = await self.products.store.pictures.get(name)
        if picture is None:
            raise UnknownProduct("it is not stored here: send the product with its image again")
        return picture.data
