"""When changes are written to Milvus, what is deleted with them, and which reads wait. Milvus is in memory."""

from typing import Any

import numpy as np
import pytest

from services.catalogue.documents.product_document import Record
from services.catalogue.product import Float32Array
from services.index.milvus.collection import MilvusCollection, MilvusOptions, MilvusServer
from services.index.milvus.gallery import MilvusGallery
from services.index.milvus.pending_changes import PendingChanges
from services.index.milvus.replica import MilvusReplica
from services.index.milvus.rows import MilvusEntry
from tests.support.fakes.milvus import MemoryMilvus
from tests.support.values.products import additional_image, make_product

MODEL = "fashion/1"
EAST: Float32Array = np.array([1, 0], np.float32)
NORTH: Float32Array = np.array([0, 1], np.float32)


@pytest.fixture
def replica(milvus: MemoryMilvus) -> MilvusReplica:
    return make_replica()


def make_replica() -> MilvusReplica:
    collection = MilvusCollection(MilvusServer(MilvusOptions("http://milvus:19530")), "shop", MODEL, 2)
    return MilvusReplica(MilvusGallery(collection, "default", 3, 2), MODEL, MODEL)


def record(key: str, category: int = 0, *additional: Float32Array, **facts: Any) -> Record:
    images = tuple(map(additional_image, additional))
    return Record(key, make_product(key, category, EAST, images=images, **facts))


def stored_rows(milvus: MemoryMilvus) -> list[tuple[int, int]]:
    """Return category and image of all rows, sorted."""
    (collection,) = milvus.collections.values()
    return sorted((row["category"], row["image"]) for _, row in collection.rows.values())


def strong_reads(milvus: MemoryMilvus) -> int:
    return sum(call["consistency_level"] == "Strong" for call in milvus.called("query"))


def test_a_product_of_several_images_that_is_up_to_date_is_not_written_again(
    milvus: MemoryMilvus, replica: MilvusReplica
) -> None:
    document = record("a", 0, NORTH, NORTH)
    replica.apply([], [document])
    replica.apply([], [document])
    assert len(milvus.called("upsert")) == 1
    assert replica.differing([document]) == []


@pytest.mark.parametrize("is_load", [False, True])
def test_the_rows_of_images_that_a_product_no_longer_has_are_deleted(
    milvus: MemoryMilvus, replica: MilvusReplica, is_load: bool
) -> None:
    replica.apply([], [record("a", 0, NORTH, NORTH), record("b", 1, NORTH)])
    other = make_replica()  # a later process, which reads the database again or follows it
    if is_load:
        other.begin_load()
    other.apply([], [record("a", 0, NORTH), record("b", 2)])
    if is_load:
        other.finish_load()
    assert stored_rows(milvus) == [(0, 0), (0, 1), (2, 0)]


def test_the_rows_of_an_earlier_state_within_one_load_are_deleted(milvus: MemoryMilvus, replica: MilvusReplica) -> None:
    replica.begin_load()
    replica.apply([], [record("a", 0, NORTH, NORTH)])
    replica.apply([], [record("b")])
    replica.apply([], [record("a", 1)])
    replica.finish_load()
    assert stored_rows(milvus) == [(0, 0), (1, 0)]
    assert replica.gallery.counts() == [1, 1, 0]


def test_within_a_load_only_a_product_that_comes_again_waits_for_its_earlier_state(
    milvus: MemoryMilvus, replica: MilvusReplica
) -> None:
    replica.begin_load()
    before = strong_reads(milvus)
    replica.apply([], [record("a")])
    replica.apply([], [record("b")])
    assert strong_reads(milvus) == before
    replica.apply([], [record("a", title="again")])
    assert strong_reads(milvus) == before + 1
    replica.finish_load()
    after = strong_reads(milvus)
    assert after == before + 4  # the end counts the products of each of three categories
    assert replica.differing([record("a", title="again")]) == []
    assert strong_reads(milvus) == after


def test_a_change_waits_once_for_each_category_that_it_changes(milvus: MemoryMilvus, replica: MilvusReplica) -> None:
    replica.resume()
    before = strong_reads(milvus)
    replica.apply([], [record("a")])
    assert strong_reads(milvus) == before + 1
    replica.apply([], [record("a", 1), record("b", 1)])
    assert strong_reads(milvus) == before + 3
    replica.apply(["a"], [])
    assert strong_reads(milvus) == before + 4
    assert replica.gallery.counts() == [0, 1, 0]


