"""Methods of messages."""

import base64
import math
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from services.contracts.domain.manifest import Manifest
from services.contracts.domain.parts import Part
from services.contracts.wire.embedding import BatchEmbedding, Embedding, ModelFacts
from services.contracts.wire.index import MAX_REACH, Hit, IndexedProduct, IndexSearch, Page, attributes_of


@pytest.mark.parametrize("k", [1, 10, 30, 100])
def test_following_the_pages_reaches_every_position_once(k: int) -> None:
    positions: list[int] = []
    page: Page | None = Page(k=k)
    while page is not None:
        positions += range(page.offset, page.end)
        page = page.following()
    assert positions == list(range(MAX_REACH))


@pytest.mark.parametrize("vector", [[], [0.0, 0.0], [math.inf, 0.0], [math.nan, 1.0], [1e39, 0.0]])
def test_a_vector_without_a_direction_is_refused(vector: list[float]) -> None:
    with pytest.raises(ValidationError, match="vector"):
        IndexSearch.model_validate({"category": 0, "vector": vector, "model": "fashion/1"})


@pytest.mark.parametrize("vector", [[1e-20, 0.0], [-3.0, 4.0]])
def test_a_vector_of_any_other_length_is_accepted(vector: list[float]) -> None:
    assert IndexSearch.model_validate({"category": 0, "vector": vector, "model": "fashion/1"}).vector == vector


def test_a_page_ends_where_results_can_be_reached() -> None:
    assert Page(k=10, offset=490).end == 500
    with pytest.raises(ValidationError, match=r"offset \+ k may be at most 500: 491 \+ 10 is more"):
        Page(k=10, offset=491)


PRODUCT: dict[str, Any] = {"id": "1", "catalogue": "default", "category": 0}


def test_the_vector_of_a_hit_travels_as_text() -> None:
    vector = np.array([0.6, -0.8], np.float32)
    hit = Hit(**PRODUCT, score=0.5, vector=vector)
    document = hit.model_dump(mode="json")
    assert document["vector"] == base64.b64encode(vector.astype("<f4").tobytes()).decode()
    parsed = Hit.model_validate(document).vector
    assert parsed is not None
    assert (parsed.tolist(), parsed.dtype) == (vector.tolist(), np.dtype(np.float32))


@pytest.mark.parametrize("vector", [7, [0.6], "no base64!", "AAA="])
def test_the_vector_of_a_hit_is_text_in_base64(vector: object) -> None:
    with pytest.raises(ValidationError):
        Hit.model_validate({**PRODUCT, "score": 0.5, "vector": vector})


def test_the_group_of_a_product_is_an_attribute_unless_one_has_its_name() -> None:
    assert attributes_of(IndexedProduct(**PRODUCT, attributes={"a": 1})) == {"a": 1}
    assert attributes_of(IndexedProduct(**PRODUCT, attributes={"a": 1}, group="g")) == {"a": 1, "group": "g"}
    assert attributes_of(IndexedProduct(**PRODUCT, attributes={"group": "h"}, group="g")) == {"group": "h"}


def test_what_a_search_does_not_ask_for_is_not_sent() -> None:
    plain = IndexSearch(category=0, vector=[1.0], model="fashion/1")
    left_out = {"group_by", "hide", "pinned", "vectors", "vector_of", "part"}
    assert not left_out & plain.model_dump(mode="json").keys()
    asked = {
        "group_by": "group",
        "hide": {"a": 1},
        "pinned": ["1"],
        "vectors": True,
        "vector_of": {"catalogue": "default", "id": "1"},
        "part": "2/4",
    }
    search = IndexSearch.model_validate({**plain.model_dump(mode="json"), **asked})
    assert {name: search.model_dump(mode="json")[name] for name in left_out} == asked
    assert search.part == Part(2, 4)


@pytest.mark.parametrize(("vector", "is_whole"), [(b"", False), (b"abc", False), (b"abcd", True), (b"abcde", False)])
def test_a_vector_as_bytes_has_whole_numbers(vector: bytes, is_whole: bool) -> None:
    document = {"category": {"id": 0, "name": "Shoes", "probability": 1}, "probabilities": {}, "model": "fashion/1"}
    if is_whole:
        embedding = BatchEmbedding.model_validate({**document, "vector": base64.b64encode(vector).decode()})
        assert embedding.array.tolist() == np.frombuffer(vector, "<f4").tolist()
    else:
        with pytest.raises(ValidationError):
            BatchEmbedding.model_validate({**document, "vector": base64.b64encode(vector).decode()})
    listed = Embedding.model_validate({**document, "vector": [0.6, 0.8]}).array
    assert (listed.shape, listed.dtype) == ((2,), np.dtype(np.float32))


def test_the_facts_of_a_model_are_those_of_its_manifest() -> None:
    manifest = Manifest(
        name="fashion",
        version=2,
        architecture="small",
        input={"height": 80, "width": 60},
        categories=("Shoes", "Hats"),
        parameters=1,
        seed=0,
        command="train",
        created="today",
        dimension=64,
        unit_length=True,
        thresholds={"close": 0.5},
    )
    assert ModelFacts.of(manifest).model_dump() == {
        "model": "fashion/2",
        "categories": ["Shoes", "Hats"],
        "dimension": 64,
        "input": {"height": 80, "width": 60},
        "thresholds": {"close": 0.5},
    }
