"""The local stack with drawn products in its catalogue, for tests and for pictures of the pages."""

import base64
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from services.local.settings import StackSettings
from services.local.stack import Stack
from services.sample_shop.catalogue import sample_products

INDEXED_WITHIN_S = 600  # only against a hang
POLL_S = 0.1


@dataclass(frozen=True)
class Shop:
    """A running stack: the gateway's address, the stack's settings and a client of the gateway's API."""

    url: str
    settings: StackSettings
    api: httpx.Client


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the length of the block. The stack's processes inherit them."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def running_shop(settings: StackSettings, *, shoes: int, others: int, variables: Mapping[str, str]) -> Iterator[Shop]:
    """Run a stack with products for the length of the block.

    Args:
        settings: the stack's ports and folder.
        shoes: how many shoes.
        others: how many products of each other category, at most `shoes`.
        variables: environment variables of the stack's processes.
    """
    stack = Stack(settings)
    try:
        with environment(
            variables
        ):  # not for the whole block: other processes that start meanwhile must not inherit them
            stack.up("test", print)
        with httpx.Client(base_url=settings.gateway_url, timeout=INDEXED_WITHIN_S, trust_env=False) as api:
            put_products(api, shoes, others)
            yield Shop(settings.gateway_url, settings, api)
    finally:
        stack.down()


def put_products(api: httpx.Client, shoes: int, others: int) -> None:
    """Put drawn products through the API and wait until searches find them."""
    count = 0
    for product in sample_products(per_category=shoes):
        number = int(product.id.rsplit("-", 1)[1])
        if product.category != "Shoes" and number > others:
            continue
        body = {
            "title": product.title,
            "url": product.url,
            "category": product.category,
            "attributes": {**product.attributes, "price": product.price, "currency": product.currency},
            "image_base64": base64.b64encode(product.jpeg()).decode(),
        }
        api.put(f"/v1/products/{product.id}", json=body).raise_for_status()
        count += 1
    deadline = time.monotonic() + INDEXED_WITHIN_S
    while api.get("/v1/stats").json()["products"] < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the index does not hold {count} products after {INDEXED_WITHIN_S} s")
        time.sleep(POLL_S)
