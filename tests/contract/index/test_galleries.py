"""Both engines behind the index's API hold the same products and return the same: FAISS in memory, and Milvus.

Each test runs with FAISS, with Milvus in memory, and with a real Milvus server where it is installed.
"""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from services.catalogue.documents.product_document import Record
from services.catalogue.product import Product, unit_vector
from services.contracts.domain.errors import DimensionMismatch, UnknownCategory, UnknownProduct
from services.contracts.domain.filtering.filters import EVERYTHING
from services.contracts.wire.filter_json import parse_filter
from services.engine import multi_search
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery, Query
from services.index.milvus.collection import MilvusCollection, MilvusOptions, MilvusServer
from services.index.milvus.gallery import MilvusGallery
from services.index.milvus.position import MilvusPosition
from services.index.milvus.replica import MilvusReplica
from services.index.replica.replica import Replica
from services.index.replica.snapshot import Origin, SyncPosition
from tests.support.fakes.milvus import milvus_in_memory
from tests.support.servers.milvus import build_index, needs_milvus, running_milvus
from tests.support.values.filters import meets, without
from tests.support.values.products import additional_image, make_product

DIMENSION, CATEGORIES, PRODUCTS = 8, 3, 400
MODEL = "fashion/1"
DRAW = np.random.default_rng(7)
# Few different vectors, so that many products score the same and their ids decide.
KINDS = [unit_vector(vector.astype(np.float32)) for vector in DRAW.integers(-2, 3, (25, DIMENSION)) + 0.1]
NAMES = itertools.count()
MakeReplica = Callable[[], Replica]
FILTERS: list[dict[str, Any]] = [
    {},
    {"colour": "Red"},
    {"colour": ["Red", "Navy Blue"], "price": {"gte": 10, "lt": 40}},
    {"colour": []},
    {"$not": {"sizes": ["S", "L"]}},
    {"$or": [{"sale": True}, {"price": {"gt": 45}}], "group": ["g1", "g2", "g3"]},
    {"one": 1},
    {"one": True},
    {"one": "1"},
    {"$not": {"one": [1.0, "1"]}},
    {"prices": {"gte": 20, "lt": 21}},
    {"prices": {}},
    {"prices": {"lt": -(10**30)}},
    {"price": {"lte": 10**30}},
    {"since": {"gte": "2026-05-01T02:00+02:00", "lt": "2026-05-01 10:30"}},
    {"since": {"lt": "2026-05-01"}},
    {"nothing": "here"},
    {"$and": [{"price": {"gte": number / 10}} for number in range(90)], "$or": [{"sku": f"A{n}"} for n in range(9)]},
    {"sku": [f"A{number}" for number in range(950)]},
    {"$not": {"$not": {"$not": {"$not": {"$or": [{"$and": [{"$or": [{"$not": {"sale": True}}]}]}]}}}}},
    {"$not": {"nothing": {"gte": 0}}},
    {"$not": {"$not": {"sale": False}}},
    {'quoted "name"\' [0] äö': "a \"quoted\" 'value' \\ äö"},
]


def attributes(number: int) -> dict[str, Any]:
    values: dict[str, Any] = {
        "colour": ["Red", "Blue", "Navy Blue"][number % 3],
        "price": number % 97 / 2,
        "prices": [[number % 30, number % 40 + 0.5], [], 20.5][number % 3] or [20, 21.5],
        "sale": number % 5 == 0,
        "one": [1, True, "1", 1.0, False][number % 5],
        "since": ["2026-05-01", "2026-05-01T00:00:00Z", "20260501", "2026-04-30T23:59:59.999999Z"][number % 4],
        "sku": f"A{number}",
    }
    if number % 4:
        values["sizes"] = ["S", "M", "L"][: number % 4]
    if number % 50 == 0:
        values['quoted "name"\' [0] äö'] = "a \"quoted\" 'value' \\ äö"
    return values


def product(number: int, category: int | None = None, kind: int | None = None) -> Product:
    kinds = np.random.default_rng(number).integers(0, len(KINDS), 3)
    return make_product(
        f"p{number:03}",
        number % 2 if category is None else category,
        KINDS[kinds[0] if kind is None else kind],
        images=[additional_image(KINDS[each]) for each in kinds[1 : 1 + number % 3]],
        attributes=attributes(number),
        group=f"g{number % 9}",
        title=f"title {number} ä",
        url=f"https://shop.example/{number}",
    )


def record(made: Product, document_id: str | None = None) -> Record:
    return Record(document_id or made.key, made)


@pytest.fixture(scope="module")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusServer]:
    with running_milvus(tmp_path_factory.mktemp("milvus")) as server:
        yield server.connection()


