"""A gallery in Milvus, beyond what both engines share: tests/contract/index/test_galleries.py. Milvus is in memory."""

import random
from typing import Any

import numpy as np
import pytest

from services.catalogue.documents.product_document import Record
from services.catalogue.product import Float32Array
from services.contracts.domain.errors import IndexNotReady, UnknownProduct, UpstreamTimeout
from services.contracts.domain.filtering.filters import EVERYTHING
from services.contracts.wire.filter_json import parse_filter
from services.engine.deadline import Deadline
from services.engine.gallery import Query
from services.index.milvus.catalogue_rows import MAIN
from services.index.milvus.collection import MilvusCollection, MilvusOptions, MilvusServer
from services.index.milvus.engine import MilvusEngine
from services.index.milvus.expressions import MAX_RANGE_VALUES
from services.index.milvus.gallery import MilvusGallery
from services.index.milvus.replica import MilvusReplica
from services.index.milvus.rows import MilvusEntry, rows_of
from services.index.settings import IndexSettings
from tests.support.fakes.milvus import MemoryMilvus, MilvusException
from tests.support.servers.index import MANIFEST
from tests.support.values.products import additional_image, make_product

MODEL = "fashion/1"
EAST: Float32Array = np.array([1, 0], np.float32)
NORTH: Float32Array = np.array([0, 1], np.float32)
PASSED = Deadline(at=10.0, seconds=2.0, clock=lambda: 11.0)


def make_gallery(catalogue: str = "default", categories: int = 3) -> MilvusGallery:
    server = MilvusServer(MilvusOptions("http://milvus:19530", timeout_s=9.0))
    return MilvusGallery(MilvusCollection(server, "shop", MODEL, 2), catalogue, categories, 2)


@pytest.fixture
def gallery(milvus: MemoryMilvus) -> MilvusGallery:
    return make_gallery()


def record(key: str, category: int = 0, vector: Float32Array = EAST, **facts: Any) -> Record:
    return Record(key, make_product(key, category, vector, **facts))


def keys(gallery: MilvusGallery, query: Query, category: int = 0, vector: Float32Array = EAST) -> list[str]:
    return [match.key for match in gallery.search(category, vector, query)]


def strong_reads(milvus: MemoryMilvus) -> int:
    return sum(call["consistency_level"] == "Strong" for call in milvus.called("query"))


def test_a_new_process_continues_with_the_products_and_the_legacy_documents(milvus: MemoryMilvus) -> None:
    documents = [record("a"), record("b", 1), Record("oid", make_product("old", 2, EAST))]
    first = MilvusReplica(make_gallery(), MODEL, MODEL)
    first.begin_load()
    first.apply([], documents)
    first.finish_load()
    second = MilvusReplica(make_gallery(), MODEL, MODEL)
    second.resume()
    assert second.gallery.counts() == [1, 1, 1]
    assert second.differing(documents) == []
    assert sorted(second.document_ids()) == ["a", "b", "oid"]
    second.apply(["oid"], [])
    assert second.gallery.counts() == [1, 1, 0]


def test_a_load_into_a_full_collection_deletes_what_is_gone(milvus: MemoryMilvus) -> None:
    first = MilvusReplica(make_gallery(), MODEL, MODEL)
    first.apply([], [record("a"), record("b", 1), record("c")])
    second = MilvusReplica(make_gallery(), MODEL, MODEL)
    second.begin_load()
    second.apply([], [record("a"), record("d", 2)])
    assert len(second.gallery) == 3
    second.finish_load()
    second.finish_load()
    assert sorted(second.document_ids()) == ["a", "d"]
    assert second.gallery.counts() == [1, 0, 1]


def test_a_load_waits_for_nothing_until_its_end(milvus: MemoryMilvus) -> None:
    replica = MilvusReplica(make_gallery(), MODEL, MODEL)
    replica.begin_load()
    before = strong_reads(milvus)
    for number in range(5):
        replica.apply([], [record(f"p{number}")])
    assert strong_reads(milvus) == before
    replica.finish_load()
    assert strong_reads(milvus) == before + 3
    assert replica.gallery.counts() == [5, 0, 0]


def test_a_document_that_comes_twice_in_a_load_has_its_last_state(milvus: MemoryMilvus) -> None:
    replica = MilvusReplica(make_gallery(), MODEL, MODEL)
    replica.begin_load()
    replica.apply([], [record("a")])
    replica.apply([], [record("a", 1, NORTH)])
    replica.finish_load()
    assert replica.gallery.counts() == [0, 1, 0]


