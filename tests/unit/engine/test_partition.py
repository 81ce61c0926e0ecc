"""One category: what is published stays as it was, and merging loses nothing."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from services.catalogue.product import unit_vector
from services.contracts.domain.filtering.filters import EVERYTHING
from services.contracts.wire.filter_json import parse_filter
from services.engine import partition as partition_module
from services.engine.category_view import Float32Array
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery, Query
from services.engine.partition import Partition

RNG = np.random.default_rng(5)


MOVING = b'{"attributes":{"kind":"moving"}}'


def random_vector(dimension: int = 8) -> Float32Array:
    return unit_vector(RNG.standard_normal(dimension).astype(np.float32))


def found(partition: Partition, vector: Float32Array, k: int = 10) -> list[str]:
    return [match.key for match in partition.view.search(vector, k, EVERYTHING, frozenset())]


def test_a_change_is_seen_once_it_is_published() -> None:
    partition, vector = Partition(8, FaissFlat), random_vector()
    partition.put("a", vector, None)
    assert found(partition, vector) == []
    partition.publish()
    assert found(partition, vector) == ["a"]
    partition.discard("a")
    assert found(partition, vector) == ["a"]
    partition.publish()
    assert found(partition, vector) == []


@pytest.mark.parametrize("merge_rows", [3, 10_000])
def test_a_view_goes_on_showing_what_was_published_while_the_writer_goes_on(merge_rows: int) -> None:
    partition = Partition(8, FaissFlat, merge_rows)
    vectors = {f"k{number:02}": random_vector() for number in range(20)}
    for key, vector in vectors.items():
        partition.put(key, vector, key.encode())
    partition.publish()
    view, query = partition.view, random_vector()
    before = view.search(query, 20, EVERYTHING, frozenset())
    assert sorted(match.key for match in before) == sorted(vectors)
    for key in list(vectors)[::2]:
        partition.discard(key)
    for key in list(vectors)[1::2]:
        partition.put(key, random_vector(), b"other")
    for number in range(100):
        partition.put(f"new{number}", random_vector(), b"new")
        partition.publish()
    assert view.search(query, 20, EVERYTHING, frozenset()) == before


def test_putting_a_key_again_replaces_its_vector_and_payload() -> None:
    partition = Partition(8, FaissFlat)
    old, new = random_vector(), random_vector()
    partition.put("a", old, b"old")
    partition.publish()
    partition.put("a", new, b"new")
    partition.publish()
    (match,) = partition.view.search(new, 10, EVERYTHING, frozenset())
    assert (match.key, match.payload) == ("a", b"new")
    assert match.score == pytest.approx(1, abs=1e-6)
    assert len(partition) == partition.view.size == 1


def test_after_many_changes_the_rows_are_used_again_and_memory_does_not_grow() -> None:
    partition = Partition(8, FaissFlat, merge_rows=50)
    for _ in range(200):
        for number in range(10):
            partition.put(str(number), random_vector(), None)
        partition.publish()
    assert len(partition.view.live) <= 10 + 2 * 60
    assert sorted(found(partition, random_vector())) == sorted(map(str, range(10)))


def test_equal_scores_are_ordered_by_id_wherever_the_rows_are() -> None:
    partition, vector = Partition(8, FaissFlat, merge_rows=20), random_vector()
    keys = [f"k{number:03}" for number in range(60)]
    for place, key in enumerate(RNG.permutation(keys).tolist()):
        partition.put(key, vector, None)
        if place % 7 == 0:
            partition.publish()
    partition.publish()
    assert found(partition, vector, 10) == keys[:10]
    assert found(partition, vector, 100) == keys


def test_equal_scores_are_ordered_by_id_after_a_product_with_many_images() -> None:
    """The first search returns rows of one product only; the second ends within rows of equal scores."""
    partition = Partition(8, FaissFlat, merge_rows=0)
    near, far = np.eye(8, dtype=np.float32)[0], unit_vector(np.array([1, 1, 0, 0, 0, 0, 0, 0], np.float32))
    partition.put("many images", np.stack([near] * 20), None)
    keys = [f"k{number:02}" for number in range(60)]
    for key in reversed(keys):
        partition.put(key, far, None)
    partition.publish()
    assert found(partition, near, 2) == ["many images", keys[0]]


def test_freed_memory_is_released_after_a_merge_of_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    partition, rows = Partition(8, FaissFlat, merge_rows=3), list[int]()
    monkeypatch.setattr(partition_module, "RELEASE_ROWS", 8)
    monkeypatch.setattr(partition_module, "release_freed_memory", lambda: rows.append(len(partition.view.live)))
    for number in range(12):
        partition.put(str(number), random_vector(), None)
        partition.publish()
    assert rows == [8, 12]


def test_a_view_counts_the_changes_of_its_products() -> None:
    partition = Partition(8, FaissFlat)
    assert partition.view.changes == 0
    partition.put("a", random_vector(), None)
    partition.put("a", random_vector(), None)
    partition.discard("a")
    partition.discard("b")
    partition.publish()
    assert partition.view.changes == 4  # a replacement discards and puts


def test_a_product_is_found_while_the_writer_is_ahead_of_the_view() -> None:
    partition, vector = Partition(8, FaissFlat), random_vector()
    partition.put("a", vector, b"old")
    partition.publish()
    partition.put("a", random_vector(), b"new")
    located = partition.find("a")
    assert located is not None
    view, row = located
    assert view.payload(row) == b"old"
    np.testing.assert_array_equal(view.vector(row), vector)
    partition.put("b", vector, None)
    assert partition.find("b") is None


def faults_in(gallery: Gallery, fixed: dict[str, Float32Array]) -> list[str]:
    """Search for each of the fixed products; return those that were not found as they should be."""
    faults = []
    for key, vector in fixed.items():
        first = gallery.search(0, vector, Query(1))[0]
        category, others = gallery.similar(key, Query(3))
        alone = all(match.key != key for match in others)
        filtered = gallery.search(0, vector, Query(100, parse_filter({"kind": "fixed"})))
        if not (
            first.key == key and abs(first.score - 1) < 1e-6 and category == 0 and alone and len(filtered) == len(fixed)
        ):
            faults.append(key)
    (kinds,) = gallery.facets(0, EVERYTHING)
    counts = {value.value: value.count for value in kinds.values}
    return faults if counts["fixed"] == len(fixed) and 1 <= counts["moving"] <= 9 else [*faults, "facets"]


def test_searches_beside_a_writer_that_merges_all_the_time_are_whole() -> None:
    gallery = Gallery(2, 16, FaissFlat, merge_rows=16)
    fixed = {f"fixed{number}": random_vector(16) for number in range(50)}
    for key, vector in fixed.items():
        gallery.put(0, key, vector, b'{"attributes":{"kind":"fixed"}}')
    gallery.put(0, "moving0", random_vector(16), MOVING)
    gallery.put(0, "moving8", random_vector(16), MOVING)
    gallery.publish()
    stop, rounds = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            rounds.append(faults_in(gallery, fixed))

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        for step in range(400):
            for number in range(8):
                gallery.put((step + number) % 2, f"moving{number}", random_vector(16), MOVING)
            gallery.discard(f"moving{step % 8}")
            gallery.publish()
        stop.set()
    for reader in readers:
        reader.result()
    assert len(rounds) >= 3
    assert not any(rounds)
