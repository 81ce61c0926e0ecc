"""Groups of vectors: compact ones, the same each time."""

import numpy as np
import pytest

from services.catalogue.demand.grouping import MAX_GROUPS, grouped
from services.catalogue.product import Float32Array


def near(directions: int, each: int, noise: float) -> Float32Array:
    """Return vectors near some directions that are at right angles, `each` near every one."""
    random = np.random.default_rng(3)
    centres = np.eye(64, dtype=np.float32)[:directions].repeat(each, axis=0)
    vectors = centres + random.normal(0, noise, centres.shape).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


@pytest.mark.parametrize("directions", [1, 2, 5])
def test_vectors_of_one_direction_are_one_group(directions: int) -> None:
    labels = grouped(near(directions, 20, 0.02)).reshape(directions, 20)
    assert (labels == labels[:, :1]).all()
    assert len(np.unique(labels)) == directions


def test_groups_are_the_same_each_time() -> None:
    vectors = near(4, 30, 0.1)
    np.testing.assert_array_equal(grouped(vectors), grouped(vectors))


def test_equal_vectors_and_a_single_one_are_one_group() -> None:
    assert set(grouped(near(1, 1, 0.0))) == {0}
    assert set(grouped(near(1, 40, 0.0))) == {0}


def test_vectors_of_every_direction_make_a_bounded_number_of_groups() -> None:
    assert len(np.unique(grouped(near(40, 5, 0.02)))) <= MAX_GROUPS
