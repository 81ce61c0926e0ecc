"""How well looks are judged: fill-in-the-blank and the area under the curve, on outfits that are not in the training.

Fill-in-the-blank (Han et al., Learning Fashion Compatibility with Bidirectional LSTMs, 2017): an outfit lacks one
garment; of four candidates of its category, the one that was worn is to be chosen. The other three are of other photos.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.look.colours import harmony
from services.look.compatibility import Compatibility, Garment
from training.data.outfits import Outfit, WornGarments

CANDIDATES = 4
DRAWS = 20  # of the other candidates, for each garment
SAMPLES = 1000  # of the bootstrap
Floats = NDArray[np.float64]
# Scores candidates of a category as the partners of an outfit's other garments.
Judge = Callable[[Outfit, int, NDArray[np.int64]], Floats]


@dataclass(frozen=True)
class LookTest:
    """Outfits to judge, and the pictures that are compared.

    Attributes:
        garments: with their vectors.
        outfits: the test's; candidates come from them too.
        cutouts_only: whether the outfit's own garments are cut out too; otherwise they are as in the street.
    """

    garments: WornGarments
    outfits: Sequence[Outfit]
    cutouts_only: bool = False

    @property
    def queries(self) -> NDArray[np.float32]:
        """The vectors of the outfits' own garments."""
        return self.garments.cutouts if self.cutouts_only else self.garments.worn

    def others(self, outfit: Outfit, category: int) -> Outfit:
        """Return an outfit without a category."""
        return {number: position for number, position in outfit.items() if number != category}


def judges(model: Compatibility, test: LookTest, seed: int) -> dict[str, Judge]:
    """Return the model and what it is compared with."""
    rng = np.random.default_rng(seed)
    queries, candidates, colours = test.queries, test.garments.cutouts, test.garments.colours

    def learned(outfit: Outfit, category: int, positions: NDArray[np.int64]) -> Floats:
        worn = [Garment(number, queries[position]) for number, position in test.others(outfit, category).items()]
        return model.scores(worn, category, candidates[positions], "worn")

    def similar(outfit: Outfit, category: int, positions: NDArray[np.int64]) -> Floats:
        worn = list(test.others(outfit, category).values())
        return np.asarray((candidates[positions] @ queries[worn].T).mean(axis=1), np.float64)

    def coloured(outfit: Outfit, category: int, positions: NDArray[np.int64]) -> Floats:
        worn = list(test.others(outfit, category).values())
        known = np.where(np.isnan(colours), model.colours(test.garments.cutouts), colours)
        return np.asarray(harmony(known[worn][None], known[positions][:, None]).mean(axis=1))

    def drawn(_: Outfit, __: int, positions: NDArray[np.int64]) -> Floats:
        return rng.random(len(positions))

    return {
        "look model": learned,
        "similarity of the vectors": similar,
        "harmony of colours": coloured,
        "chance": drawn,
    }


def look_figures(model: Compatibility, test: LookTest, seed: int) -> dict[str, Any]:
    """Return fill-in-the-blank and AUC of the model and of what it is compared with, ready for JSON.

    Each has a 95 % interval by the bootstrap over photos; `gain` is the model's lead over the similarity of vectors.
    """
    figures: dict[str, Any] = {"outfits": len(test.outfits), "candidates": CANDIDATES}
    shares: dict[str, dict[str, Floats]] = {}
    for name, judge in judges(model, test, seed).items():
        shares[name] = {"fill_in_the_blank": filled(judge, test, seed), "auc": areas(judge, test)}
    figures["judges"] = {
        name: {measure: interval(values, seed) for measure, values in measures.items()}
        for name, measures in shares.items()
    }
    first, second, *_ = shares.values()
    figures["gain"] = {measure: interval(first[measure] - second[measure], seed) for measure in first}
    return figures


def filled(judge: Judge, test: LookTest, seed: int) -> Floats:
    """Return the share of blanks that are filled rightly, shape (outfits,); a tie counts as a guess."""
    rng = np.random.default_rng(seed)
    return _by_outfit(test, lambda outfit, category, others: _filled(judge, outfit, category, others, rng))


def _filled(judge: Judge, outfit: Outfit, category: int, others: NDArray[np.int64], rng: np.random.Generator) -> float:
    if len(others) < CANDIDATES - 1:
        return float("nan")
    right = 0.0
    for _ in range(DRAWS):
        drawn = rng.choice(others, CANDIDATES - 1, replace=False)
        scores = judge(outfit, category, np.array([outfit[category], *drawn]))
        right += float(scores[0] >= scores.max()) / int((scores == scores.max()).sum())
    return right / DRAWS


def areas(judge: Judge, test: LookTest) -> Floats:
    """Return how likely a worn garment scores higher than another of its category, shape (outfits,)."""

    def area(outfit: Outfit, category: int, others: NDArray[np.int64]) -> float:
        if not len(others):
            return float("nan")
        scores = judge(outfit, category, np.array([outfit[category], *others]))
        return float((scores[0] > scores[1:]).mean() + 0.5 * (scores[0] == scores[1:]).mean())

    return _by_outfit(test, area)


def interval(values: Floats, seed: int) -> dict[str, float]:
    """Return the mean and its 95 % interval by the bootstrap (Efron, 1979)."""
    rng = np.random.default_rng(seed)
    means = values[rng.integers(0, len(values), (SAMPLES, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return {"mean": float(values.mean()), "low": float(low), "high": float(high)}


def _by_outfit(test: LookTest, value: Callable[[Outfit, int, NDArray[np.int64]], float]) -> Floats:
    """Return the mean of a value over each outfit's garments, of outfits that have one."""
    photos = test.garments.photos
    pools: dict[int, NDArray[np.int64]] = {
        category: np.array([outfit[category] for outfit in test.outfits if category in outfit], np.int64)
        for category in {category for outfit in test.outfits for category in outfit}
    }
    means = []
    for outfit in test.outfits:
        values = [
            value(outfit, category, pools[category][photos[pools[category]] != photos[position]])
            for category, position in outfit.items()
        ]
        known = [number for number in values if not np.isnan(number)]
        if known:
            means.append(float(np.mean(known)))
    return np.array(means)


def figures_on(model: Compatibility, garments: WornGarments, part: str) -> dict[str, Any]:
    """Return the figures of a model on the outfits of a part: of worn garments, and of cut-outs only."""
    outfits, seed = garments.outfits(part), model.manifest.seed
    return {
        "worn": look_figures(model, LookTest(garments, outfits), seed),
        "cutouts": look_figures(model, LookTest(garments, outfits, cutouts_only=True), seed),
    }
