"""Regression trees in numpy: the gateway evaluates what LightGBM has trained without having LightGBM."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from services.catalogue.learning.query_signals import Float64Array

MAX_NODES, MAX_DEPTH = 1_000_000, 64


class InvalidTrees(ValueError):
    """A model cannot be evaluated. The text says why."""


@dataclass(frozen=True)
class Trees:
    """A sum of regression trees. All nodes stand in one table; a leaf is its own child.

    Attributes:
        roots: shape (trees,), the nodes to begin with.
        signal, threshold: of each node: a value up to the threshold goes left.
        missing_left: whether a missing value, NaN, goes left.
        left, right: the children.
        value: of each leaf; 0 for other nodes.
        depth: the most steps from a root to a leaf.
    """

    roots: NDArray[np.int32]
    signal: NDArray[np.int32]
    threshold: Float64Array
    missing_left: NDArray[np.bool_]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: Float64Array
    depth: int

    def __call__(self, rows: Float64Array) -> Float64Array:
        """Return the sum of all trees for each row: shape (rows,), equal to LightGBM's raw prediction.

        Args:
            rows: shape (rows, signals), float64.
        """
        node = np.broadcast_to(self.roots, (len(rows), len(self.roots)))
        flat, starts = rows.ravel(), np.arange(len(rows))[:, None] * rows.shape[1]
        has_missing = bool(np.isnan(rows).any())
        for _ in range(self.depth):
            values = flat.take(starts + self.signal.take(node))
            goes_left = values <= self.threshold.take(node)
            if has_missing:
                goes_left |= np.isnan(values) & self.missing_left.take(node)
            node = np.where(goes_left, self.left.take(node), self.right.take(node))
        # One tree after the other, as LightGBM adds them: a pairwise sum has other last digits.
        return np.cumsum(self.value.take(node), axis=1)[:, -1] if len(self.roots) else np.zeros(len(rows))

    def to_dict(self) -> dict[str, Any]:
        """Return the trees as JSON."""
        return {
            "roots": self.roots.tolist(),
            "signal": self.signal.tolist(),
            "threshold": self.threshold.tolist(),
            "missing_left": self.missing_left.tolist(),
            "left": self.left.tolist(),
            "right": self.right.tolist(),
            "value": self.value.tolist(),
            "depth": self.depth,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], signals: int) -> Self:
        """Return the trees that `to_dict` has written.

        Raises:
            InvalidTrees: they do not fit together, or use other signals.
        """
        try:
            trees = cls(
                np.asarray(document["roots"], dtype=np.int32),
                np.asarray(document["signal"], dtype=np.int32),
                np.asarray(document["threshold"], dtype=np.float64),
                np.asarray(document["missing_left"], dtype=np.bool_),
                np.asarray(document["left"], dtype=np.int32),
                np.asarray(document["right"], dtype=np.int32),
                np.asarray(document["value"], dtype=np.float64),
                int(document["depth"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InvalidTrees(f"the trees cannot be read: {error}") from None
        trees.check(signals)
        return trees

    def check(self, signals: int) -> None:
        """Return if every node can be evaluated.

        Raises:
            InvalidTrees: one cannot.
        """
        nodes = len(self.signal)
        columns = (self.threshold, self.missing_left, self.left, self.right, self.value)
        if any(len(column) != nodes for column in columns) or nodes > MAX_NODES or not 0 <= self.depth <= MAX_DEPTH:
            raise InvalidTrees("the trees have columns of different lengths, or too many nodes")
        for column, end in ((self.roots, nodes), (self.left, nodes), (self.right, nodes), (self.signal, signals)):
            if len(column) and (column.min() < 0 or column.max() >= end):
                raise InvalidTrees(f"the trees name a node or a signal outside 0 to {end - 1}")
        if not np.isfinite(self.value).all():
            raise InvalidTrees("a leaf's value is not a finite number")

    @classmethod
    def from_lightgbm(cls, dump: Mapping[str, Any]) -> Self:
        """Return the trees of `Booster.dump_model()`.

        Raises:
            InvalidTrees: it has a split that is not of numbers.
        """
        table = _Table()
        roots = [table.add(tree["tree_structure"], 0) for tree in dump["tree_info"]]
        columns = [list(column) for column in zip(*table.nodes, strict=True)] if table.nodes else [[]] * 6
        names = ("signal", "threshold", "missing_left", "left", "right", "value")
        document = dict(zip(names, columns, strict=True)) | {"roots": roots, "depth": table.depth}
        return cls.from_dict(document, len(dump["feature_names"]))


class _Table:
    """The nodes of all trees, in one list."""

    def __init__(self) -> None:
        self.nodes: list[tuple[int, float, bool, int, int, float]] = []
        self.depth = 0

    def add(self, node: Mapping[str, Any], depth: int) -> int:
        """Add a node and all below it; return its place."""
        place = len(self.nodes)
        self.depth = max(self.depth, depth)
        self.nodes.append((0, 0.0, True, place, place, float(node.get("leaf_value", 0.0))))
        if "leaf_value" in node:
            return place
        if node["decision_type"] != "<=" or node["missing_type"] not in ("None", "NaN"):
            raise InvalidTrees(f"a split by {node['decision_type']!r} cannot be evaluated")
        threshold = float(node["threshold"])
        # Without missing values in training, LightGBM takes NaN for 0.
        missing_left = bool(node["default_left"]) if node["missing_type"] == "NaN" else threshold >= 0
        left, right = (self.add(node[side], depth + 1) for side in ("left_child", "right_child"))
        self.nodes[place] = (int(node["split_feature"]), threshold, missing_left, left, right, 0.0)
        return place
