"""The list of all products: how many documents a page reads, where it ends, and what a cursor is."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from services.catalogue.product import Product
from services.catalogue.store.product_pages import ListPosition, ProductPage
from services.contracts.domain.errors import InvalidRequest, UnknownCategory, UnknownProduct
from services.contracts.wire.embedding import ModelFacts
from services.contracts.wire.filter_json import parse_filter
from services.gateway.products.listing import ListedProducts, ListOptions, cursor_of, position_of
from services.gateway.products.service import ProductService, check_key, check_new_key
from services.gateway.search.links import Links
from tests.support.values.products import make_product

ALL = ListedProducts()
NAMES = ["Topwear", "Shoes"]
START = ListPosition("text")


def product(number: int) -> Product:
    return make_product(f"p{number:04}", number % 2, np.array([1, 0], np.float32), "m/1", attributes={"n": number})


@dataclass
class Documents:
    """The documents of a catalogue, of which only those of `products` are products. A page has at most `largest`."""

    count: int
    products: frozenset[int]
    largest: int = 10_000
    read: list[int] = field(default_factory=list)

    async def page(self, position: ListPosition, limit: int) -> ProductPage:
        if position.last == "bad":
            raise ValueError("it is bad")
        self.read.append(limit)
        begin = 0 if position.last is None else int(str(position.last)[1:]) + 1
        end = min(begin + min(limit, self.largest), self.count)
        rows = tuple((product(number), place(number)) for number in range(begin, end) if number in self.products)
        return ProductPage(rows, None if end == self.count else place(end - 1))

    async def all(self) -> AsyncIterator[list[Product]]:
        for begin in range(0, self.count, 2):
            yield [product(number) for number in range(begin, min(begin + 2, self.count))]


class Binding:
    async def serving_facts(self) -> ModelFacts:
        return ModelFacts(model="m/1", categories=NAMES, dimension=2, input={}, thresholds={})


def place(number: int) -> ListPosition:
    return ListPosition("text", f"p{number:04}")


def service(documents: Any) -> ProductService:
    fakes: tuple[Any, Any, Any] = SimpleNamespace(products=documents, catalogue="default"), None, Binding()
    return ProductService(*fakes, Links())


def documents(count: int, products: Sequence[int] | None = None, largest: int = 10_000) -> Documents:
    return Documents(count, frozenset(range(count) if products is None else products), largest)


def wanted(**condition: Any) -> ListedProducts:
    return ListedProducts(parse_filter({"n": condition}))


async def page(rows: Documents, limit: int, choice: ListedProducts = ALL) -> tuple[list[int], ListPosition | None]:
    listed, following = await service(rows).page(START, limit, choice)
    return [int(response.id[1:]) for response in listed], following


async def test_a_page_of_all_products_reads_no_more_documents_than_it_shows() -> None:
    rows = documents(5)
    assert await page(rows, 3) == ([0, 1, 2], place(2))
    assert await page(rows, 5) == ([0, 1, 2, 3, 4], None)
    assert rows.read == [3, 5]


async def test_documents_that_are_no_products_are_made_up_for() -> None:
    rows = documents(6, products=[1, 2, 5])
    assert await page(rows, 3) == ([1, 2, 5], None)
    assert rows.read == [3, 1, 1, 1]


async def test_a_page_with_a_filter_goes_on_behind_its_last_product() -> None:
    rows = documents(300)
    assert await page(rows, 2, wanted(gte=10)) == ([10, 11], place(11))
    assert rows.read == [200]  # many at once: most may be left out
    # Its last product is the last one that was read: the next page begins where the reading stopped.
    assert await page(documents(200), 200, wanted(gte=0)) == (list(range(200)), None)
    assert await page(documents(201), 1, wanted(gte=199)) == ([199], place(199))
    rows = documents(600)
    assert (await page(rows, 300, wanted(gte=100)))[0] == list(range(100, 400))
    assert rows.read == [300, 300]


async def test_a_page_with_a_filter_may_be_short_before_the_end() -> None:
    rows = documents(6000)
    assert await page(rows, 1, wanted(gte=5500)) == ([], place(4999))
    assert (rows.read, sum(rows.read)) == ([200] * 25, 5000)
    rows = documents(6000)
    assert await page(rows, 600, wanted(gte=5500)) == ([], place(4999))
    assert rows.read == [600] * 8 + [200]


async def test_documents_without_products_count_one_a_reading() -> None:
    rows = documents(6000, products=[5500], largest=1)
    assert await page(rows, 1) == ([], place(4999))


async def test_a_page_of_a_category_has_only_its_products() -> None:
    assert (await page(documents(6), 10, ListedProducts(category="shoes")))[0] == [1, 3, 5]
    assert (await page(documents(6), 10, ListedProducts(category="0")))[0] == [0, 2, 4]
    with pytest.raises(UnknownCategory):
        await page(documents(6), 10, ListedProducts(category="hats"))


async def test_a_place_that_the_database_refuses_is_an_invalid_request() -> None:
    with pytest.raises(InvalidRequest, match=r"^cursor: it is bad$"):
        await service(documents(1)).page(ListPosition("text", "bad"), 1, ALL)


async def test_all_products_come_in_parts() -> None:
    choice = ListedProducts(parse_filter({"n": {"lt": 4}}), "Shoes")
    parts = [[response.id for response in part] async for part in service(documents(5)).all(choice)]
    assert parts == [["p0001"], ["p0003"], []]


def test_a_list_of_all_has_neither_filter_nor_category() -> None:
    assert ALL.is_all
    assert not ListedProducts(category="Shoes").is_all
    assert not wanted(gte=1).is_all


@pytest.mark.parametrize(
    "position",
    [ListPosition("text"), ListPosition("text", "a/b ü"), ListPosition("number", 5), ListPosition("object", "0" * 24)],
)
def test_a_cursor_is_a_place_in_the_list(position: ListPosition) -> None:
    cursor = cursor_of(position)
    assert position_of(cursor) == position
    assert "=" not in cursor
    assert ListOptions(cursor=cursor).position == position


def test_without_a_cursor_the_list_begins_with_the_first_type_of_ids() -> None:
    assert ListOptions().position == ListPosition("object")


@pytest.mark.parametrize(
    ("key", "is_key"),
    [("x", True), ("x" * 256, True), ("x" * 257, False), ("", False), (" ", False), ("a\nb", False), ("ä b/c", True)],
)
def test_an_id_is_printable_and_of_bounded_length(key: str, is_key: bool) -> None:
    if is_key:
        assert check_key(key) == check_new_key(key) == key
    else:
        with pytest.raises(InvalidRequest):
            check_key(key)


@pytest.mark.parametrize("step", [".", ".."])
def test_no_product_is_created_under_a_step_of_a_path(step: str) -> None:
    assert check_key(step) == step
    with pytest.raises(InvalidRequest, match="browsers and proxies remove it"):
        check_new_key(step)


async def test_an_unknown_product_is_named() -> None:
    class Nothing:
        async def get(self, key: str) -> None:
            return None

        async def delete(self, key: str) -> bool:
            return False

    products = service(Nothing())
    for work in (products.get, products.known, products.delete):
        with pytest.raises(UnknownProduct, match="there is no product 'x'"):
            await work("x")