@pytest.fixture(scope="module", params=["faiss", "milvus in memory", pytest.param("milvus", marks=needs_milvus)])
def make_replica(request: pytest.FixtureRequest) -> Iterator[MakeReplica]:
    """Return what makes an empty replica of the engine."""

    def in_milvus(server: MilvusServer) -> Replica:
        collection = MilvusCollection(server, f"contract{next(NAMES)}", MODEL, DIMENSION)
        return MilvusReplica(MilvusGallery(collection, "default", CATEGORIES, DIMENSION), MODEL, MODEL)

    if request.param == "faiss":
        yield lambda: Replica(Gallery(CATEGORIES, DIMENSION, FaissFlat, merge_rows=50), MODEL, MODEL)
    elif request.param == "milvus":
        yield partial(in_milvus, request.getfixturevalue("milvus"))
    else:
        with milvus_in_memory():
            yield partial(in_milvus, MilvusServer(MilvusOptions("http://milvus:19530")))


@pytest.fixture(scope="module")
def replica(make_replica: MakeReplica) -> Replica:
    """Return a replica with products that have been loaded; some were replaced, moved and deleted afterwards."""
    made = make_replica()
    made.begin_load()
    made.apply([], [record(product(number, category=2, kind=0)) for number in range(0, PRODUCTS, 7)])
    for begin in range(0, PRODUCTS, 100):
        made.apply([], [record(product(number)) for number in range(begin, begin + 100)])
    made.apply([], [record(product(number)) for number in range(PRODUCTS, PRODUCTS + 20)])
    made.finish_load()
    made.apply([f"p{number:03}" for number in range(PRODUCTS, PRODUCTS + 20)], [])
    return made


@pytest.fixture(scope="module")
def living() -> dict[str, Product]:
    return {made.key: made for made in map(product, range(PRODUCTS))}


def ranked(
    living: dict[str, Product], category: int, vector: Any, wanted: dict[str, Any]
) -> list[tuple[float, str, int]]:
    """Return score, key and image of every product of a category that meets a filter, best first."""
    unit = unit_vector(vector).astype(np.float64)
    collected = []
    for made in living.values():
        if made.category == category and meets({"group": made.group, **made.attributes}, wanted):
            scores = [float(np.einsum("i,i->", each.astype(np.float64), unit)) for each in made.vectors]
            collected.append(min((-score, made.key, image) for image, score in enumerate(scores)))
    return [(-negative, key, image) for negative, key, image in sorted(collected)]


def shown(matches: list[Any]) -> list[tuple[float, str, int]]:
    return [(match.score, match.key, match.image_index) for match in matches]


def assert_same(rows: list[tuple[float, str, int]], expected: list[tuple[float, str, int]]) -> None:
    assert [(key, image) for _, key, image in rows] == [(key, image) for _, key, image in expected]
    assert [score for score, _, _ in rows] == pytest.approx([score for score, _, _ in expected], abs=1e-12)


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_a_search_is_exact(replica: Replica, living: dict[str, Product], wanted: dict[str, Any]) -> None:
    for category, seed, k in ((0, 1, 10), (1, 2, 60)):
        vector = np.random.default_rng(seed).standard_normal(DIMENSION).astype(np.float32)
        query = Query(k, parse_filter(wanted))
        assert_same(
            shown(replica.gallery.search(category, vector, query)), ranked(living, category, vector, wanted)[:k]
        )


def test_all_products_of_a_category_can_be_reached(replica: Replica, living: dict[str, Product]) -> None:
    everything = ranked(living, 0, KINDS[3], {})
    assert_same(shown(replica.gallery.search(0, KINDS[3], Query(501))), everything)


def test_products_are_left_out_by_key_and_by_score(replica: Replica, living: dict[str, Product]) -> None:
    everything = ranked(living, 0, KINDS[3], {})
    exclude = frozenset(key for _, key, _ in everything[:7])
    left = [entry for entry in everything if entry[1] not in exclude and entry[0] >= 0.2]
    assert_same(shown(replica.gallery.search(0, KINDS[3], Query(500, exclude=exclude, min_score=0.2))), left)


def test_products_like_one_of_them(replica: Replica, living: dict[str, Product]) -> None:
    category, matches = replica.gallery.similar("p123", Query(20))
    others = [entry for entry in ranked(living, 1, living["p123"].vector, {}) if entry[1] != "p123"]
    assert category == 1
    assert_same(shown(matches), others[:20])
    with pytest.raises(UnknownProduct, match="'nothing'"):
        replica.gallery.similar("nothing", Query())


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_facets_and_totals_are_counts_of_the_products(
    replica: Replica, living: dict[str, Product], wanted: dict[str, Any]
) -> None:
    galleries = {"default": replica.gallery}
    of_category = [{"group": made.group, **made.attributes} for made in living.values() if made.category == 0]
    query_filter = parse_filter(wanted)
    assert multi_search.count(galleries, 0, query_filter) == sum(meets(product, wanted) for product in of_category)
    facets = {facet.attribute: facet for facet in multi_search.facets(galleries, 0, query_filter)}
    prices = [float(str(product["price"])) for product in of_category]
    price_range = facets["price"].range
    assert price_range is not None
    assert (price_range.min, price_range.max) == (min(prices), max(prices))
    fitting = [product for product in of_category if meets(product, without(wanted, "colour"))]
    by_hand = Counter(each["colour"] for each in fitting)
    assert (
        {value.value: value.count for value in facets["colour"].values} == by_hand
        if by_hand
        else "colour" not in facets
    )
    assert "sku" not in facets


