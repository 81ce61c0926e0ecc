"""How often a search in Milvus asks, and what is left to the engine. Milvus is in memory."""

import random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from services.catalogue.documents.product_document import Record
from services.catalogue.product import Float32Array
from services.contracts.domain.errors import UnknownCategory, UpstreamTimeout
from services.contracts.domain.filtering.filters import EVERYTHING
from services.contracts.wire.filter_json import parse_filter
from services.engine.deadline import Deadline
from services.engine.gallery import Query
from services.index.milvus.collection import MilvusCollection, MilvusOptions, MilvusServer
from services.index.milvus.engine import MilvusEngine
from services.index.milvus.gallery import MilvusGallery
from services.index.milvus.position import MilvusPosition
from services.index.milvus.replica import MilvusReplica
from services.index.settings import IndexSettings
from tests.support.fakes.milvus import MemoryMilvus
from tests.support.servers.index import MANIFEST
from tests.support.values.products import make_product

MODEL = "fashion/1"
EAST: Float32Array = np.array([1, 0], np.float32)


@pytest.fixture
def gallery(milvus: MemoryMilvus) -> MilvusGallery:
    server = MilvusServer(MilvusOptions("http://milvus:19530"))
    return MilvusGallery(MilvusCollection(server, "shop", MODEL, 2), "default", 3, 2)


def towards(angle: float) -> Float32Array:
    return np.array([np.cos(angle), np.sin(angle)], np.float32)


def fill(gallery: MilvusGallery, **angles: float | list[float]) -> None:
    """Put products of category 0 whose images are at these angles from EAST."""
    for key, at in angles.items():
        images = at if isinstance(at, list) else [at]
        gallery.put(0, key, np.array([towards(angle) for angle in images]), None)
    gallery.publish()


def keys(gallery: MilvusGallery, query: Query) -> list[str]:
    return [match.key for match in gallery.search(0, EAST, query)]


def limits(milvus: MemoryMilvus) -> list[int]:
    return [call["limit"] for call in milvus.called("search")]


def test_a_search_is_settled_by_a_further_image_of_a_product_that_is_found(
    milvus: MemoryMilvus, gallery: MilvusGallery
) -> None:
    fill(gallery, a=[0.0, 0.5], b=0.1, c=1.0, d=1.1, e=1.2)
    assert keys(gallery, Query(2)) == ["a", "b"]
    assert limits(milvus) == [3]


def test_a_search_goes_on_while_a_missing_row_may_score_like_the_last_product(
    milvus: MemoryMilvus, gallery: MilvusGallery
) -> None:
    fill(gallery, a=0.0, z=0.5, y=0.5, x=0.5, b=0.5, c=1.0, d=1.1, e=1.2, f=1.3, g=1.4, h=1.5)
    assert keys(gallery, Query(2)) == ["a", "b"]
    assert limits(milvus) == [3, 12]


def test_a_search_ends_with_the_rows(milvus: MemoryMilvus, gallery: MilvusGallery) -> None:
    fill(gallery, a=0.5, b=0.5)
    assert keys(gallery, Query(2)) == ["a", "b"]
    assert limits(milvus) == [3]
    assert keys(gallery, Query(1, exclude={"a"})) == ["b"]
    assert limits(milvus) == [3, 3]


def test_a_search_whose_time_is_over_asks_nothing(milvus: MemoryMilvus, gallery: MilvusGallery) -> None:
    fill(gallery, a=0.0)
    before = len(milvus.calls)
    passed = Deadline(at=10.0, seconds=2.0, clock=lambda: 10.0)
    for wanted in (parse_filter({"price": {"gte": 5}}), EVERYTHING):
        with pytest.raises(UpstreamTimeout):
            gallery.search(0, EAST, Query(1, wanted, deadline=passed))
        with pytest.raises(UpstreamTimeout):
            gallery.count(0, wanted, passed)
    assert len(milvus.calls) == before


@pytest.mark.parametrize("category", [-1, 3])
def test_an_unknown_category_is_neither_searched_nor_sampled(gallery: MilvusGallery, category: int) -> None:
    with pytest.raises(UnknownCategory, match="0 to 2"):
        gallery.search(category, EAST, Query())
    with pytest.raises(UnknownCategory, match="0 to 2"):
        gallery.sample(1, category, random.Random(1))


def test_a_sample_that_is_complete_asks_once(milvus: MemoryMilvus, gallery: MilvusGallery) -> None:
    fill(gallery, a=0.0, b=0.1, c=0.2)
    from_the_first: Any = SimpleNamespace(getrandbits=lambda _: 0, sample=lambda values, count: values[:count])
    before = len(milvus.called("query"))
    assert len(gallery.sample(2, 0, from_the_first)) == 2
    assert len(milvus.called("query")) == before + 1
    assert len(gallery.sample(4, 0, from_the_first)) == 3
    assert [call["limit"] for call in milvus.called("query")[before:]] == [2, 4, 1]


def test_a_product_by_its_name_has_the_score_of_its_main_image_in_its_own_category(gallery: MilvusGallery) -> None:
    fill(gallery, a=[1.0, 0.0])
    match = gallery.named(0, 5 * EAST, "a")
    assert match is not None
    assert (match.key, match.image_index) == ("a", 0)
    assert match.score == pytest.approx(np.cos(1.0))
    assert gallery.named(1, EAST, "a") is None
    assert gallery.named(0, EAST, "b") is None


def test_there_is_nothing_in_memory_to_prepare(gallery: MilvusGallery) -> None:
    assert gallery.views == ()
    assert gallery.is_prepared(0, parse_filter({"price": 5}), facets=True)


def test_facets_count_what_meets_the_filter(gallery: MilvusGallery) -> None:
    documents = [
        Record(key, make_product(key, 0, EAST, attributes={"colour": colour, "size": size}))
        for key, colour, size in (("a", "Red", "S"), ("b", "Blue", "S"), ("c", "Red", "M"))
    ]
    MilvusReplica(gallery, MODEL, MODEL).apply([], documents)
    facets = {
        facet.attribute: {value.value: value.count for value in facet.values}
        for facet in gallery.facets(0, parse_filter({"size": "S"}))
    }
    assert facets == {"colour": {"Red": 1, "Blue": 1}, "size": {"S": 2, "M": 1}}


def test_a_model_has_a_position_and_a_new_collection_after_it_was_forgotten(milvus: MemoryMilvus) -> None:
    engine = MilvusEngine(IndexSettings.model_validate({"engine": "milvus", "milvus_ca_file": "/etc/ca.pem"}))
    assert isinstance(engine.keeper(MANIFEST, "default"), MilvusPosition)
    replica = engine.replica(MANIFEST, "default")
    replica.begin_load()
    assert milvus.connections[-1]["server_pem_path"] == "/etc/ca.pem"
    engine.announce(MANIFEST)
    engine.forget(MANIFEST, "default")
    engine.announce(MANIFEST.model_copy(update={"version": 2}))  # there is no collection for `previous`
    assert [alias.split("_")[2] for alias in milvus.aliases] == ["active"]
    assert engine.replica(MANIFEST, "default")._rows.collection is not replica._rows.collection


def test_without_certificates_of_its_own_those_of_the_system_count(milvus: MemoryMilvus) -> None:
    MilvusEngine(IndexSettings(engine="milvus")).replica(MANIFEST, "default").begin_load()
    assert "server_pem_path" not in milvus.connections[-1]
