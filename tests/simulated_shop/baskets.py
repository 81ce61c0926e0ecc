"""Baskets of the simulated shop: its shoppers agree on which styles go together, and no vector shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from services.catalogue.events.baskets import Baskets
from services.catalogue.events.event import Event
from services.catalogue.product import Float32Array
from services.look.bought_together import BoughtTogether
from services.look.compatibility import Compatibility, Garment
from services.look.manifest import LookManifest
from tests.simulated_shop.catalogue import DIMENSION, NAMES, STYLES, Shelf
from tests.simulated_shop.shop import FIRST_DAY, MODEL, SimulatedShop

AGREEMENT = 0.7  # of the baskets have products of styles that go together; the others have any
CANDIDATES = 4
WEIGHT = 0.5  # the default of GATEWAY_BASKETS_WEIGHT


@dataclass(frozen=True)
class Basket:
    """Two products that one shopper bought on one day: category and row of each."""

    first: tuple[int, int]
    other: tuple[int, int]


@dataclass(frozen=True)
class Right:
    """Share of the questions that are answered right: by the model alone, and blended with baskets."""

    model: float
    blended: float


def drawn_baskets(
    shelves: Sequence[Shelf], count: int, agreement: float, generator: np.random.Generator, taste_seed: int
) -> list[Basket]:
    """Return baskets. Which style of a category goes with which of another follows from `taste_seed`."""
    tastes = np.random.default_rng(taste_seed)
    partners = {(a, b): tastes.permutation(STYLES) for a in range(len(shelves)) for b in range(a + 1, len(shelves))}
    baskets: list[Basket] = []
    for _ in range(count):
        first, second = sorted(int(number) for number in generator.choice(len(shelves), 2, replace=False))
        row = int(generator.integers(len(shelves[first].products)))
        wished = np.flatnonzero(shelves[second].styles == partners[first, second][shelves[first].styles[row]])
        agrees = len(wished) > 0 and generator.random() < agreement
        other = int(generator.choice(wished)) if agrees else int(generator.integers(len(shelves[second].products)))
        baskets.append(Basket((first, row), (second, other)))
    return baskets


def basket_events(shelves: Sequence[Shelf], baskets: Sequence[Basket]) -> list[Event]:
    """Return the events of baskets as a shop sends them: a visitor each, one product in the cart, one bought."""
    noon = datetime.combine(date.fromordinal(FIRST_DAY.toordinal()), time(12), UTC)
    return [
        Event.model_validate(
            {
                "event_id": f"basket-{number}-{action}",
                "action_name": action,
                "client_id": f"basket-{number}",
                "timestamp": noon + timedelta(seconds=number),
                "event_attributes": {"object": {"object_id": shelves[category].products[row].id}},
            }
        )
        for number, basket in enumerate(baskets)
        for action, (category, row) in (("add_to_cart", basket.first), ("purchase", basket.other))
    ]


def bought_together(shelves: Sequence[Shelf], events: Sequence[Event]) -> BoughtTogether:
    """Return the pairs of a log, as the gateway reads them."""
    gathered = Baskets()
    gathered.add(events)
    products: dict[str, tuple[int, Float32Array]] = {
        product.id: (shelf.category, vector)
        for shelf in shelves
        for product, vector in zip(shelf.products, shelf.vectors, strict=True)
    }
    baskets = gathered.of_several()
    bought = {key for basket in baskets for key in basket}
    return BoughtTogether.of(baskets, {key: products[key] for key in bought})


def look_model(shelves: Sequence[Shelf]) -> Compatibility:
    """Return a look model for which alike garments go together. Every garment is grey."""
    means = np.stack([shelf.vectors.mean(axis=0) for shelf in shelves]).astype(np.float32)
    colour = np.zeros((DIMENSION + 1, 3), np.float32)
    colour[-1] = (50, 0, 0)
    manifest = LookManifest(
        name="look",
        version=1,
        embedding_model=MODEL,
        categories=NAMES,
        dimension=DIMENSION,
        outfits=dict.fromkeys(NAMES, 100),
        pairs={f"{each}+{other}": 100 for at, each in enumerate(NAMES) for other in NAMES[at + 1 :]},
        seed=7,
        command="",
        created="2026-11-30T00:00:00+00:00",
    )
    projections = np.tile(np.eye(DIMENSION, dtype=np.float32), (len(NAMES), 1, 1))
    return Compatibility(manifest, projections, {"worn": means, "studio": means}, colour)


def fill_in_the_blank(shop: SimulatedShop, count: int, questions: int, agreement: float, seed: int) -> Right:
    """Return how often the product that was bought with another is chosen among CANDIDATES of its category.

    Args:
        shop: its products.
        count: baskets of the log.
        questions: baskets after the log, whose shoppers agree.
        agreement: of the shoppers of the log.
        seed: of baskets and candidates.
    """
    generator, shelves = np.random.default_rng(seed), shop.shelves
    log = drawn_baskets(shelves, count, agreement, generator, taste_seed=seed)
    bought, model = bought_together(shelves, basket_events(shelves, log)), look_model(shelves)
    right = np.zeros(2)
    for basket in drawn_baskets(shelves, questions, AGREEMENT, generator, taste_seed=seed):
        (category, row), (wanted, true) = basket.first, basket.other
        garment = Garment(category, shelves[category].vectors[row], "studio")
        others = generator.choice(len(shelves[wanted].products), CANDIDATES - 1, replace=False)
        vectors = shelves[wanted].vectors[[true, *others]]
        scores = model.scores([garment], wanted, vectors)
        partners = bought.partners([garment], wanted, WEIGHT)
        blended = scores if partners is None else partners.blended_scores(scores, vectors)
        right += (scores.argmax() == 0, blended.argmax() == 0)
    return Right(*(right / max(questions, 1)).tolist())
