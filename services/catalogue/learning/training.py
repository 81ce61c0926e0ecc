"""Training of a learned order on the event log, and its report on held-out days."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np

from services.catalogue.learning import propensities as position_bias
from services.catalogue.learning.click_table import HALF_LIFE_DAYS, ClickTable
from services.catalogue.learning.examples import TrainingExamples
from services.catalogue.learning.learned_order import LearnedOrder
from services.catalogue.learning.lightgbm_training import train_trees
from services.catalogue.learning.query_signals import Float64Array
from services.catalogue.learning.replay import OrderComparison, compare
from services.catalogue.learning.search_log import LoggedSearch
from services.catalogue.learning.signals import SIGNALS
from services.catalogue.learning.trees import Trees

RANKING: dict[str, Any] = {
    "objective": "lambdarank",
    "num_leaves": 15,
    "max_depth": 5,
    "learning_rate": 0.05,
    "min_data_in_leaf": 100,
    "lambda_l2": 5.0,
    "lambdarank_truncation_level": 10,
    "label_gain": [0, 1],
}
RANKING_TREES = 100
LEAST_CLICKED = 100  # searches with clicks, in training and held out, below which nothing is learned


class NotEnoughEvents(Exception):
    """The log is too short to learn from. The text says how many are missing."""


@dataclass(frozen=True)
class LearningOptions:
    """How an order is learned.

    Attributes:
        held_out_days: the last days of the log, which the report is about.
        bound: on how far similarity may be overruled, in units of `score`.
        half_life_days: the age at which a click counts half.
        debias: whether clicks are weighted by the inverse propensity of their position.
        seed: of the trees and the bootstrap.
    """

    held_out_days: int = 7
    bound: float = 0.05
    half_life_days: float = HALF_LIFE_DAYS
    debias: bool = True
    seed: int = 7


@dataclass(frozen=True)
class LearningReport:
    """The log that an order is learned from, and the order's worth on the days that were held out.

    Attributes:
        first_day, last_day: of the log.
        held_out_from: the first day that was held out.
        searches, clicked: first pages of the log, and how many have a click.
        propensities: of the positions from 1 on.
        comparison: the learned order against the plain order on the held-out days.
        options: how it was learned.
    """

    first_day: str
    last_day: str
    held_out_from: str
    searches: int
    clicked: int
    propensities: tuple[float, ...]
    comparison: OrderComparison
    options: LearningOptions

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON."""
        return asdict(self)


def learn(searches: Sequence[LoggedSearch], options: LearningOptions) -> tuple[LearnedOrder, LearningReport]:
    """Return an order that is learned from the log, and its report.

    The trees are trained on the days before the held-out ones, and the report compares with them only; the click
    table that searches then use knows the whole log.

    Raises:
        NotEnoughEvents: the log has too few searches with clicks.
        LearningUnavailable: LightGBM is not installed.
    """
    if not searches:
        raise NotEnoughEvents(
            "the log has no search with its results: there is nothing to learn from; is GATEWAY_EVENTS_ENABLED set?"
        )
    last = max(search.day for search in searches)
    held_out_from = last - options.held_out_days + 1
    past = [search for search in searches if search.day < held_out_from]
    held_out = [search for search in searches if search.day >= held_out_from]
    _check(past, held_out, options)
    biases = propensities_of(past, options)
    table = ClickTable(options.half_life_days)
    examples = TrainingExamples.rolling(past, table, biases)
    trees = train(examples, biases, options.seed)
    comparison = compare(TrainingExamples.of(held_out, table), trees, biases, options.bound, options.seed)
    if comparison is None:
        raise NotEnoughEvents("no held-out search has a click")
    for search in sorted(held_out, key=lambda search: (search.day, search.id)):
        table.add(search, biases)
    pages = [search for search in searches if search.is_first_page]
    report = LearningReport(
        first_day=_iso(min(search.day for search in searches)),
        last_day=_iso(last),
        held_out_from=_iso(held_out_from),
        searches=len(pages),
        clicked=sum(search.gain > 0 for search in pages),
        propensities=tuple(round(value, 4) for value in biases),
        comparison=comparison,
        options=options,
    )
    return LearnedOrder(trees, table), report


def propensities_of(searches: Sequence[LoggedSearch], options: LearningOptions) -> tuple[float, ...]:
    """Return the propensities of the positions, estimated from these searches; all 1 without debiasing."""
    if not options.debias:
        return position_bias.NO_BIAS
    return position_bias.estimate(
        TrainingExamples.rolling(searches, ClickTable(options.half_life_days), position_bias.START)
    )


def train(examples: TrainingExamples, propensities: Sequence[float], seed: int) -> Trees:
    """Return trees that put products that shoppers choose before those that they ignore.

    Each choice is a group of its own: the chosen product, and those of the page that the shopper ignored. Its weight is
    its worth divided by the propensity of its position (Wang et al., "Learning to Rank with Selection Bias in Personal
    Search", SIGIR 2016). The objective is LambdaMART's (Burges, 2010).
    """
    rows: list[np.ndarray[Any, np.dtype[np.int64]]] = []
    labels: list[Float64Array] = []
    weights: list[Float64Array] = []
    for page in range(examples.pages):
        place = examples.rows(page)
        numbers = np.arange(place.start, place.stop)
        chosen = numbers[examples.gains[place] > 0]
        ignored = numbers[examples.gains[place] == 0]
        for row in chosen if len(ignored) else ():
            group = np.concatenate(([row], ignored))
            propensity = propensities[min(int(examples.positions[row]), len(propensities)) - 1]
            rows.append(group)
            labels.append(np.concatenate(([1.0], np.zeros(len(ignored)))))
            weights.append(np.full(len(group), examples.gains[row] / propensity))
    if not rows:
        raise NotEnoughEvents("no search has a product with a click and one without: there is nothing to compare")
    every = np.concatenate(rows)
    return train_trees(
        examples.signals[every],
        np.concatenate(labels),
        RANKING,
        trees=RANKING_TREES,
        seed=seed,
        monotone=SIGNALS,
        weights=np.concatenate(weights),
        groups=np.asarray([len(group) for group in rows], dtype=np.int64),
    )


def _check(past: Sequence[LoggedSearch], held_out: Sequence[LoggedSearch], options: LearningOptions) -> None:
    for name, part in (("before the held-out days", past), (f"in the last {options.held_out_days} days", held_out)):
        clicked = sum(search.is_first_page and search.gain > 0 for search in part)
        if clicked < LEAST_CLICKED:
            raise NotEnoughEvents(
                f"{clicked} searches with a click {name}: at least {LEAST_CLICKED} are needed; keep events for longer, "
                "or hold out fewer days with --held-out-days"
            )


def _iso(day: int) -> str:
    return date.fromordinal(day).isoformat()