def test_a_change_that_was_interrupted_differs_and_is_made_again(milvus: MemoryMilvus, gallery: MilvusGallery) -> None:
    replica = MilvusReplica(gallery, MODEL, MODEL)
    new = record("a", 1)
    replica.apply([], [new])
    left = rows_of("default", "a", MilvusEntry(0, np.atleast_2d(EAST), None))
    gallery.collection.write([{**left[0], "row": left[0]["row"][:-1] + "9"}], gallery.stored.partitions[0])
    gallery.stored.wait_until_visible()
    assert replica.differing([new]) == [new]
    replica.apply([], [new])
    assert replica.differing([new]) == []
    counts = [gallery.collection.count(MAIN, partition, strong=True) for partition in gallery.stored.partitions]
    assert counts == [0, 1, 0]
    assert len(milvus.collections[gallery.collection.name].rows) == 1


def test_two_processes_that_write_the_same_changes_count_and_show_the_same(milvus: MemoryMilvus) -> None:
    first, second = (MilvusReplica(make_gallery(), MODEL, MODEL) for _ in range(2))

    def both(ids: list[str], documents: list[Record]) -> list[tuple[list[int], list[str], list[list[object]]]]:
        for replica in (first, second):
            replica.apply(ids, documents)
        return [
            (
                replica.gallery.counts(),
                keys(replica._rows, Query(9, parse_filter({"sizes": {"gte": 40}}))),
                [
                    [value.value for facet in replica._rows.facets(category, EVERYTHING) for value in facet.values]
                    for category in range(2)
                ],
            )
            for replica in (first, second)
        ]

    def shoe(key: str, colour: str, category: int = 0, sizes: object = 30) -> Record:
        return record(key, category, attributes={"colour": colour, "sizes": sizes})

    single, other = both([], [shoe("a", "Red"), shoe("b", "Blue"), shoe("c", "Red")])
    assert single == other == ([3, 0, 0], [], [["Red", "Blue"], []])
    single, other = both([], [shoe("c", "Green", sizes=[30, 41])])
    assert single == other == ([3, 0, 0], ["c"], [["Blue", "Green", "Red"], []])
    single, other = both(["a"], [shoe("b", "Blue", 1)])
    assert single == other
    assert single[0] == [1, 1, 0]


def test_after_an_error_the_changes_are_not_half_remembered(milvus: MemoryMilvus, gallery: MilvusGallery) -> None:
    gallery.stored.open()
    gallery.put(0, "a", EAST, None)
    milvus.trouble = MilvusException(2, "fail connecting")
    with pytest.raises(IndexNotReady):
        gallery.publish()
    milvus.trouble = None
    assert "a" not in gallery
    gallery.publish()
    assert gallery.counts() == [0, 0, 0]


def test_what_is_up_to_date_is_not_written_again(milvus: MemoryMilvus, gallery: MilvusGallery) -> None:
    for _ in range(2):
        gallery.put(0, "a", EAST, b'{"title":"a"}')
        gallery.publish()
    assert len(milvus.called("upsert")) == 1
    gallery.put(0, "a", EAST, b'{"title":"b"}')
    gallery.publish()
    assert len(milvus.called("upsert")) == 2
    assert milvus.called("delete") == []


def test_the_current_state_is_that_of_changes_not_yet_published(gallery: MilvusGallery) -> None:
    gallery.put(0, "a", np.array([EAST, NORTH]), b"{}")
    gallery.publish()
    category, vectors, payload = gallery.current("a")
    assert (category, vectors.tolist(), payload) == (0, [[1, 0], [0, 1]], b"{}")
    gallery.put(2, "a", NORTH, None)
    assert gallery.current("a")[0] == 2
    assert "a" in gallery
    gallery.discard("a")
    assert "a" not in gallery
    assert 7 not in gallery
    for key in ("a", "b"):
        with pytest.raises(KeyError):
            gallery.current(key)


def test_the_rows_of_equal_scores_are_all_read_before_keys_decide(milvus: MemoryMilvus, gallery: MilvusGallery) -> None:
    for number in range(40):
        gallery.put(0, f"p{number:02}", EAST, None)
    gallery.publish()
    for key in (f"p{number:02}" for number in range(3)):  # written last, so that Milvus returns them last
        gallery.put(0, key, EAST, b"{}")
    gallery.publish()
    assert keys(gallery, Query(3)) == ["p00", "p01", "p02"]
    assert [call["limit"] for call in milvus.called("search")] == [4, 16, 64]
    assert keys(gallery, Query(2, exclude=frozenset({"p00"}))) == ["p01", "p02"]


