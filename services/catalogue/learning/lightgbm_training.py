"""LightGBM, which only training needs: the extra `learn`."""

from collections.abc import Mapping
from typing import Any

from services.catalogue.learning.examples import IntArray
from services.catalogue.learning.query_signals import Float64Array
from services.catalogue.learning.signals import SIGNALS
from services.catalogue.learning.trees import Trees


class LearningUnavailable(Exception):
    """LightGBM is not installed. The text says what to do."""


def train_trees(
    rows: Float64Array,
    labels: Float64Array,
    parameters: Mapping[str, Any],
    *,
    trees: int,
    seed: int,
    monotone: Mapping[str, int] = SIGNALS,
    weights: Float64Array | None = None,
    groups: IntArray | None = None,
) -> Trees:
    """Return trees that LightGBM has trained. The same input gives the same trees.

    Args:
        rows: the signals, shape (rows, signals).
        labels: shape (rows,).
        parameters: LightGBM's.
        trees: how many.
        seed: of all draws.
        monotone: by the signals' names, in which direction a signal may move the result.
        weights, groups: of the rows; see LightGBM's Dataset (`weight`, `group`).

    Raises:
        LearningUnavailable: LightGBM is not installed.
    """
    try:
        import lightgbm
    except (ImportError, OSError) as error:  # OSError: a library of the system is missing
        raise LearningUnavailable(
            f"LightGBM cannot be used ({error}): install it with pip install 'lookalike[learn]'"
        ) from None
    data = lightgbm.Dataset(rows, labels, weight=weights, group=groups, feature_name=list(monotone))
    fixed = {
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
        "monotone_constraints": list(monotone.values()),
    }
    booster = lightgbm.train({**parameters, **fixed}, data, num_boost_round=trees)
    return Trees.from_lightgbm(booster.dump_model())
