import numpy as np
import pytest

from training.evaluation.new_backgrounds import place, self_retrieval
from training.evaluation.retrieval import Embedded, unit

SIZE = 32


def shots(count: int = 12) -> np.ndarray:
    images = np.full((count, SIZE, SIZE, 3), 255, np.uint8)
    for number, image in enumerate(images):
        image[8:24, 8:24] = (20 * number, 40, 200 - 10 * number)
    return images


def grounds() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (4, 128, 128, 3)).astype(np.uint8)


def test_products_lie_on_backgrounds_and_the_seed_decides_where() -> None:
    positions = np.arange(2, 10)
    placed, again = (place(shots(), positions, grounds(), [7, 1]) for _ in range(2))
    np.testing.assert_array_equal(placed.pictures, again.pictures)
    assert list(placed.positions) == list(range(2, 10))
    assert placed.pictures.shape == (8, SIZE, SIZE, 3)
    assert (placed.pictures.min(axis=3) > 250).mean() < 0.05
    assert not np.array_equal(placed.pictures, place(shots(), positions, grounds(), [8, 1]).pictures)


def test_a_product_is_never_mirrored() -> None:
    image = np.full((1, SIZE, SIZE, 3), 255, np.uint8)
    image[:, 8:24, 6:16], image[:, 8:24, 16:26] = (200, 0, 0), (0, 0, 200)
    plain = np.full((1, 128, 128, 3), 120, np.uint8)
    for seed in range(12):
        shown = place(image, np.array([0]), plain, [seed]).pictures[0].astype(int)
        red, blue = shown[..., 0] - shown[..., 2] > 80, shown[..., 2] - shown[..., 0] > 80
        assert np.argwhere(red)[:, 1].mean() < np.argwhere(blue)[:, 1].mean()


def test_of_many_products_some_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.evaluation.new_backgrounds.MOST", 5)
    assert len(place(shots(), np.arange(12), grounds(), [7]).positions) == 5


def gallery(vectors: np.ndarray, labels: list[int]) -> Embedded:
    ids = np.array([str(n) for n in range(len(labels))])
    return Embedded(ids, np.array(labels), ids, ids, vectors)


def test_a_product_is_looked_for_in_its_own_category() -> None:
    vectors = unit(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]], np.float32))
    placed = place(shots(4), np.array([0, 1, 3]), grounds(), [7])
    asked = unit(np.array([[1, 0.1, 0], [0, 0.1, 1], [0.4, 1, 0]], np.float32))
    probabilities = np.eye(2, dtype=np.float32)[[0, 1, 1]]
    figures = self_retrieval(asked, probabilities, placed, gallery(vectors, [0, 1, 1, 0]))
    assert figures["count"] == 3
    assert figures["first"] == pytest.approx(2 / 3)  # the second is nearer to product 2, of the same category
    assert figures["first_ten"] == 1
    assert figures["accuracy"] == pytest.approx(2 / 3)
    assert figures["similarity"] == pytest.approx(float((asked * vectors[[0, 1, 3]]).sum(axis=1).mean()), abs=1e-6)


def test_vectors_that_know_nothing_find_nothing() -> None:
    rng = np.random.default_rng(3)
    vectors = unit(rng.normal(size=(200, 8)).astype(np.float32))
    placed = place(shots(12)[np.zeros(200, int)], np.arange(100), grounds(), [7])
    asked = unit(rng.normal(size=(100, 8)).astype(np.float32))
    figures = self_retrieval(asked, np.ones((100, 1), np.float32), placed, gallery(vectors, [0] * 200))
    assert figures["first"] < 0.05
    assert figures["first_ten"] < 0.15
