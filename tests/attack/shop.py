"""A small catalogue for the stack that is attacked."""

import base64
from collections.abc import Mapping

import httpx

from services.sample_shop.catalogue import sample_products
from tests.support.waiting import eventually


def fill(gateway_url: str, per_category: int = 2, headers: Mapping[str, str] | None = None) -> None:
    """Put drawn products, and wait until they are searchable."""
    with httpx.Client(base_url=gateway_url, timeout=30, trust_env=False, headers=headers) as http:
        products = list(sample_products(per_category=per_category))
        for product in products:
            body = {
                "title": product.title,
                "category": product.category,
                "attributes": dict(product.attributes),
                "image_base64": base64.b64encode(product.jpeg()).decode(),
            }
            http.put(f"/v1/products/{product.id}", json=body).raise_for_status()
        eventually(lambda: http.get("/v1/stats").json()["products"] >= len(products))
