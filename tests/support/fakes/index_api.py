"""Products, queries and problems for tests of the index's HTTP API."""

from typing import Any

import httpx
import numpy as np

from services.catalogue.documents.product_document import Record
from services.catalogue.product import unit_vector
from tests.support.values.products import make_product

VECTORS = np.stack([unit_vector(v) for v in np.random.default_rng(1).standard_normal((5, 64)).astype(np.float32)])


def product(number: int, category: int = 0) -> Record:
    """Return the document of one of five products: `p0`, `p1`, …"""
    key = f"p{number}"
    attributes: dict[str, Any] = {"colour": ["blue", "red"][number % 2], "price": 10.0 * number}
    url = f"https://shop.example/{key}"
    return Record(key, make_product(key, category, VECTORS[number], url=url, title=key, attributes=attributes))


def query(**changes: Any) -> dict[str, Any]:
    """Return the body of a search near to `p0`."""
    return {"category": 0, "vector": VECTORS[0].tolist(), "model": "fashion/1", **changes}


def problem(response: httpx.Response, status: int, slug: str) -> str:
    """Return the detail of a problem response, after checking its other fields."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == f"/problems/{slug}"
    assert response.json()["request_id"] == response.headers["x-request-id"]
    return str(response.json()["detail"])
