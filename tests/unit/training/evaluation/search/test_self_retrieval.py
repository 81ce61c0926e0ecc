import numpy as np
import pytest

from training.evaluation.search.retrieval import EmbeddedProducts, unit
from training.evaluation.search.self_retrieval import compose, self_retrieval

SIZE = 32


def shots(count: int = 12) -> np.ndarray:
    images = np.full((count, SIZE, SIZE, 3), 255, np.uint8)
    for number, image in enumerate(images):
        image[8:24, 8:24] = (20 * number, 40, 200 - 10 * number)
    return images


def backgrounds() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (4, 128, 128, 3)).astype(np.uint8)


def test_products_lie_on_backgrounds_and_the_seed_decides_where() -> None:
    positions = np.arange(2, 10)
    composed, again = (compose(shots(), positions, backgrounds(), [7, 1]) for _ in range(2))
    np.testing.assert_array_equal(composed.images, again.images)
    assert list(composed.positions) == list(range(2, 10))
    assert composed.images.shape == (8, SIZE, SIZE, 3)
    assert (composed.images.min(axis=3) > 250).mean() < 0.05
    assert not np.array_equal(composed.images, compose(shots(), positions, backgrounds(), [8, 1]).images)


def test_a_product_is_never_mirrored() -> None:
    image = np.full((1, SIZE, SIZE, 3), 255, np.uint8)
    image[:, 8:24, 6:16], image[:, 8:24, 16:26] = (200, 0, 0), (0, 0, 200)
    plain = np.full((1, 128, 128, 3), 120, np.uint8)
    for seed in range(12):
        shown = compose(image, np.array([0]), plain, [seed]).images[0].astype(int)
        red, blue = shown[..., 0] - shown[..., 2] > 80, shown[..., 2] - shown[..., 0] > 80
        assert np.argwhere(red)[:, 1].mean() < np.argwhere(blue)[:, 1].mean()


def test_a_sample_of_many_products_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.evaluation.search.self_retrieval.MOST_PRODUCTS", 5)
    assert len(compose(shots(), np.arange(12), backgrounds(), [7]).positions) == 5


def gallery(vectors: np.ndarray, labels: list[int]) -> EmbeddedProducts:
    ids = np.array([str(n) for n in range(len(labels))])
    return EmbeddedProducts(ids, np.array(labels), ids, ids, vectors)


def test_a_product_is_searched_in_its_own_category() -> None:
    vectors = unit(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]], np.float32))
    composed = compose(shots(4), np.array([0, 1, 3]), backgrounds(), [7])
    queries = unit(np.array([[1, 0.1, 0], [0, 0.1, 1], [0.4, 1, 0]], np.float32))
    probabilities = np.eye(2, dtype=np.float32)[[0, 1, 1]]
    figures = self_retrieval(queries, probabilities, composed, gallery(vectors, [0, 1, 1, 0]))
    assert figures["count"] == 3
    assert figures["first"] == pytest.approx(2 / 3)  # the second is nearer to product 2, of the same category
    assert figures["first_ten"] == 1
    assert figures["accuracy"] == pytest.approx(2 / 3)
    assert figures["similarity"] == pytest.approx(float((queries * vectors[[0, 1, 3]]).sum(axis=1).mean()), abs=1e-6)


def test_random_vectors_find_nothing() -> None:
    rng = np.random.default_rng(3)
    vectors = unit(rng.normal(size=(200, 8)).astype(np.float32))
    composed = compose(shots(12)[np.zeros(200, int)], np.arange(100), backgrounds(), [7])
    queries = unit(rng.normal(size=(100, 8)).astype(np.float32))
    figures = self_retrieval(queries, np.ones((100, 1), np.float32), composed, gallery(vectors, [0] * 200))
    assert figures["first"] < 0.05
    assert figures["first_ten"] < 0.15
