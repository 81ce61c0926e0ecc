"""The garments of a photo for a look, around a fake embedding service."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from services.contracts.domain.errors import DetectorUnavailable, InvalidImage, InvalidRequest
from services.gateway.look import garments as module
from services.gateway.look.garments import garments_of

FACTS: Any = SimpleNamespace(model="fashion/1", thresholds={"no_clothing": 0.4, "other_clothing": 0.6})


def seen(category: int, probability: float = 0.9, other_clothing: float | None = None) -> Any:
    """Return what the network sees in a picture or in a part of it."""
    return SimpleNamespace(
        category=SimpleNamespace(id=category, probability=probability), other_clothing=other_clothing
    )


def box(name: str, place: str) -> Any:
    return SimpleNamespace(category=SimpleNamespace(name=name), box=place)


class Embedding:
    """Sees `parts` by their places, and `whole` in the whole photo."""

    def __init__(self, boxes: list[Any], parts: dict[str, Any], whole: Any = None) -> None:
        self.boxes, self.parts, self.whole = boxes, parts, whole
        self.has_detector = True
        self.models: list[str] = []
        self.running = self.most = 0

    async def detect(self, _: bytes) -> Any:
        if not self.has_detector:
            raise DetectorUnavailable("there is no detector")
        return SimpleNamespace(garments=self.boxes)

    async def embed(self, _: bytes, model: str, box: Any = None) -> Any:
        self.models.append(model)
        if box is None:
            return self.whole
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        if isinstance(self.parts[box], Exception):
            raise self.parts[box]
        return self.parts[box]


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """The detector's category changes nothing here."""
    monkeypatch.setattr(module, "with_prior", lambda part, _: part)


def garments(embedding: Embedding) -> tuple[list[tuple[int, Any]], str]:
    actual, outcome = asyncio.run(garments_of(embedding, b"photo", FACTS))  # type: ignore[arg-type]
    return [(item.embedding.category.id, item.box and item.box.box) for item in actual], outcome


def test_each_category_has_its_surest_garment() -> None:
    boxes = [box("Topwear", "a"), box("Shoes", "b"), box("Topwear", "c")]
    embedding = Embedding(boxes, {"a": seen(0), "b": seen(1), "c": seen(0)})
    assert garments(embedding) == ([(0, "a"), (1, "b")], "ok")
    assert embedding.models == ["fashion/1"] * 2


def test_two_boxes_that_the_network_takes_for_one_category_are_the_surer_one() -> None:
    embedding = Embedding([box("Topwear", "a"), box("Shoes", "b")], {"a": seen(0), "b": seen(0)})
    assert garments(embedding) == ([(0, "a")], "ok")


@pytest.mark.parametrize("error", [InvalidRequest("small"), InvalidImage("small")])
def test_a_garment_of_too_few_pixels_is_left_out(error: Exception) -> None:
    embedding = Embedding([box("Topwear", "a"), box("Shoes", "b")], {"a": error, "b": seen(1)})
    assert garments(embedding) == ([(1, "b")], "ok")


def test_at_most_eight_garments_are_looked_at_two_at_a_time() -> None:
    places = "abcdefghij"
    boxes = [box(f"category {place}", place) for place in places]
    embedding = Embedding(boxes, {place: seen(number) for number, place in enumerate(places)})
    actual, _ = garments(embedding)
    assert [place for _, place in actual] == list("abcdefgh")
    assert embedding.most == 2


@pytest.mark.parametrize(
    ("whole", "categories", "outcome"),
    [
        (seen(0, 0.4), [0], "ok"),
        (seen(0, 0.39), [], "no_clothing"),
        (seen(0, 0.39, 0.59), [], "no_clothing"),
        (seen(0, 0.39, 0.6), [], "other_clothing"),
        (seen(0, 0.4, 0.9), [0], "ok"),
    ],
)
@pytest.mark.parametrize("has_detector", [True, False])
def test_without_a_garment_the_whole_photo_decides(
    whole: Any, categories: list[int], outcome: str, has_detector: bool
) -> None:
    embedding = Embedding([box("Topwear", "a")] if has_detector else [], {"a": InvalidImage("small")}, whole)
    embedding.has_detector = has_detector
    assert garments(embedding) == ([(category, None) for category in categories], outcome)


def test_a_model_without_thresholds_takes_half_for_other_clothing(monkeypatch: pytest.MonkeyPatch) -> None:
    facts: Any = SimpleNamespace(model="fashion/1", thresholds={"no_clothing": 1.0})
    for share, outcome in ((0.5, "other_clothing"), (0.49, "no_clothing")):
        embedding: Any = Embedding([], {}, seen(0, 0.9, share))
        assert asyncio.run(garments_of(embedding, b"photo", facts)) == ([], outcome)
    sure: Any = Embedding([], {}, seen(0, 0.0))
    collected, outcome = asyncio.run(garments_of(sure, b"photo", SimpleNamespace(model="m", thresholds={})))  # type: ignore[arg-type]
    assert (len(collected), outcome) == (1, "ok")
