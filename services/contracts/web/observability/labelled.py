"""The children of metrics by their labels."""

from typing import Generic, TypeVar

from prometheus_client import Counter, Histogram

Kind = TypeVar("Kind", Counter, Histogram)


class Labelled(Generic[Kind]):
    """A metric that finds its children by their labels; the library itself converts, checks and locks each time."""

    def __init__(self, metric: Kind) -> None:
        self.metric: Kind = metric
        self._children: dict[tuple[str, ...], Kind] = {}

    def labels(self, *labels: str) -> Kind:
        """Return the child for these labels, in the order of their names."""
        child = self._children.get(labels)
        if child is None:
            child = self._children[labels] = self.metric.labels(*labels)
        return child