def test_attributes_that_no_product_has_are_named(replica: Replica) -> None:
    assert multi_search.lacking({"default": replica.gallery}, 0, ["colour", "nothing", "group"]) == ["nothing"]


def test_single_products_are_found(replica: Replica, living: dict[str, Product]) -> None:
    category, vector, payload = replica.gallery.find("p007")
    assert (category, vector.tolist()) == (1, living["p007"].vector.tolist())
    assert payload is not None
    assert b"title 7" in payload
    match = replica.gallery.named(1, KINDS[0], "p007")
    assert match is not None
    assert match.score == pytest.approx(float(np.dot(living["p007"].vector, KINDS[0])), abs=1e-6)
    assert replica.gallery.named(0, KINDS[0], "p007") is None
    assert replica.gallery.named(0, KINDS[0], "nothing") is None


def test_products_are_counted_and_drawn(replica: Replica, living: dict[str, Product]) -> None:
    assert replica.gallery.counts() == [PRODUCTS // 2, PRODUCTS // 2, 0]
    assert len(replica.gallery) == PRODUCTS
    assert sorted(replica.document_ids()) == sorted(living)
    sample = replica.gallery.sample(30, None, random.Random(1))
    assert len({key for _, key, _ in sample}) == 30
    assert all(living[key].category == category for category, key, _ in sample)
    assert {category for category, _, _ in replica.gallery.sample(30, 1, random.Random(2))} == {1}
    assert len(replica.gallery.sample(PRODUCTS, 0, random.Random(3))) == PRODUCTS // 2


def test_wrong_queries_are_refused(replica: Replica) -> None:
    with pytest.raises(UnknownCategory):
        replica.gallery.search(CATEGORIES, KINDS[0], Query())
    with pytest.raises(DimensionMismatch):
        replica.gallery.search(0, np.ones(DIMENSION + 1, np.float32), Query())


def test_what_is_up_to_date_does_not_differ(replica: Replica, living: dict[str, Product]) -> None:
    assert replica.differing([record(made) for made in living.values()]) == []
    changed = [record(product(1, category=2)), record(product(3, kind=1)), record(product(PRODUCTS + 1))]
    assert replica.differing(changed) == changed


def test_changes_are_seen_and_may_be_repeated(make_replica: MakeReplica) -> None:
    replica = make_replica()

    def keys(category: int) -> list[str]:
        return sorted(match.key for match in replica.gallery.search(category, KINDS[0], Query(100)))

    created = [record(product(number)) for number in range(6)]
    for _ in range(2):
        replica.apply([], created)
        assert (keys(0), keys(1)) == (["p000", "p002", "p004"], ["p001", "p003", "p005"])
    moved = product(2, category=1)
    for _ in range(2):
        replica.apply(["p004"], [record(moved)])
        assert (keys(0), keys(1)) == (["p000"], ["p001", "p002", "p003", "p005"])
    assert replica.gallery.counts() == [1, 4, 0]
    fewer_images = make_product("p005", 1, KINDS[5], attributes={"price": 77})  # it had three
    replica.apply([], [record(fewer_images)])
    (match,) = replica.gallery.search(1, KINDS[5], Query(10, parse_filter({"price": 77})))
    assert (match.key, match.image_index) == ("p005", 0)
    assert sorted(replica.document_ids()) == ["p000", "p001", "p002", "p003", "p005"]


def test_among_documents_of_one_key_the_newest_counts(make_replica: MakeReplica) -> None:
    replica = make_replica()

    def titles() -> list[bytes | None]:
        return [match.payload for match in replica.gallery.search(0, KINDS[0], Query(10))]

    older, newer = (record(make_product("1", 0, KINDS[0], title=name), name) for name in ("a-older", "b-newer"))
    replica.apply([], [newer])
    replica.apply([], [older])
    assert titles() == [b'{"title":"b-newer"}']
    assert replica.differing([newer, older]) == []
    replica.apply(["b-newer"], [])
    assert titles() == [b'{"title":"a-older"}']
    assert sorted(replica.document_ids()) == ["a-older"]
    replica.apply([], [record(make_product("1", 0, KINDS[0], title="own"))])
    assert titles() == [b'{"title":"own"}']
    replica.apply(["1", "a-older"], [])
    assert titles() == []


def test_documents_that_cannot_be_indexed_are_recorded(make_replica: MakeReplica) -> None:
    replica = make_replica()
    unknown = record(make_product("1", CATEGORIES + 4, KINDS[0]))
    other_model = record(make_product("2", 0, KINDS[0], "fashion/9"))
    replica.apply([], [unknown, other_model, record(product(3))])
    assert list(replica.skipped) == ["1"]
    assert replica.other_models == {"2"}
    assert len(replica.gallery) == 1
    assert replica.differing([unknown, other_model]) == []


@needs_milvus
async def test_a_new_process_continues_with_what_milvus_holds(milvus: MilvusServer) -> None:
    database = f"contract{next(NAMES)}"
    origin = Origin(f"{database}.products", MODEL, MODEL, CATEGORIES, DIMENSION)

    def process() -> tuple[MilvusReplica, MilvusPosition]:
        collection = MilvusCollection(milvus, database, MODEL, DIMENSION)
        gallery = MilvusGallery(collection, "default", CATEGORIES, DIMENSION)
        return MilvusReplica(gallery, MODEL, MODEL), MilvusPosition(collection, origin)

    first, keeper = process()
    assert await asyncio.to_thread(keeper.load, first) is None
    legacy = record(make_product("legacy", 2, KINDS[0]), "b-oid")
    documents = [*(record(product(number)) for number in range(8)), legacy]
    first.begin_load()
    first.apply([], documents)
    first.finish_load()
    position = SyncPosition("db", {"_data": "token"}, 1000.0)
    await keeper.close(first, position, 1)

    second, keeper = process()
    assert await asyncio.to_thread(keeper.load, second) == position
    assert second.gallery.counts() == first.gallery.counts() == [4, 4, 1]
    assert second.differing(documents) == []
    assert sorted(second.document_ids()) == sorted(document.document_id for document in documents)
    second.apply(["b-oid"], [])
    assert second.gallery.counts() == [4, 4, 0]

    # The database is read again, by a process that cannot use the position: what is gone there goes here.
    third, _ = process()
    third.begin_load()
    third.apply([], documents[:3])
    third.finish_load()
    assert sorted(third.document_ids()) == ["p000", "p001", "p002"]
    assert third.gallery.counts() == [2, 1, 0]


@needs_milvus
def test_two_processes_that_write_the_same_changes_hold_and_count_the_same(milvus: MilvusServer) -> None:
    database = f"contract{next(NAMES)}"

    def process() -> MilvusReplica:
        gallery = MilvusGallery(MilvusCollection(milvus, database, MODEL, DIMENSION), "default", CATEGORIES, DIMENSION)
        return MilvusReplica(gallery, MODEL, MODEL)

    replicas = process(), process()
    documents = [record(product(number)) for number in range(6)]
    changes: list[tuple[list[str], list[Record]]] = [
        ([], documents),
        (["p004"], [record(product(2, category=1))]),  # one goes, one moves
        ([], [record(make_product("p005", 1, KINDS[5], attributes={"price": 77}))]),  # it had three images
    ]
    for ids, current in changes:
        for replica in replicas:
            replica.apply(ids, current)
        first, second = (
            (replica.gallery.counts(), sorted(replica.document_ids()), replica._rows.facets(1, EVERYTHING))
            for replica in replicas
        )
        assert first == second
    assert replicas[1].gallery.counts() == [1, 4, 0]
    assert replicas[1].differing([record(product(2, category=1))]) == []


@needs_milvus
def test_an_approximate_search_finds_nearly_all(milvus: MilvusServer) -> None:
    options = replace(milvus.options, search="hnsw")
    collection = MilvusCollection(MilvusServer(options), f"contract{next(NAMES)}", MODEL, DIMENSION)
    replica = MilvusReplica(MilvusGallery(collection, "default", CATEGORIES, DIMENSION), MODEL, MODEL)
    drawn = np.random.default_rng(3).standard_normal((3000, DIMENSION)).astype(np.float32)
    living = {f"n{number}": unit_vector(vector) for number, vector in enumerate(drawn)}
    replica.begin_load()
    replica.apply([], [record(make_product(key, 0, vector)) for key, vector in living.items()])
    replica.finish_load()
    build_index(collection)
    matrix = np.array(list(living.values()))
    shares = []
    for seed in range(20):
        query = np.random.default_rng(seed).standard_normal(DIMENSION).astype(np.float32)
        exact = {f"n{row}" for row in np.argsort(-(matrix @ query))[:10].tolist()}
        shares.append(len(exact & {match.key for match in replica.gallery.search(0, query, Query(10))}) / 10)
    assert np.mean(shares) > 0.95