def test_a_search_that_is_settled_asks_once(milvus: MemoryMilvus, gallery: MilvusGallery) -> None:
    for number in range(9):
        gallery.put(0, f"p{number}", np.array([np.cos(number / 9), np.sin(number / 9)], np.float32), None)
    gallery.publish()
    assert keys(gallery, Query(2)) == ["p0", "p1"]
    assert [call["limit"] for call in milvus.called("search")] == [3]


def test_a_product_is_a_result_once_by_its_best_image(gallery: MilvusGallery) -> None:
    images = [additional_image(NORTH), additional_image(EAST)]
    MilvusReplica(gallery, MODEL, MODEL).apply([], [record("a", vector=NORTH, images=images), record("b")])
    matches = gallery.search(0, EAST, Query(5))
    assert [(match.key, match.image_index, match.score) for match in matches] == [("a", 2, 1.0), ("b", 0, 1.0)]


def test_scores_below_the_limit_are_left_out_and_the_limit_itself_is_not(gallery: MilvusGallery) -> None:
    gallery.put(0, "a", EAST, None)
    gallery.put(0, "b", NORTH, None)
    gallery.publish()
    assert keys(gallery, Query(5, min_score=0.0)) == ["a", "b"]
    assert keys(gallery, Query(5, min_score=1.0)) == ["a"]
    assert keys(gallery, Query(5, min_score=1.01)) == []


def test_the_nearest_products_of_one_are_those_of_its_main_image(gallery: MilvusGallery) -> None:
    for key, category, vector in (("a", 1, EAST), ("b", 1, EAST), ("c", 1, NORTH), ("d", 0, EAST)):
        gallery.put(category, key, vector, None)
    gallery.publish()
    category, matches = gallery.similar("a", Query(9, exclude=frozenset({"c"})))
    assert (category, [match.key for match in matches]) == (1, ["b"])
    with pytest.raises(UnknownProduct, match="'z'"):
        gallery.similar("z", Query())


def test_a_range_is_asked_of_every_number_once_a_product_has_several(gallery: MilvusGallery) -> None:
    replica = MilvusReplica(gallery, MODEL, MODEL)
    dear = Query(9, parse_filter({"price": {"gte": 50}}))
    replica.apply([], [record("a", attributes={"price": 60}), record("b", attributes={"price": 10})])
    assert keys(gallery, dear) == ["a"]
    replica.apply([], [record("b", attributes={"price": [10, 70]})])
    assert keys(gallery, dear) == ["a", "b"]
    assert keys(make_gallery(), dear) == ["a", "b"]


def test_facets_are_read_once_until_the_category_changes(milvus: MemoryMilvus, gallery: MilvusGallery) -> None:
    replica = MilvusReplica(gallery, MODEL, MODEL)
    replica.apply([], [record("a", attributes={"colour": "Red"}), record("b", 1, attributes={"colour": "Blue"})])

    def products(category: int) -> int:
        return gallery.facet_counts(category, parse_filter({})).products

    before = len(milvus.called("query_iterator"))
    assert products(0) == products(0) == 1
    assert len(milvus.called("query_iterator")) == before + 1
    replica.apply([], [record("c", 1, attributes={"colour": "Blue"})])
    assert products(0) == 1
    assert len(milvus.called("query_iterator")) == before + 1
    replica.apply([], [record("d", attributes={"colour": "Red"})])
    assert (products(0), products(1)) == (2, 2)
    assert len(milvus.called("query_iterator")) == before + 3


def test_facets_that_take_too_long_are_an_error_that_names_the_setting(gallery: MilvusGallery) -> None:
    gallery.put(0, "a", EAST, None)
    gallery.publish()
    with pytest.raises(UpstreamTimeout, match=r"1 products take longer than 2 s .* INDEX_SEARCH_TIMEOUT_S"):
        gallery.facets(0, parse_filter({}), PASSED)


