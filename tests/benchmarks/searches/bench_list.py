"""The list of all products over HTTP, page by page, while others are changed, created and deleted.

LIST_BENCH sets the number of products (2,000), LIST_LIMIT the size of a page (1,000).
"""

import asyncio
import base64
import os
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np

from services.catalogue.store.database import CatalogueDatabase
from services.local.stack import Stack
from services.sample_shop.catalogue import sample_query
from tests.support.servers.stack import running_stack
from tests.support.values.products import make_product

COUNT = int(os.environ.get("LIST_BENCH", "2000"))
LIMIT = int(os.environ.get("LIST_LIMIT", "1000"))
BATCH = 1000
PHOTO = base64.b64encode(sample_query(1)).decode()


def main() -> dict[str, object]:
    """Print and return the figures; fail if a product is missing or listed twice."""
    with tempfile.TemporaryDirectory() as folder, running_stack(Path(folder)) as stack:
        keys = asyncio.run(fill(stack))
        writes: Counter[str] = Counter()
        with writing(stack, keys, writes):
            started = time.monotonic()
            listed, pages = list_products(stack)
            seconds = time.monotonic() - started
    missed = sum(listed[key] == 0 for key in keys)
    twice = sum(count > 1 for count in listed.values())
    figures: dict[str, object] = {
        "products": len(keys),
        "pages": pages,
        "seconds": round(seconds, 1),
        **{f"writes during the list: {kind}": count for kind, count in sorted(writes.items())},
        "missed": missed,
        "listed twice": twice,
    }
    for name, value in figures.items():
        print(f"  {name:<36} {value:>9,}")
    if missed or twice or not all(writes[kind] for kind in ("changed", "created", "deleted")):
        raise SystemExit("a product is missing or listed twice, or nothing was written during the list")
    return figures


async def fill(stack: Stack) -> list[str]:
    """Store products with random vectors, and return their ids: text and numbers of many lengths."""
    generator = np.random.default_rng(7)
    keys = [f"{prefix}{number}" for number, prefix in zip(range(COUNT), ["", "p/", "ä", "A-"] * COUNT, strict=False)]
    model = f"{stack.settings.model_dir.parent.name}/{stack.settings.model_dir.name}"
    database = CatalogueDatabase(stack.settings.mongo_url)
    await database.connect()
    try:
        for begin in range(0, COUNT, BATCH):
            batch = keys[begin : begin + BATCH]
            vectors = generator.standard_normal((len(batch), 64)).astype(np.float32)
            products = (make_product(key, 0, row, model) for key, row in zip(batch, vectors, strict=True))
            await database.products.put_many(products, probably_new=True)
    finally:
        await database.close()
    return keys


@contextmanager
def writing(stack: Stack, keys: list[str], writes: Counter[str]) -> Iterator[None]:
    """Change products of the list, and create and delete others, during the block; count the writes."""
    done = threading.Event()
    threads = [threading.Thread(target=target, args=(stack, keys, writes, done)) for target in (change, replace)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()


def change(stack: Stack, keys: list[str], writes: Counter[str], done: threading.Event) -> None:
    """Patch products at random."""
    chosen = random.Random(1)
    with client(stack) as api:
        while not done.is_set():
            path = httpx.URL("/").copy_with(raw_path=b"/v1/products/" + quoted(chosen.choice(keys)))
            api.patch(path, json={"title": f"changed {writes['changed']}"}).raise_for_status()
            writes["changed"] += 1


def replace(stack: Stack, keys: list[str], writes: Counter[str], done: threading.Event) -> None:
    """Create products before, between and after those of the list, and delete them again."""
    with client(stack) as api:
        while not done.is_set():
            number = writes["created"]
            for key in (f"!{number}", f"A-~{number}", f"öther{number}"):
                api.put(f"/v1/products/{key}", json={"image_base64": PHOTO}).raise_for_status()
                writes["created"] += 1
            api.delete(f"/v1/products/A-~{number}").raise_for_status()
            writes["deleted"] += 1


def list_products(stack: Stack) -> tuple[Counter[str], int]:
    """Return how often each product is listed, and the number of pages."""
    listed: Counter[str] = Counter()
    cursor: str | None = None
    pages = 0
    with client(stack) as api:
        while pages == 0 or cursor is not None:
            parameters = {"limit": LIMIT} | ({} if cursor is None else {"cursor": cursor})
            page = api.get("/v1/products", params=parameters).raise_for_status().json()
            listed.update(product["id"] for product in page["products"])
            cursor, pages = page["next_cursor"], pages + 1
    return listed, pages


def quoted(key: str) -> bytes:
    """Return an id as one part of a path."""
    return "".join(f"%{byte:02X}" for byte in key.encode()).encode()


def client(stack: Stack) -> httpx.Client:
    """Return a client of the gateway."""
    return httpx.Client(base_url=stack.settings.gateway_url, timeout=120, trust_env=False)
