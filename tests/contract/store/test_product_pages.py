"""The list of all products, page by page, against the server that MONGO_URL names, or a stand-in."""

from typing import Any

import numpy as np
from bson import ObjectId
from pymongo.collection import Collection

from services.catalogue.product import Product
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.product_pages import ListPosition
from tests.support.values.products import make_product

RNG = np.random.default_rng(5)


def product(key: str, **changes: Any) -> Product:
    return make_product(key, 1, RNG.standard_normal(8).astype(np.float32), **changes)


def legacy(document_id: Any, key: str) -> dict[str, Any]:
    return {"_id": document_id, "id": key, "Category": 1, "vector": RNG.standard_normal(8).tolist()}


async def listed(store: CatalogueDatabase, limit: int) -> list[str]:
    keys: list[str] = []
    position: ListPosition | None = ListPosition()
    while position is not None:
        page = await store.products.page(position, limit)
        keys += [product.key for product, _ in page.products]
        position = page.following
    return keys


async def test_every_product_is_listed_once_whatever_the_size_of_a_page(store: CatalogueDatabase) -> None:
    keys = [f"p{number}" for number in range(23)] + ["507f1f77bcf86cd799439011", "ä/ö", "0", "~a", " x"]
    await store.products.put_many(product(key) for key in keys)
    await store.products.put_marker()
    for limit in (1, 2, 7, 28, 29, 100):
        assert sorted(await listed(store, limit)) == sorted(keys)


async def test_a_place_between_two_products_is_where_the_next_page_begins(store: CatalogueDatabase) -> None:
    await store.products.put_many(product(f"p{number}") for number in range(6))
    page = await store.products.page(ListPosition("text"), 4)
    (_, place) = page.products[1]
    rest = await store.products.page(place, 10)
    assert [product.key for product, _ in rest.products] == ["p2", "p3", "p4", "p5"]


async def test_products_that_exist_throughout_are_listed_once_while_others_are_written(
    store: CatalogueDatabase,
) -> None:
    lasting = [f"p{number:02}" for number in range(0, 40, 2)]
    await store.products.put_many(product(key) for key in lasting)
    keys: list[str] = []
    position: ListPosition | None = ListPosition()
    number = 0
    while position is not None:
        page = await store.products.page(position, 3)
        keys += [product.key for product, _ in page.products]
        position = page.following
        await store.products.put_many([product(f"p{number:02}x"), product(f"p{39 - number:02}y"), product("p10")])
        await store.products.delete(f"p{number:02}x")
        number += 1
    assert [key for key in keys if key in lasting] == lasting
    assert len(keys) == len(set(keys))


async def test_legacy_documents_are_listed_and_those_of_one_product_once(
    store: CatalogueDatabase, raw: Collection[dict[str, Any]]
) -> None:
    await store.products.put(product("own"))
    first, second = ObjectId("1" * 24), ObjectId("2" * 24)
    raw.insert_many(
        [legacy(first, "old"), legacy(second, "old"), legacy(ObjectId("3" * 24), "own"), legacy(7, "seven")]
    )
    raw.insert_one({"_id": "broken", "Category": "none"})
    for limit in (1, 10):
        assert sorted(await listed(store, limit)) == ["old", "own", "seven"]
    exported = [product.key async for products in store.products.all(2) for product in products]
    assert sorted(exported) == ["old", "own", "seven"]


async def test_a_place_of_another_type_is_refused(store: CatalogueDatabase) -> None:
    for position in (ListPosition("object", "no id"), ListPosition("number", "a"), ListPosition("text", 1)):
        try:
            await store.products.page(position, 1)
        except ValueError as error:
            assert str(position.last) in str(error)
        else:
            raise AssertionError(position)
