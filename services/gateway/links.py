"""Product ids → the URLs that a result carries."""

from dataclasses import dataclass
from urllib.parse import quote

from services.catalogue.product import Product
from services.contracts.wire import Listed


@dataclass(frozen=True)
class Links:
    """Makes URLs. A template holds `{id}`; what the product's own document says comes first."""

    product_template: str | None = None
    image_template: str | None = None
    public_url: str | None = None

    def product(self, item: Listed | Product) -> str | None:
        """Return the product's page: its own URL, or the template's, or None."""
        return item.url or self._fill(self.product_template, _key(item))

    def image(self, item: Listed | Product) -> str | None:
        """Return the product's picture: its own URL, the template's, or this gateway's copy where it has one."""
        own = item.picture_url if isinstance(item, Product) else item.image_url
        return self._fill(self.image_template, _key(item)) if own is None else self._public(own)

    def further(self, product: Product) -> list[str | None]:
        """Return the product's further pictures: their own URLs, or this gateway's copies; None where there is neither."""
        return [None if own is None else self._public(own) for own in product.further_urls]

    def _public(self, own: str) -> str:
        return self.public_url.rstrip("/") + own if self.public_url and own.startswith("/") else own

    @staticmethod
    def _fill(template: str | None, key: str) -> str | None:
        return None if template is None else template.replace("{id}", quote(key, safe=""))


def _key(item: Listed | Product) -> str:
    return item.key if isinstance(item, Product) else item.id