def test_a_deletion_that_another_process_has_made_already_is_counted(milvus: MemoryMilvus) -> None:
    first, second = make_replica(), make_replica()
    first.apply([], [record("a"), record("b"), record("c", 1)])
    second.resume()
    first.apply(["a"], [])
    assert second.gallery.counts() == [2, 1, 0]
    second.apply(["a"], [])
    assert first.gallery.counts() == second.gallery.counts() == [1, 1, 0]


def test_a_change_that_another_process_has_made_already_is_counted(milvus: MemoryMilvus) -> None:
    first, second = make_replica(), make_replica()
    first.apply([], [record("a")])
    second.resume()
    first.apply([], [record("a", 2)])
    assert second.gallery.counts() == [1, 0, 0]
    second.apply([], [record("a", 2)])
    assert second.gallery.counts() == [0, 0, 1]
    assert len(milvus.called("upsert")) == 2


def test_each_comparison_reads_what_milvus_holds_now(milvus: MemoryMilvus) -> None:
    first, second = make_replica(), make_replica()
    documents = [record("a"), record("b")]
    first.apply([], documents)
    assert second.differing(documents) == []
    first.apply(["b"], [record("a", title="changed")])
    assert second.differing(documents) == documents


def test_documents_are_looked_up_together(milvus: MemoryMilvus, replica: MilvusReplica) -> None:
    replica.resume()
    before = len(milvus.called("query"))
    documents = [record(f"p{number}") for number in range(20)]
    replica.apply([], documents)
    assert len(milvus.called("query")) == before + 2  # one for all documents, and one that counts
    assert replica.differing(documents) == []
    assert len(milvus.called("query")) == before + 3


def test_what_milvus_holds_of_a_product_can_be_asked_for_before_it_was_looked_up(
    milvus: MemoryMilvus, replica: MilvusReplica
) -> None:
    replica.apply([], [record("a")])
    changes = PendingChanges(replica._rows.stored)
    entry = MilvusEntry(0, np.array([EAST]), None)
    assert changes.holds("a", entry)
    assert not changes.holds("a", MilvusEntry(1, np.array([EAST]), None))
    assert not changes.holds("b", entry)
    assert (changes.has("a"), changes.has("b")) == (True, False)


def test_the_images_of_a_product_are_in_their_order_however_milvus_returns_them(
    milvus: MemoryMilvus, replica: MilvusReplica
) -> None:
    replica.apply([], [record("a", 2, NORTH, -EAST, title="three"), record("b", 1, title="one")])
    (collection,) = milvus.collections.values()
    for rows in (collection.rows, collection.visible):
        reverse = dict(reversed(rows.items()))
        rows.clear()
        rows.update(reverse)
    category, vectors, payload = replica.gallery.current("a")
    assert (category, vectors.tolist()) == (2, [[1, 0], [0, 1], [-1, 0]])
    assert payload is not None and b"three" in payload
    category, vectors, payload = replica.gallery.current("b")
    assert (category, vectors.tolist(), payload) == (1, [[1, 0]], b'{"title":"one"}')


def test_a_document_that_takes_the_place_of_a_legacy_one_is_no_longer_of_it(
    milvus: MemoryMilvus, replica: MilvusReplica
) -> None:
    replica.apply([], [Record("oid", make_product("a", 0, EAST))])
    assert replica._rows.stored.legacy_sources() == {"a": "oid"}
    replica.apply(["oid"], [record("a")])
    assert replica._rows.stored.legacy_sources() == {}
    resumed = make_replica()
    resumed.resume()
    assert sorted(resumed.document_ids()) == ["a"]


def test_a_read_has_room_for_all_images_of_the_products_that_it_is_for(
    milvus: MemoryMilvus, replica: MilvusReplica
) -> None:
    replica.resume()
    before = len(milvus.called("query"))
    PendingChanges(replica._rows.stored).fetch([f"p{number}" for number in range(2000)])
    reads = [call["filter"].count('"') // 2 for call in milvus.called("query")[before:]]
    assert sum(reads) == 2000
    assert max(reads) * 20 <= 16_384 < (max(reads) + 1) * 20  # images of a product, and rows of a query


def test_a_product_whose_text_grows_too_long_in_a_row_is_skipped(replica: MilvusReplica) -> None:
    quotes = '"' * 25_000  # each takes two bytes as JSON, and four as JSON in JSON
    replica.apply([], [record("a", title=quotes[:10_000]), record("b", title=quotes)])
    assert list(replica.gallery) == ["a"]
    assert "takes more than 65,535 bytes" in replica.skipped["b"]


def test_finishing_without_a_load_deletes_nothing(milvus: MemoryMilvus, replica: MilvusReplica) -> None:
    replica.apply([], [record("a")])
    make_replica().finish_load()
    assert stored_rows(milvus) == [(0, 0)]
