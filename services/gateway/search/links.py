"""Product ids → the URLs that a result carries."""

from dataclasses import dataclass, replace
from urllib.parse import quote

from services.catalogue.product import Product
from services.contracts.domain.catalogues import DEFAULT, path_of
from services.contracts.wire.index import Listed

STORED = "/v1/products/"  # what the addresses of this gateway's own copies begin with


@dataclass(frozen=True)
class Links:
    """Makes URLs. A template holds `{id}`, and may hold `{catalogue}`; what the product's own document says comes first."""

    product_template: str | None = None
    image_template: str | None = None
    public_url: str | None = None
    catalogue: str = DEFAULT

    def of(self, catalogue: str) -> "Links":
        """Return the same for the products of another catalogue."""
        return self if catalogue == self.catalogue else replace(self, catalogue=catalogue)

    def product(self, item: Listed | Product) -> str | None:
        """Return the product's page: its own URL, or the template's, or None."""
        return item.url or self._fill(self.product_template, _key(item))

    def image(self, item: Listed | Product) -> str | None:
        """Return the product's picture: its own URL, the template's, or this gateway's copy where it has one."""
        own = item.picture_urls[0] if isinstance(item, Product) else item.image_url
        return self._fill(self.image_template, _key(item)) if own is None else self._public(own)

    def additional_images(self, product: Product) -> list[str | None]:
        """Return the product's additional pictures: their own URLs, or this gateway's copies; None where there is neither."""
        return [None if own is None else self._public(own) for own in product.picture_urls[1:]]

    def _public(self, own: str) -> str:
        if own.startswith(STORED):
            own = path_of(self.catalogue) + own
        return self.public_url.rstrip("/") + own if self.public_url and own.startswith("/") else own

    def _fill(self, template: str | None, key: str) -> str | None:
        if template is None:
            return None
        return template.replace("{catalogue}", self.catalogue).replace("{id}", quote(key, safe=""))


def _key(item: Listed | Product) -> str:
    return item.key if isinstance(item, Product) else item.id
