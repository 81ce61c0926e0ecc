"""What documents and their changes do to the gallery."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from services.catalogue.documents.product_document import BrokenDocument, Record
from services.catalogue.product import Prediction, ProductEmbedding
from services.contracts.domain.errors import UnknownProduct
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery, Query
from services.index.replica.replica import Replica
from tests.support.values.products import additional_image, embedding, make_product

AXES = np.eye(4, dtype=np.float32)
FACTS: dict[str, Any] = {"category": 0, "vector": AXES[0], "model": "fashion/1", "title": "as Lookalike wrote it"}


@pytest.fixture
def replica() -> Replica:
    return Replica(Gallery(3, 4, FaissFlat), "fashion/1", "fashion/1")


def record(document_id: str, key: str | None = None, **changes: Any) -> Record:
    return Record(document_id, make_product(key or document_id, **{**FACTS, **changes}))


def titles(replica: Replica) -> dict[str, Any]:
    """Return the titles in the gallery by key, over all categories."""
    shown = {}
    for category in range(3):
        for match in replica.gallery.search(category, AXES[0] + AXES[1], Query(100)):
            assert match.key not in shown
            shown[match.key] = (match.payload or b"").decode().partition('title":"')[2].removesuffix('"}')
    return shown


def test_a_new_document_is_in_the_gallery_and_a_deleted_one_is_not(replica: Replica) -> None:
    assert replica.apply(["1"], [record("1")]) == 1
    assert titles(replica) == {"1": "as Lookalike wrote it"}
    assert replica.apply(["1"], []) == 1
    assert titles(replica) == {}


def test_a_document_that_was_not_named_is_applied(replica: Replica) -> None:
    assert replica.apply([], [record("1"), record("2")]) == 2
    assert sorted(titles(replica)) == ["1", "2"]


def test_a_new_vector_and_category_replace_the_old_ones(replica: Replica) -> None:
    replica.apply(["1"], [record("1")])
    replica.apply(["1"], [record("1", vector=AXES[1], category=2)])
    assert replica.gallery.counts() == [0, 0, 1]
    (match,) = replica.gallery.search(2, AXES[1], Query())
    assert match.score == pytest.approx(1)


def test_a_legacy_document_is_in_the_gallery_by_its_key_and_deleted_by_its_document_id(replica: Replica) -> None:
    replica.apply(["oid1"], [record("oid1", "15970", model=None)])
    assert list(titles(replica)) == ["15970"]
    replica.apply(["15970"], [])
    assert list(titles(replica)) == ["15970"]
    replica.apply(["oid1"], [])
    assert titles(replica) == {}


def test_a_legacy_document_may_change_its_key(replica: Replica) -> None:
    replica.apply(["oid1"], [record("oid1", "1")])
    replica.apply(["oid1"], [record("oid1", "2")])
    assert list(titles(replica)) == ["2"]


@pytest.mark.parametrize("order", [("oid1", "oid2", "1"), ("1", "oid2", "oid1"), ("oid2", "1", "oid1")])
def test_of_documents_of_one_key_lookalikes_own_counts_then_the_newest(replica: Replica, order: Any) -> None:
    for document_id in order:
        replica.apply([document_id], [record(document_id, "1", title=document_id)])
    assert titles(replica) == {"1": "1"}
    replica.apply(["1"], [])
    assert titles(replica) == {"1": "oid2"}
    replica.apply(["oid2"], [])
    assert titles(replica) == {"1": "oid1"}
    replica.apply(["oid1"], [])
    assert titles(replica) == {}


def test_deleting_an_outranked_document_leaves_the_one_in_the_gallery(replica: Replica) -> None:
    replica.apply([], [record("1"), record("oid1", "1", title="older")])
    replica.apply(["oid1"], [])
    assert titles(replica) == {"1": "as Lookalike wrote it"}
    replica.apply(["1"], [])
    assert titles(replica) == {}


def test_a_document_of_another_model_is_counted_and_not_in_the_gallery(replica: Replica) -> None:
    replica.apply([], [record("1"), record("2", model="fashion/2", vector=np.ones(9, np.float32))])
    assert (list(titles(replica)), replica.other_models, replica.skipped) == (["1"], {"2"}, {})
    replica.apply([], [record("1", model="fashion/2"), record("2")])
    assert (list(titles(replica)), replica.other_models) == (["2"], {"1"})
    replica.apply(["1"], [])
    assert replica.other_models == set()


def test_documents_without_a_model_are_of_the_configured_one() -> None:
    replica = Replica(Gallery(3, 4, FaissFlat), "fashion/2", "fashion/1")
    replica.apply([], [record("1", model=None), record("2", model="fashion/2")])
    assert (list(titles(replica)), replica.other_models) == (["2"], {"1"})


def test_broken_documents_are_counted_and_logged_once_and_the_others_are_applied(replica: Replica) -> None:
    broken = BrokenDocument("5", "Category is missing")
    short = record("6", vector=np.ones(3, np.float32))
    outside = record("7", category=3)
    with capture_logs() as logs:
        for _ in range(2):
            replica.apply(["5"], [broken, short, outside, record("1")])
    assert list(titles(replica)) == ["1"]
    assert replica.skipped == {
        "5": "Category is missing",
        "6": "the vector has 3 numbers, not 4",
        "7": "category 3 is none of the model's 3",
    }
    assert sorted(entry["document"] for entry in logs) == ["5", "6", "7"]


def test_a_product_whose_document_is_broken_is_not_in_the_gallery_until_it_is_repaired(replica: Replica) -> None:
    replica.apply([], [record("1")])
    replica.apply([], [BrokenDocument("1", "the vector is missing")])
    with pytest.raises(UnknownProduct):
        replica.gallery.find("1")
    replica.apply([], [record("1")])
    assert list(titles(replica)) == ["1"]
    assert replica.skipped == {}


def test_a_product_is_found_by_each_of_its_images_and_returned_once(replica: Replica) -> None:
    images = (
        additional_image(AXES[1], url="https://shop.example/back.jpg"),
        additional_image(AXES[2], sha256="ab" * 32),
    )
    replica.apply([], [record("1", images=images, image_url="https://shop.example/1.jpg"), record("2", vector=AXES[3])])
    for number, axis in enumerate(AXES[:3]):
        first, second = replica.gallery.search(0, axis, Query())
        assert (first.key, first.image_index, second.key) == ("1", number, "2")
        assert first.score == pytest.approx(1)
    assert replica.gallery.counts() == [2, 0, 0]
    replica.apply(["1"], [record("1")])
    assert [match.score for match in replica.gallery.search(0, AXES[1], Query()) if match.key == "1"] == [0]


def test_images_that_cannot_be_used_are_counted_and_logged_once(replica: Replica) -> None:
    faulty = replace(record("1"), faults=("images[0]: the vector holds NaN",))
    with capture_logs() as logs:
        for _ in range(2):
            replica.apply(["1"], [faulty])
    assert (list(titles(replica)), replica.skipped) == (["1"], {})
    assert replica.image_errors == {"1": ("images[0]: the vector holds NaN",)}
    assert [(entry["event"], entry["document"]) for entry in logs] == [("images_skipped", "1")]
    replica.apply(["1"], [record("1")])
    assert replica.image_errors == {}


def test_documents_of_categories_that_are_not_held_are_ignored() -> None:
    shard = Replica(Gallery(3, 4, FaissFlat, held=[1]), "fashion/1", "fashion/1")
    other_model = record("3", model="fashion/9")
    shard.apply([], [record("1"), record("2", category=1), other_model, record("4", category=7)])
    assert shard.gallery.counts() == [0, 1, 0]
    assert (list(shard.skipped), shard.other_models) == (["4"], set())


def test_a_product_that_moves_between_categories_moves_between_the_nodes_that_hold_them() -> None:
    shards = [Replica(Gallery(3, 4, FaissFlat, held=[held]), "fashion/1", "fashion/1") for held in (0, 1)]
    for category, counts in ((0, [1, 0]), (1, [0, 1]), (2, [0, 0]), (0, [1, 0])):
        for shard in shards:
            shard.apply(["1"], [record("1", category=category)])
        assert [len(shard.gallery) for shard in shards] == counts


def seen(axis: int, category: int = 2, sha256: str | None = "aa") -> ProductEmbedding:
    return embedding(AXES[axis], sha256, prediction=Prediction(category, 0.9))


def both(secondary: ProductEmbedding, **changes: Any) -> Record:
    facts: dict[str, Any] = {"image_sha256": "aa", "category_source": "network", "embeddings": {"fashion/2": secondary}}
    return record("1", **{**facts, **changes})


@pytest.fixture
def candidate() -> Replica:
    return Replica(Gallery(3, 4, FaissFlat), "fashion/2", "fashion/1")


def test_each_models_replica_has_the_products_with_its_own_vectors_and_categories(
    replica: Replica, candidate: Replica
) -> None:
    old = record("oid1", "2", model=None)
    for each in (replica, candidate):
        each.apply([], [both(seen(1)), old])
    assert (replica.gallery.counts(), candidate.gallery.counts()) == ([2, 0, 0], [0, 0, 1])
    np.testing.assert_array_equal(replica.gallery.find("1")[1], AXES[0])
    np.testing.assert_array_equal(candidate.gallery.find("1")[1], AXES[1])
    assert (replica.other_models, candidate.other_models) == (set(), {"oid1"})


def test_a_vector_of_an_earlier_picture_is_not_used(candidate: Replica) -> None:
    candidate.apply([], [both(seen(1))])
    candidate.apply([], [both(seen(1), image_sha256="bb")])
    assert candidate.gallery.counts() == [0, 0, 0]
    assert candidate.other_models == {"1"}
    candidate.apply([], [both(seen(3, sha256="bb"), image_sha256="bb")])
    assert candidate.other_models == set()
    np.testing.assert_array_equal(candidate.gallery.find("1")[1], AXES[3])


def test_a_product_whose_own_vector_is_of_the_model_needs_no_other_vector(candidate: Replica) -> None:
    candidate.apply([], [both(seen(1), model="fashion/2")])
    np.testing.assert_array_equal(candidate.gallery.find("1")[1], AXES[0])


@pytest.mark.parametrize(
    ("secondary", "reason"),
    [
        (seen(1, category=3), "category 3 is none of the model's 3"),
        (embedding(np.ones(5, np.float32), "aa", prediction=Prediction(2, 0.9)), "the vector has 5 numbers, not 4"),
    ],
)
def test_an_invalid_result_of_a_model_is_left_out_of_its_own_replica_only(
    replica: Replica, candidate: Replica, secondary: ProductEmbedding, reason: str
) -> None:
    for each in (replica, candidate):
        each.apply([], [both(secondary)])
    assert (replica.skipped, candidate.skipped) == ({}, {"1": reason})
    assert list(titles(replica)) == ["1"]


def test_a_node_of_some_categories_holds_the_products_that_its_model_sees_in_them() -> None:
    def shard(model: str, held: int) -> Replica:
        return Replica(Gallery(3, 4, FaissFlat, held=[held]), model, "fashion/1")

    shards = [shard(model, held) for model in ("fashion/1", "fashion/2") for held in (0, 2)]
    for each in shards:
        each.apply([], [both(seen(1)), record("2")])
    assert [len(shard.gallery) for shard in shards] == [2, 0, 0, 1]
    assert [shard.other_models for shard in shards] == [set(), set(), {"2"}, set()]
