"""The URLs of products and of their images."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from services.catalogue.product import Product
from services.contracts.domain.catalogues import path_of
from services.contracts.wire.index import IndexedProduct

PLAIN = re.compile(r"[\w.~-]+", re.ASCII)  # keys that stay as they are in a URL
STORED = "/v1/products/"  # prefix of the addresses of pictures that this gateway stores


@dataclass(frozen=True)
class Links:
    """Makes URLs. A product's own URL comes first. A template holds `{id}` and may hold `{catalogue}`.

    `base` returns what the addresses of stored pictures begin with, without a `public_url`.
    """

    product_template: str | None = None
    image_template: str | None = None
    public_url: str | None = None
    base: Callable[[], str] = str

    def product(self, item: IndexedProduct | Product, catalogue: str) -> str | None:
        """Return the URL of the product's page: its own, or the template's; None without either."""
        return item.url or self._fill(self.product_template, item, catalogue)

    def image(self, item: IndexedProduct | Product, catalogue: str) -> str | None:
        """Return the URL of the main image: its own or its stored picture's, or the template's; None without any."""
        own = item.picture_urls[0] if isinstance(item, Product) else item.image_url
        return self._fill(self.image_template, item, catalogue) if own is None else self._public(own, catalogue)

    def additional_images(self, product: Product, catalogue: str) -> list[str | None]:
        """Return the URLs of the additional images: their own or their stored pictures'; None without either."""
        return [None if own is None else self._public(own, catalogue) for own in product.picture_urls[1:]]

    def _public(self, own: str, catalogue: str) -> str:
        if own.startswith(STORED):
            own = path_of(catalogue) + own
        if not own.startswith("/"):
            return own
        return (self.public_url.rstrip("/") if self.public_url else self.base()) + own

    def _fill(self, template: str | None, item: IndexedProduct | Product, catalogue: str) -> str | None:
        if template is None:
            return None
        key = item.key if isinstance(item, Product) else item.id
        quoted = key if PLAIN.fullmatch(key) else quote(key, safe="")
        return template.replace("{catalogue}", catalogue).replace("{id}", quoted)
