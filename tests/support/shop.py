"""The whole stack with drawn products in it, as the tests of the pages need it."""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from services.local.settings import StackSettings
from services.local.supervisor import processes
from services.sample_shop.catalogue import sample_products
from tests.support.stack import ROOT, eventually, free_ports, running_stack

MOST, FEW = 24, 6  # of the shoes, more than one page of results; of the others a few


@dataclass(frozen=True)
class Shop:
    """A running shop: its address, its settings, and a client that speaks to its API."""

    url: str
    settings: StackSettings
    api: httpx.Client


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables, which the stack's processes inherit, for as long as the block."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)


@contextmanager
def running_shop(state_dir: Path, *, most: int = MOST, few: int = FEW, **settings: str) -> Iterator[Shop]:
    """Run a stack with products: `most` shoes and `few` of each other category.

    `settings` are environment variables of its processes.
    """
    with environment(settings), running_stack(state_dir) as stack:
        url = stack.settings.gateway_url
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as api:
            count = fill(api, most, few)
            eventually(lambda: api.get("/v1/stats").json()["products"] >= count, within_s=60)
            yield Shop(url, stack.settings, api)


def fill(api: httpx.Client, most: int, few: int) -> int:
    """Put drawn products through the API: `most` shoes, `few` of each other category. Return how many."""
    count = 0
    for product in sample_products(per_category=most):
        number = int(product.id.rsplit("-", 1)[1])
        if product.category != "Shoes" and number > few:
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
    return count


@contextmanager
def second_gateway(shop: Shop, log: Path, **settings: str) -> Iterator[str]:
    """Run one more gateway on the same stack, set differently. Yields its address."""
    (port,) = free_ports(1)
    gateway = next(process for process in processes(shop.settings, "test") if process.name == "gateway")
    values = {**os.environ, **gateway.environment, **settings, "GATEWAY_PORT": str(port)}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.gateway"], env=values, cwd=ROOT, stdout=file, stderr=file
        )
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: _answers(url), within_s=60)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url + "/livez", trust_env=False, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