def test_a_deadline_bounds_every_call_and_ends_the_search(milvus: MemoryMilvus, gallery: MilvusGallery) -> None:
    gallery.put(0, "a", EAST, None)
    gallery.publish()
    in_time = Deadline(at=10.0, seconds=2.0, clock=lambda: 9.5)
    assert keys(gallery, Query(1, deadline=in_time)) == ["a"]
    assert gallery.count(0, parse_filter({}), in_time) == 1
    assert [call["timeout"] for call in milvus.called("search")] == [0.5]
    assert milvus.called("query")[-1]["timeout"] == 0.5
    with pytest.raises(UpstreamTimeout, match="longer than 2 s"):
        gallery.search(0, EAST, Query(1, deadline=PASSED))
    with pytest.raises(UpstreamTimeout, match="longer than 2 s"):
        gallery.count(0, parse_filter({}), PASSED)


def test_a_sample_begins_again_at_the_first_product(gallery: MilvusGallery) -> None:
    for number in range(8):
        gallery.put(number % 2, f"p{number}", np.array([EAST, NORTH]), b"{}")
    gallery.publish()
    for seed in range(5):
        drawn = gallery.sample(8, None, random.Random(seed))
        assert sorted(key for _, key, _ in drawn) == [f"p{number}" for number in range(8)]
        assert len(gallery.sample(3, 1, random.Random(seed))) == 3
    first = [key for _, key, _ in gallery.sample(8, None, random.Random(1))]
    assert first != [key for _, key, _ in gallery.sample(8, None, random.Random(2))]


def test_a_category_has_its_own_products_and_a_catalogue_too(milvus: MemoryMilvus) -> None:
    shoes, bags = make_gallery("shoes"), make_gallery("bags")
    for gallery, key in ((shoes, "s"), (bags, "b")):
        gallery.put(0, key, EAST, None)
        gallery.publish()
    assert (keys(shoes, Query()), keys(bags, Query()), keys(bags, Query(), 1)) == (["s"], ["b"], [])
    assert list(shoes) == ["s"]
    assert shoes.lacking(0, ["colour"]) == {"colour"}
    assert (shoes.rows(0) > 10**9, shoes.rows(3), shoes.rows(-1)) == (True, 0, 0)


def test_a_product_that_does_not_fit_into_rows_is_skipped_with_the_reason(gallery: MilvusGallery) -> None:
    replica = MilvusReplica(gallery, MODEL, MODEL)
    most = {"sizes": list(range(MAX_RANGE_VALUES))}
    more = {"sizes": list(range(MAX_RANGE_VALUES + 1))}
    replica.apply([], [record("a", attributes=most), record("b", attributes=more), record("c", title="x" * 70_000)])
    assert list(gallery) == ["a"]
    assert "more than 64 numbers" in replica.skipped["b"]
    assert "65,535 bytes" in replica.skipped["c"]


def test_after_a_restart_it_is_known_again_why_a_document_is_not_indexed(milvus: MemoryMilvus) -> None:
    documents = [record("a"), record("b", 7), Record("c", make_product("c", 0, EAST, "fashion/9"))]
    MilvusReplica(make_gallery(), MODEL, MODEL).apply([], documents)
    replica = MilvusReplica(make_gallery(), MODEL, MODEL)
    replica.resume()
    assert replica.differing(documents) == []
    assert list(replica.skipped) == ["b"]
    assert replica.other_models == {"c"}


def make_engine() -> MilvusEngine:
    return MilvusEngine(IndexSettings(engine="milvus"))


def test_the_aliases_name_the_active_model_and_the_one_before(milvus: MemoryMilvus) -> None:
    engine = make_engine()
    models = [MANIFEST, MANIFEST.model_copy(update={"version": 2})]
    names = []
    for manifest in models:
        replica = engine.replica(manifest, "default")
        replica.begin_load()
        names.append(replica._rows.collection.name)
        engine.announce(manifest)
    roles = {alias.split("_")[2]: name for alias, name in milvus.aliases.items()}
    assert roles == {"previous": names[0], "active": names[1]}
    engine.forget(models[0], "default")
    assert list(milvus.collections) == [names[1]]
    assert {alias.split("_")[2] for alias in milvus.aliases} == {"active"}


def test_an_alias_or_a_collection_that_cannot_be_changed_stops_nothing(milvus: MemoryMilvus) -> None:
    engine = make_engine()
    engine.replica(MANIFEST, "default").begin_load()
    milvus.trouble = MilvusException(2, "fail connecting")
    engine.announce(MANIFEST)
    engine.forget(MANIFEST, "default")
    milvus.trouble = None
    assert milvus.aliases == {}
    assert len(milvus.collections) == 1
