"""Products → catalogue: pictures first, so that no product is ever there without its picture."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from services.catalogue.documents.fingerprint import Fingerprint
from services.catalogue.importing.embedding import Products
from services.catalogue.importing.images import LoadedRow
from services.catalogue.importing.ports import Catalogue
from services.catalogue.importing.report import OutcomeLog
from services.catalogue.product import Product, StoredImage
from services.catalogue.retry import Retry
from services.catalogue.store.pictures import picture_id

Refusals = Mapping[str, str]  # reasons, by a product's key or a `picture_id`


class ProductWriter:
    """Writes the products of an import."""

    def __init__(self, catalogue: Catalogue, retry: Retry, outcomes: OutcomeLog) -> None:
        self._catalogue = catalogue
        self._retry = retry
        self._outcomes = outcomes

    async def write(self, products: Products, known: Mapping[str, Fingerprint]) -> None:
        """Write products: new ones, which cost the database less, apart from those that are known."""
        new = [pair for pair in products if pair[0].key not in known]
        old = [pair for pair in products if pair[0].key in known]
        for part in filter(None, (new, old)):
            await self._write(part, known)

    async def _write(self, products: Products, known: Mapping[str, Fingerprint]) -> None:
        new = not any(row.key in known for row, _ in products)
        refused = await self._put_pictures(products, known, new=new)
        if refused:
            products = [(row, self._without_refused(row, product, refused)) for row, product in products]
        accepted = [product for row, product in products if row.key not in refused]
        if accepted:
            report = await self._retry.call(lambda: self._catalogue.products.put_many(accepted, probably_new=new))
            refused |= {failure.key: failure.reason for failure in report.failures}
        await self._remove_pictures([pair for pair in products if pair[0].key not in refused], known)
        for row, product in products:
            if row.key in refused:
                self._outcomes.product_rejected(row.item, refused[row.key])
            else:
                self._outcomes.tally.count(product, is_new=row.key not in known)
                self._outcomes.done(row.item.row, "updated" if row.key in known else "imported")

    async def _put_pictures(self, products: Products, known: Mapping[str, Fingerprint], *, new: bool) -> dict[str, str]:
        """Store the pictures that no web server has, and return the refused ones."""
        pictures = [picture for row, product in products for picture in _new_pictures(row, product, known)]
        if not pictures:
            return {}
        report = await self._retry.call(lambda: self._catalogue.pictures.put_many(pictures, probably_new=new))
        return {failure.key: failure.reason for failure in report.failures}

    def _without_refused(self, row: LoadedRow, product: Product, refused: Refusals) -> Product:
        """Return a product without the additional images whose pictures could not be stored."""
        lost = {
            image.sha256: image
            for image in row.images[1:]
            if image.url is None and picture_id(row.key, image.sha256) in refused
        }
        for sha256, image in lost.items():
            self._outcomes.image_rejected(row.item, image.name, refused[picture_id(row.key, sha256)])
        return replace(product, images=tuple(image for image in product.images if image.sha256 not in lost))

    async def _remove_pictures(self, products: Products, known: Mapping[str, Fingerprint]) -> None:
        """Remove the stored pictures that written products no longer have."""
        stale: dict[str, list[str]] = {}
        for row, product in products:
            stored = _stored_hashes(product)
            if row.key in known and set(_stored_hashes(known[row.key])) - set(stored):
                stale[row.key] = stored
        if stale:
            await self._retry.call(lambda: self._catalogue.pictures.keep_only(stale))


def _new_pictures(
    row: LoadedRow, product: Product, known: Mapping[str, Fingerprint]
) -> Iterator[tuple[str, StoredImage]]:
    """Yield the pictures to store, each with its `_id`: those from files, unless they are stored already."""
    if row.item.stores_image:
        yield row.key, row.main.picture
    hashes = {image.sha256 for image in product.images}
    stored = _stored_hashes(known[row.key]) if row.key in known else []
    for image in row.images[1:]:
        if image.url is None and image.sha256 in hashes and image.sha256 not in stored:
            yield picture_id(row.key, image.sha256), image.picture


def _stored_hashes(product: Product | Fingerprint) -> list[str]:
    """Return the hashes of the additional pictures that the catalogue stores."""
    return [image.sha256 for image in product.images[1:] if image.url is None and image.sha256 is not None]
