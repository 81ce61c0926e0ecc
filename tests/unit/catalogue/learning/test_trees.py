"""The evaluator in numpy against LightGBM itself."""

from typing import Any

import lightgbm
import numpy as np
import orjson
import pytest

from services.catalogue.learning.trees import InvalidTrees, Trees


def booster(missing: float, **parameters: Any) -> tuple[Any, np.ndarray[Any, np.dtype[np.float64]]]:
    """Return LightGBM's model of random rows, and the rows; a share of the values is missing."""
    generator = np.random.default_rng(3)
    rows = generator.normal(size=(2000, 5))
    rows[generator.random(rows.shape) < missing] = np.nan
    labels = np.nan_to_num(rows[:, 0]) ** 2 + np.isnan(rows[:, 1]) + generator.normal(size=2000)
    data = lightgbm.Dataset(rows, labels)
    fixed = {"objective": "regression", "verbosity": -1, "num_threads": 1, "seed": 1, "num_leaves": 31}
    return lightgbm.train({**fixed, **parameters}, data, num_boost_round=30), rows


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("parameters", [{}, {"monotone_constraints": [1, 0, -1, 0, 0]}, {"num_leaves": 2}])
def test_the_values_are_those_of_lightgbm_to_the_last_digit(missing: float, parameters: dict[str, Any]) -> None:
    model, rows = booster(missing, **parameters)
    strange = np.array([[np.nan] * 5, [0.0] * 5, [np.inf, -np.inf, 1e300, -1e300, 1e-300]])
    for batch in (rows[:500], strange):
        trees = Trees.from_lightgbm(model.dump_model())
        assert np.array_equal(trees(batch), model.predict(batch, raw_score=True))


def test_trees_are_the_same_after_json() -> None:
    model, rows = booster(0.3)
    trees = Trees.from_lightgbm(model.dump_model())
    stored = Trees.from_dict(orjson.loads(orjson.dumps(trees.to_dict())), 5)
    assert np.array_equal(trees(rows), stored(rows))


def test_a_model_of_one_leaf_is_a_constant() -> None:
    model = lightgbm.train(
        {"objective": "regression", "verbosity": -1, "min_data_in_leaf": 100},
        lightgbm.Dataset(np.zeros((20, 1)), np.ones(20)),
        num_boost_round=1,
    )
    rows = np.array([[0.0], [np.nan]])
    assert Trees.from_lightgbm(model.dump_model())(rows).tolist() == model.predict(rows, raw_score=True).tolist()


def test_no_trees_give_zero() -> None:
    assert Trees.from_lightgbm({"tree_info": [], "feature_names": ["a"]})(np.zeros((2, 1))).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    "change",
    [
        {"left": [9, 1, 2]},
        {"right": [-1, 1, 2]},
        {"roots": [3]},
        {"signal": [2, 0, 0]},
        {"value": [0.0, 1.0]},
        {"value": [0.0, None, 1.0]},
        {"threshold": "high"},
        {"depth": 1000},
        {"depth": -1},
        {"roots": None},
    ],
)
def test_trees_that_do_not_fit_together_are_refused(change: dict[str, Any]) -> None:
    stump: dict[str, Any] = {
        "roots": [0],
        "signal": [1, 0, 0],
        "threshold": [0.5, 0.0, 0.0],
        "missing_left": [True, True, True],
        "left": [1, 1, 2],
        "right": [2, 1, 2],
        "value": [0.0, -1.0, 1.0],
        "depth": 1,
    }
    assert Trees.from_dict(stump, 2)(np.array([[0.0, 0.5], [0.0, 0.6]])).tolist() == [-1.0, 1.0]
    with pytest.raises(InvalidTrees):
        Trees.from_dict(stump | change, 2)


@pytest.mark.parametrize("change", [{"decision_type": "=="}, {"missing_type": "Zero"}])
def test_a_split_that_is_not_of_numbers_is_refused(change: dict[str, str]) -> None:
    model, _ = booster(0.0)
    dump = model.dump_model()
    dump["tree_info"][0]["tree_structure"] |= change
    with pytest.raises(InvalidTrees, match="split"):
        Trees.from_lightgbm(dump)


def leaves(count: int, depth: int = 0) -> Trees:
    """Return trees with a number of nodes that are leaves."""
    whole, real = np.zeros(count, np.int32), np.zeros(count)
    return Trees(whole[:1], whole, real, np.zeros(count, np.bool_), whole, whole, real, depth)


def test_trees_have_at_most_a_million_nodes_and_sixty_four_levels() -> None:
    leaves(1_000_000, 64).check(1)
    for trees in (leaves(1_000_001), leaves(1, 65)):
        with pytest.raises(InvalidTrees, match="too many nodes"):
            trees.check(1)


def test_a_zero_where_training_had_no_missing_value_goes_where_the_threshold_says() -> None:
    def split(threshold: float) -> dict[str, Any]:
        children = {"left_child": {"leaf_value": -1.0}, "right_child": {"leaf_value": 1.0}}
        facts = {"decision_type": "<=", "missing_type": "None", "default_left": False, "split_feature": 0}
        return {"tree_structure": {**facts, "threshold": threshold, **children}}

    for threshold, value in ((0.0, -1.0), (0.5, -1.0), (-0.5, 1.0)):
        trees = Trees.from_lightgbm({"tree_info": [split(threshold)], "feature_names": ["a"]})
        assert trees(np.array([[np.nan]])).tolist() == [value]
        assert trees.depth == 1
