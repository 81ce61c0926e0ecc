import numpy as np
import pytest

from training.evaluation.search.retrieval import EmbeddedProducts, neighbours, precision_at_k, unit


def embedded(
    vectors: list[list[float]], ids: str, labels: list[int] | None = None, kinds: str = "", colours: str = ""
) -> EmbeddedProducts:
    count = len(vectors)
    return EmbeddedProducts(
        ids=np.array(list(ids)),
        labels=np.array(labels or [0] * count),
        article_types=np.array([k.replace("-", "") for k in kinds or "t" * count]),
        base_colours=np.array([c.replace("-", "") for c in colours or "c" * count]),
        vectors=unit(np.array(vectors, np.float32)),
    )


def random(count: int, seed: int) -> EmbeddedProducts:
    rng = np.random.default_rng(seed)
    return EmbeddedProducts(
        ids=np.array([f"{seed}-{i}" for i in range(count)]),
        labels=rng.integers(0, 3, count),
        article_types=rng.choice(["x", "y", "z", ""], count),
        base_colours=rng.choice(["r", "g", ""], count),
        vectors=unit(rng.normal(size=(count, 8)).astype(np.float32)),
    )


def test_vectors_become_unit_length_and_a_zero_vector_stays_zero() -> None:
    assert unit(np.array([[3, 4], [0, 0]], np.float32)).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0]]


def test_the_nearest_come_first_by_cosine_similarity() -> None:
    positions, scores = neighbours(embedded([[1, 0]], "q"), embedded([[0, 5], [9, 1], [1, 1]], "abc"), 2)
    assert positions.tolist() == [[1, 2]]
    assert scores[0, 0] == pytest.approx(9 / np.sqrt(82))


def test_a_query_never_finds_itself() -> None:
    items = embedded([[1, 0], [1, 0.1]], "ab")
    positions, scores = neighbours(items, items, 2)
    assert positions[:, 0].tolist() == [1, 0]
    assert np.isneginf(scores[:, 1]).all()


def test_precision_at_k_is_what_a_plain_loop_counts() -> None:
    queries, gallery = random(60, 1), random(300, 2)
    figures = precision_at_k(queries, gallery, ("a", "b", "c"), k=10)
    expected: dict[str, list[float]] = {"article_type": [], "base_colour": [], "both": []}
    for i in range(60):
        inside = [j for j in range(300) if gallery.labels[j] == queries.labels[i]]
        inside.sort(key=lambda j: -float(queries.vectors[i] @ gallery.vectors[j]))
        kind = [gallery.article_types[j] == queries.article_types[i] != "" for j in inside[:10]]
        colour = [gallery.base_colours[j] == queries.base_colours[i] != "" for j in inside[:10]]
        expected["article_type"].append(float(np.mean(kind)))
        expected["base_colour"].append(float(np.mean(colour)))
        both = [k and c for k, c in zip(kind, colour, strict=True)]
        expected["both"].append(float(np.mean(both)))
    assert figures["precision"] == {name: pytest.approx(np.mean(values)) for name, values in expected.items()}
    assert figures["queries"] == 60


def test_an_empty_attribute_agrees_with_nothing() -> None:
    queries, gallery = embedded([[1, 0]], "q", kinds="-", colours="r"), embedded([[1, 0]], "a", kinds="-", colours="r")
    figures = precision_at_k(queries, gallery, ("only",))
    assert figures["precision"] == {"article_type": 0.0, "base_colour": 1.0, "both": 0.0}


def test_a_small_category_has_fewer_than_k_results() -> None:
    queries, gallery = embedded([[1, 0]], "q", kinds="t"), embedded([[1, 0], [0, 1]], "ab", kinds="tu")
    assert precision_at_k(queries, gallery, ("only",))["precision"]["article_type"] == pytest.approx(0.5)


def test_a_query_alone_in_its_category_is_counted_and_excluded() -> None:
    items = embedded([[1, 0], [0, 1], [1, 1]], "abc", labels=[0, 0, 1])
    figures = precision_at_k(items, items, ("pair", "single"))
    assert (figures["queries"], figures["queries_excluded"]) == (2, 1)


def test_without_any_query_there_is_no_figure() -> None:
    items = embedded([[1, 0]], "a")
    assert precision_at_k(items, items, ("single",))["precision"]["both"] is None


def test_chance_is_the_share_of_the_category_that_agrees() -> None:
    queries, gallery = embedded([[1, 0]], "q", kinds="t"), embedded([[1, 0]] * 4, "abcd", kinds="tuuu")
    assert precision_at_k(queries, gallery, ("only",))["chance"]["article_type"] == pytest.approx(0.25)
