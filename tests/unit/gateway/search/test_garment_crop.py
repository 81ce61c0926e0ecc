"""What a search looks at: the whole photo, the request's box, or the surest garment in the photo."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from services.contracts.domain.box import Box
from services.contracts.domain.errors import (
    DetectorUnavailable,
    EmbeddingUnavailable,
    InvalidImage,
    InvalidRequest,
    LookalikeError,
    UpstreamTimeout,
)
from services.contracts.wire.embedding import Category, DetectionResponse, EmbeddingResponse, GarmentBox
from services.gateway.search import garment_crop
from services.gateway.search.garment_crop import GREATEST_AREA, LEAST_SURE, GarmentCrop, with_prior
from services.gateway.search.options import PhotoOptions

NAMES = ("Topwear", "Shoes", "Bags")


def embedding(*probabilities: float) -> EmbeddingResponse:
    best = max(range(len(probabilities)), key=lambda place: probabilities[place])
    return EmbeddingResponse(
        category=Category(id=best, name=NAMES[best], probability=probabilities[best]),
        probabilities=dict(zip(NAMES, probabilities, strict=True)),
        vector=[1.0],
        model="fashion/2",
        timings_ms={"decode": 1.0, "network": 2.0},
    )


def garment(name: str, probability: float, width: float = 0.4, height: float = 0.5) -> GarmentBox:
    category = Category(id=NAMES.index(name), name=name, probability=probability)
    return GarmentBox(box=Box(x=0.2, y=0.3, width=width, height=height), category=category)


@dataclass
class Embedding:
    """Returns `whole` for whole photos and `part` for parts, and detects `garments`."""

    whole: EmbeddingResponse = field(default_factory=lambda: embedding(0.5, 0.3, 0.2))
    part: EmbeddingResponse | LookalikeError = field(default_factory=lambda: embedding(0.1, 0.8, 0.1))
    garments: Sequence[GarmentBox] = ()
    trouble: LookalikeError | None = None
    boxes: list[Box | None] = field(default_factory=list)
    detections: int = 0

    async def embed(self, data: bytes, model: str | None = None, box: Box | None = None) -> EmbeddingResponse:
        self.boxes.append(box)
        if box is None:
            return self.whole
        if isinstance(self.part, LookalikeError):
            raise self.part
        return self.part

    async def detect(self, data: bytes) -> DetectionResponse:
        self.detections += 1
        if self.trouble:
            raise self.trouble
        return DetectionResponse(garments=list(self.garments), model="detector/2", timings_ms={"network": 12.0})


async def view(embedding: Embedding, chosen: str | None = None, **options: Any) -> garment_crop.PhotoView:
    crop = GarmentCrop(embedding)
    return await crop.view(b"photo", PhotoOptions(**options), "fashion/2", chosen)


async def test_the_surest_garment_is_looked_at() -> None:
    surest = garment("Shoes", 0.9)
    fake = Embedding(garments=[garment("Bags", 0.7), surest])
    result = await view(fake)
    assert result.crop == surest
    assert fake.boxes == [None, surest.box]
    assert result.embedding.category.name == "Shoes"
    assert result.timings_ms.keys() == {"decode", "network", "detect"}
    assert (result.timings_ms["decode"], result.timings_ms["network"]) == (2.0, 4.0)


async def test_no_garment_is_looked_for_if_the_whole_photo_shows_one_clearly() -> None:
    fake = Embedding(whole=embedding(0.99, 0.005, 0.005), garments=[garment("Shoes", 0.9)])
    result = await view(fake)
    assert (result.crop, result.embedding, fake.detections) == (None, fake.whole, 0)
    assert result.timings_ms == fake.whole.timings_ms


@pytest.mark.parametrize("options", [{"crop": "none"}, {"box": "0,0,0.5,0.5"}])
async def test_no_garment_is_looked_for_if_the_request_says_where_to_look(options: dict[str, str]) -> None:
    fake = Embedding(garments=[garment("Shoes", 0.9)])
    result = await view(fake, **options)
    assert (result.crop, fake.detections, len(fake.boxes)) == (None, 0, 1)


@pytest.mark.parametrize("garments", [[], [garment("Shoes", LEAST_SURE - 0.01)]], ids=["none", "unsure"])
async def test_without_a_sure_garment_the_whole_photo_is_looked_at(garments: list[GarmentBox]) -> None:
    fake = Embedding(garments=garments)
    result = await view(fake)
    assert (result.crop, result.embedding, fake.boxes) == (None, fake.whole, [None])
    assert result.timings_ms.keys() == {"decode", "network", "detect"}


async def test_a_garment_that_fills_the_photo_changes_nothing() -> None:
    side = GREATEST_AREA**0.5 + 0.01
    filling = GarmentBox(
        box=Box(x=0, y=0, width=side, height=side), category=Category(id=1, name="Shoes", probability=0.99)
    )
    fake = Embedding(garments=[filling])
    result = await view(fake)
    assert (result.crop, result.embedding, fake.boxes) == (None, fake.whole, [None])


async def test_a_garment_that_the_network_is_less_sure_of_than_of_the_whole_photo_is_not_used() -> None:
    fake = Embedding(whole=embedding(0.7, 0.2, 0.1), part=embedding(0.4, 0.3, 0.3), garments=[garment("Shoes", 0.9)])
    result = await view(fake)
    assert (result.crop, result.embedding, len(fake.boxes)) == (None, fake.whole, 2)
    assert (result.timings_ms["decode"], result.timings_ms["network"]) == (2.0, 4.0)


async def test_a_chosen_category_looks_at_its_own_garments_only() -> None:
    bag = garment("Bags", 0.75)
    fake = Embedding(garments=[garment("Shoes", 0.9), bag], part=embedding(0.1, 0.2, 0.7))
    assert (await view(fake, "Bags")).crop == bag
    assert (await view(fake, "Topwear")).crop is None
    clear = Embedding(whole=embedding(0.01, 0.01, 0.98), garments=[bag])
    assert (await view(clear, "Bags")).crop is None
    assert clear.detections == 0


@pytest.mark.parametrize("error", [InvalidRequest("box: it covers 4×4 pixels"), InvalidImage("a zero vector")])
async def test_a_part_that_cannot_be_used_leaves_the_whole_photo(error: LookalikeError) -> None:
    fake = Embedding(garments=[garment("Shoes", 0.9)], part=error)
    result = await view(fake)
    assert (result.crop, result.embedding) == (None, fake.whole)


@pytest.mark.parametrize("kind", [DetectorUnavailable, EmbeddingUnavailable, UpstreamTimeout])
async def test_a_search_works_without_a_detector_and_asks_it_again_after_a_pause(
    kind: type[LookalikeError], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    fake = Embedding(garments=[garment("Shoes", 0.9)], trouble=kind("no detector"))
    crop = GarmentCrop(fake)
    for _ in range(3):
        result = await crop.view(b"photo", PhotoOptions(), "fashion/2", None)
        assert (result.crop, result.embedding) == (None, fake.whole)
    assert fake.detections == 1
    fake.trouble, now = None, now + garment_crop.PAUSE_S
    assert (await crop.view(b"photo", PhotoOptions(), "fashion/2", None)).crop is not None


def shoes(probability: float) -> Category:
    return Category(id=1, name="Shoes", probability=probability)


def test_the_prior_decides_between_categories_that_the_network_finds_alike() -> None:
    pooled = with_prior(embedding(0.48, 0.45, 0.07), shoes(0.8))
    assert (pooled.category.id, pooled.category.name) == (1, "Shoes")
    assert sum(pooled.probabilities.values()) == pytest.approx(1, abs=1e-6)
    assert pooled.category.probability == pooled.probabilities["Shoes"] > 0.5


def test_the_prior_does_not_overrule_a_network_that_is_sure() -> None:
    pooled = with_prior(embedding(0.985, 0.01, 0.005), shoes(0.8))
    assert pooled.category.name == "Topwear"


def test_the_prior_does_not_turn_no_clothing_into_clothing() -> None:
    """The network spreads the probability of no clothing evenly."""
    pooled = with_prior(embedding(0.34, 0.33, 0.33), shoes(0.95))
    assert pooled.category.probability < 0.36
    assert sum(pooled.probabilities.values()) == pytest.approx(1, abs=1e-6)
    even = embedding(1 / 3, 1 / 3, 1 / 3)
    assert with_prior(even, shoes(0.95)).probabilities == pytest.approx(even.probabilities)


def test_a_detector_with_other_categories_is_no_prior() -> None:
    unchanged = embedding(0.6, 0.3, 0.1)
    assert with_prior(unchanged, Category(id=3, name="Hats", probability=0.9)) == unchanged


@pytest.mark.parametrize(("probability", "detections"), [(0.79, 1), (0.8, 0), (0.81, 0)])
async def test_a_photo_shows_a_garment_clearly_from_four_fifths_on(probability: float, detections: int) -> None:
    fake = Embedding(whole=embedding(probability, 0.1, 0.05))
    await view(fake)
    assert fake.detections == detections


@pytest.mark.parametrize(
    ("found", "is_used"),
    [
        (garment("Shoes", 0.7), True),
        (garment("Shoes", 0.69), False),
        (garment("Shoes", 0.9, width=0.75, height=0.5), True),
        (garment("Shoes", 0.9, width=0.8, height=0.7), True),
        (
            garment("Shoes", 0.9, width=0.8, height=0.7).model_copy(update={"box": Box(x=0, y=0, width=0.6, height=1)}),
            True,
        ),
        (garment("Shoes", 0.9).model_copy(update={"box": Box(x=0, y=0, width=0.61, height=1)}), False),
        (garment("Shoes", 0.9).model_copy(update={"box": Box(x=0, y=0, width=0.9, height=0.1)}), True),
    ],
)
async def test_a_garment_is_used_if_it_is_sure_and_does_not_fill_the_photo(found: GarmentBox, is_used: bool) -> None:
    assert (await view(Embedding(garments=[found]))).crop == (found if is_used else None)


async def test_a_part_that_is_as_sure_as_the_whole_photo_is_not_used() -> None:
    hats = GarmentBox(box=garment("Shoes", 0.9).box, category=Category(id=3, name="Hats", probability=0.9))
    for sureness, is_used in ((0.5, False), (0.51, True)):
        fake = Embedding(part=embedding(sureness, 0.3, 0.1), garments=[hats])
        assert ((await view(fake)).crop is not None) is is_used


async def test_a_request_may_bring_the_detectors_category() -> None:
    fake = Embedding(whole=embedding(0.5, 0.4, 0.1), garments=[garment("Bags", 0.9)])
    result = await view(fake, prior="Shoes")
    assert result.embedding == with_prior(fake.whole, shoes(0.8))
    assert (result.crop, result.timings_ms, fake.detections) == (None, fake.whole.timings_ms, 0)
    boxed = await view(fake, prior="Shoes", box="0,0,0.5,0.5")
    assert (fake.boxes[-1], boxed.embedding.category.name) == (Box(x=0, y=0, width=0.5, height=0.5), "Shoes")


def test_two_opinions_are_pooled_by_their_geometric_mean() -> None:
    """Shares above the least are 4/7, 3/7 and 0; the detector says 0.1, 0.8 and 0.1; the sum above the least stays."""
    pooled = with_prior(embedding(0.5, 0.4, 0.1), shoes(0.8)).probabilities
    assert pooled == pytest.approx({"Topwear": 0.302934, "Shoes": 0.597066, "Bags": 0.1}, abs=1e-5)
    certain = with_prior(embedding(1.0, 0.0, 0.0), Category(id=0, name="Topwear", probability=1.0)).probabilities
    assert certain == {"Topwear": 1.0, "Shoes": 0.0, "Bags": 0.0}


def test_a_single_category_has_no_other_opinion() -> None:
    one = EmbeddingResponse(
        category=Category(id=0, name="Topwear", probability=0.6),
        probabilities={"Topwear": 0.6},
        vector=[1.0],
        model="m/1",
        timings_ms={},
    )
    assert with_prior(one, Category(id=0, name="Topwear", probability=0.9)) is one
    two = one.model_copy(update={"probabilities": {"Topwear": 0.6, "Shoes": 0.4}})
    assert with_prior(two, shoes(0.9)).category.probability == pytest.approx(0.6)


def test_opinions_that_exclude_each_other_leave_only_the_probability_of_nothing() -> None:
    pooled = with_prior(embedding(0.5, 0.2, 0.2), shoes(1.0)).probabilities
    assert pooled == pytest.approx({"Topwear": 0.2, "Shoes": 0.2, "Bags": 0.2})


async def test_the_stages_of_both_looks_are_added(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = iter([1.0, 1.0123456])
    monkeypatch.setattr(time, "perf_counter", lambda: next(readings))
    part = embedding(0.1, 0.8, 0.1).model_copy(update={"timings_ms": {"network": 3.0, "crop": 4.0}})
    result = await view(Embedding(part=part, garments=[garment("Shoes", 0.9)]))
    assert result.timings_ms == {"decode": 1.0, "network": 5.0, "crop": 4.0, "detect": 12.346}


async def test_of_a_category_that_the_network_does_not_know_a_garment_is_looked_for() -> None:
    fake = Embedding(garments=[])
    await view(fake, "Hats")
    assert fake.detections == 1
