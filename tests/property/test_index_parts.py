"""A category in parts against one node that holds all of it: the same answers, page by page."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.catalogue.documents.product_document import Record
from services.catalogue.product import unit_vector
from services.contracts.domain.errors import UnknownProduct
from services.contracts.domain.parts import WHOLE, Part
from services.contracts.wire.index import MAX_REACH, IndexResponse, IndexSearch, IndexSimilar
from services.gateway.index_nodes.nodes import IndexNodes
from tests.support.servers.index import MANIFEST, app_around, client_of, new_replica
from tests.support.values.products import additional_image, make_product

PRODUCTS = 620
CATALOGUES = ("default", "outlet")
DRAW = np.random.default_rng(5)
# Few different vectors, so that hundreds of products score the same and their ids decide.
KINDS = [unit_vector(vector.astype(np.float32)) for vector in DRAW.integers(-1, 2, (12, 64)) + 0.25]
THRESHOLDS = {"no_close_match": 0.8}  # so few different vectors have no scale of their own
LAYOUTS = {
    "one": [WHOLE],
    "two": [Part(1, 2), Part(2, 2)],
    "four": [Part(number, 4) for number in range(1, 5)],
    "mixed": [Part(1, 2), Part(2, 4), Part(4, 4)],  # while nodes are added
    "three": [Part(number, 3) for number in range(1, 4)],
}
Queries = st.fixed_dictionaries(
    {"k": st.sampled_from([1, 7, 10, 100]), "offset": st.sampled_from([0, 3, 40, 400])},
    optional={
        "filter": st.sampled_from(
            [
                {"colour": "Red"},
                {"colour": ["Red", "Blue"], "price": {"lt": 40}},
                {"$not": {"sizes": "M"}},
                {"group": "g3"},
                {"colour": "Green", "nothing": 1},
            ]
        ),
        "min_score": st.sampled_from([-0.2, 0.0, 0.3, 0.9]),
        "facets": st.just(True),
        "hide": st.just({"colour": "Blue"}),
        "pinned": st.just(["p004", "p001", "o003", "p002", "nothing"]),
        "vectors": st.just(True),
        "group_by": st.sampled_from(["group", "colour", "sku", "sizes"]),
    },
)


def facts(number: int) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "colour": ["Red", "Blue", "Navy Blue"][number % 3],
        "price": number % 97 / 2,
        "sizes": [["1", 1, True], ["S"], ["S", "M"], ["S", "M", "L"]][number % 4],
        "sku": f"A{number}",
        "brand": f"B{number % 70}",  # more than a facet may have; each quarter has fewer
        "sale": number % 5 == 0,
    }
    return {"attributes": attributes, "group": f"g{number % 9}", "title": f"title {number}"}


def records(catalogue: str) -> list[Record]:
    kinds = DRAW.integers(0, len(KINDS), (PRODUCTS, 3))
    products = [
        make_product(
            f"{'p' if catalogue == 'default' or number % 3 else 'o'}{number:03}",
            number % 2,
            KINDS[kinds[number, 0]],
            images=[additional_image(KINDS[kind]) for kind in kinds[number, 1 : 1 + number % 3]],
            **facts(number),
        )
        for number in DRAW.permutation(PRODUCTS).tolist()
    ]
    return [Record(product.key, product) for product in products]


@pytest.fixture(scope="module")
def layouts() -> Iterator[dict[str, IndexNodes]]:
    documents = {name: records(name) for name in CATALOGUES}
    with ExitStack() as stack:

        def node(part: Part) -> TestClient:
            replicas = {name: new_replica(part=part) for name in CATALOGUES}
            for name, replica in replicas.items():
                replica.apply([], documents[name])
            app = app_around(
                replicas.pop("default"), MANIFEST.model_copy(update={"thresholds": THRESHOLDS}), **replicas
            )
            return stack.enter_context(TestClient(app))

        parts = {part: node(part) for part in {part for layout in LAYOUTS.values() for part in layout}}
        built = {
            name: IndexNodes([client_of(parts[part], str(part.number)) for part in layout], refresh_s=60)
            for name, layout in LAYOUTS.items()
        }
        for nodes in built.values():
            asyncio.run(nodes.refresh())
        yield built


def shown(response: IndexResponse) -> dict[str, Any]:
    """Return what a response says, without times and the order of facets."""
    document = response.model_dump(mode="json", exclude={"timings_ms", "facets"})
    facets = sorted((facet.model_dump() for facet in response.facets), key=lambda facet: str(facet["attribute"]))
    return {**document, "facets": facets}


def assert_all_equal(layouts: dict[str, IndexNodes], query: IndexSearch | IndexSimilar) -> IndexResponse:
    async def ask(nodes: IndexNodes) -> IndexResponse:
        return await (nodes.similar(query) if isinstance(query, IndexSimilar) else nodes.search(query))

    responses = {name: asyncio.run(ask(nodes)) for name, nodes in layouts.items()}
    whole = shown(responses["one"])
    for name, response in responses.items():
        assert shown(response) == whole, name
    return responses["one"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 1000),
    options=Queries,
    catalogues=st.sampled_from([("default",), CATALOGUES]),
    exclude=st.lists(st.sampled_from([f"p{number:03}" for number in range(PRODUCTS)]), max_size=5),
)
def test_a_search_of_parts_is_one_of_all(
    layouts: dict[str, IndexNodes], seed: int, options: dict[str, Any], catalogues: Sequence[str], exclude: list[str]
) -> None:
    vector = unit_vector(np.random.default_rng(seed).standard_normal(64).astype(np.float32))
    assert_all_equal(
        layouts,
        IndexSearch.model_validate(
            {
                "category": seed % 2,
                "catalogues": catalogues,
                "vector": vector.tolist(),
                "model": "fashion/1",
                "exclude": exclude,
                **options,
            }
        ),
    )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers(0, PRODUCTS - 1), options=Queries, home=st.sampled_from([None, "outlet"]))
def test_products_like_one_of_another_part(
    layouts: dict[str, IndexNodes], number: int, options: dict[str, Any], home: str | None
) -> None:
    query = {
        "id": f"{'o' if home and number % 3 == 0 else 'p'}{number:03}",
        "catalogues": CATALOGUES,
        "catalogue": home,
    }
    response = assert_all_equal(layouts, IndexSimilar.model_validate({**query, **options}))
    assert (query["id"], home or "default") not in [(hit.id, hit.catalogue) for hit in response.hits]


def test_pages_of_parts_put_together_reach_as_far_as_those_of_one(layouts: dict[str, IndexNodes]) -> None:
    async def pages(nodes: IndexNodes) -> list[str]:
        query = IndexSearch(category=0, catalogues=CATALOGUES, vector=KINDS[0].tolist(), model="fashion/1", k=90)
        ids = []
        while True:
            response = await nodes.search(query)
            ids += [f"{hit.id}/{hit.catalogue}" for hit in response.hits]
            if response.next_page is None:
                return ids
            query = query.model_copy(update=response.next_page.model_dump())

    reached = {name: asyncio.run(pages(nodes)) for name, nodes in layouts.items()}
    assert len(set(reached["one"])) == MAX_REACH
    assert all(ids == reached["one"] for ids in reached.values())


def test_the_parts_together_count_what_one_counts(layouts: dict[str, IndexNodes]) -> None:
    for nodes in layouts.values():
        status = asyncio.run(nodes.status()).catalogues["default"]
        assert [category.products for category in status.categories][:2] == [PRODUCTS // 2] * 2
        assert (status.products, status.models[0].products) == (PRODUCTS, PRODUCTS)
        sample = asyncio.run(nodes.sample(50, 1, CATALOGUES)).products
        assert len({(product.id, product.catalogue) for product in sample}) == 50


def test_a_product_that_no_part_has_is_unknown(layouts: dict[str, IndexNodes]) -> None:
    for nodes in layouts.values():
        with pytest.raises(UnknownProduct, match="'nothing'"):
            asyncio.run(nodes.similar(IndexSimilar(id="nothing")))
