"""Baskets of the log in the database, against the server that MONGO_URL names, else a stand-in."""

from datetime import UTC, datetime, timedelta

import numpy as np

from services.catalogue.store.database import CatalogueDatabase
from services.gateway.look.basket_book import BasketBook, BasketSource
from services.look.compatibility import Garment
from tests.support.values.events import make_event
from tests.support.values.products import make_product

MODEL = "fashion/1"
HERE = ("default",)


async def test_baskets_are_read_from_the_log_with_the_vectors_of_their_products(store: CatalogueDatabase) -> None:
    axes = np.eye(4, dtype=np.float32)
    for number, key in enumerate(("top", "shoes", "boots", "bag")):
        await store.products.put(make_product(key, min(number, 1), axes[number], MODEL))
    now = datetime.now(UTC)
    await store.events.add_events(
        [
            make_event("add_to_cart", "e1", now, product="top", visitor="v"),
            make_event("purchase", "e2", now, product="shoes", visitor="v"),
            make_event("click", "e3", now, product="boots", visitor="v"),
            make_event("purchase", "e4", now - timedelta(days=400), product="boots", visitor="w"),
            make_event("purchase", "e5", now - timedelta(days=400), product="top", visitor="w"),
        ]
    )

    async def active() -> str:
        return MODEL

    book = BasketBook({"default": BasketSource(store.events, store.products)}, active, days=90, weight=0.5)
    assert await book.read()
    bought = book.of(HERE, MODEL)
    assert bought is not None
    assert len(bought) == 1
    partners = bought.partners([Garment(0, axes[0])], 1)
    assert partners is not None
    assert partners.weight > 0
    await store.events.delete_visitor("v")
    await book.forget("v")
    assert book.of(HERE, MODEL) is None
    assert await book.read()
    again = book.of(HERE, MODEL)
    assert again is not None
    assert len(again) == 0
