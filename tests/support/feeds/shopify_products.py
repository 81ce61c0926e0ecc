"""Shopify's products.json for tests: a product of a shop's page and of the Admin API."""

from typing import Any

import orjson

from tests.support.feeds.shopify_exports import CDN

STOREFRONT: dict[str, Any] = {
    "id": 632910392,
    "title": "Linen shirt",
    "handle": "linen-shirt",
    "body_html": '<p>A {shirt} of "linen" [sic]</p>',
    "published_at": "2026-11-01T10:00:00+01:00",
    "created_at": "2026-11-01T09:00:00+01:00",
    "updated_at": "2026-11-02T09:00:00+01:00",
    "vendor": "Acme",
    "product_type": "Shirts",
    "tags": ["summer", "linen"],
    "variants": [
        {
            "id": 1,
            "title": "White / M",
            "option1": "White",
            "option2": "M",
            "option3": "Long",
            "sku": "0041-W-M",
            "requires_shipping": True,
            "taxable": True,
            "featured_image": None,
            "available": False,
            "price": "49.90",
            "grams": 200,
            "compare_at_price": "69.90",
            "position": 1,
            "product_id": 632910392,
            "barcode": "04006381333931",
        },
        {
            "id": 2,
            "option1": "Navy",
            "option2": "M",
            "option3": "Long",
            "sku": "0041-N-M",
            "available": True,
            "price": "44.90",
        },
    ],
    "images": [
        {"id": 12, "position": 2, "src": f"{CDN}/back.jpg", "variant_ids": [], "width": 800, "height": 1000},
        {"id": 11, "position": 1, "src": f"{CDN}/front.jpg?v=1", "variant_ids": [1], "width": 800, "height": 1000},
    ],
    "options": [
        {"name": "Colour", "position": 1, "values": ["White", "Navy"]},
        {"name": "Size", "position": 2, "values": ["M"]},
        {"name": "Sleeve length", "position": 3, "values": ["Long"]},
    ],
}


ADMIN = STOREFRONT | {
    "tags": "summer, linen",
    "status": "active",
    "published_scope": "global",
    "template_suffix": None,
    "admin_graphql_api_id": "gid://shopify/Product/632910392",
    "image": {"id": 11, "position": 1, "src": f"{CDN}/front.jpg?v=1"},
    "variants": [
        {key: value for key, value in variant.items() if key != "available"}
        | {"inventory_quantity": 4 * n, "inventory_policy": "deny", "inventory_management": "shopify"}
        for n, variant in enumerate(STOREFRONT["variants"])
    ],
}


def page(*products: Any) -> bytes:
    return orjson.dumps({"products": products})
