"""What a category can be filtered by, with how many products each choice would bring."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.contracts.wire import AttributeValue
from services.index.payload import unpack

MOST_VALUES = 60  # an attribute with more is no choice but a description: a title, an article number
LEAST_SHARE = 0.05  # of the rows have to have it
SHOWN_VALUES = 30


@dataclass
class Summary:
    """One attribute of some rows: in how many it is, and its values, or None once there are too many of them."""

    rows: int = 0
    values: set[tuple[bool, AttributeValue]] | None = field(default_factory=set)
    numbers: int = 0
    least: float = float("inf")
    greatest: float = float("-inf")

    def take(self, value: AttributeValue | list[AttributeValue]) -> None:
        """Take one row's value; each one of a list counts."""
        self.rows += 1
        items = value if isinstance(value, list) else [value]
        if items and all(isinstance(item, int | float) and not isinstance(item, bool) for item in items):
            self.numbers += 1
            self.least = min(self.least, *items)  # type: ignore[type-var, assignment]
            self.greatest = max(self.greatest, *items)  # type: ignore[type-var, assignment]
        if self.values is not None:
            self.values.update((isinstance(item, bool), item) for item in items)
            if len(self.values) > MOST_VALUES:
                self.values = None


class Summaries:
    """The attributes of a segment's rows, brought up to date when they are asked for. Rows are only ever added."""

    def __init__(self) -> None:
        self._seen = 0
        self._of: dict[str, Summary] = {}
        self._lock = threading.Lock()

    def read(self, payloads: Sequence[bytes | None], size: int) -> dict[str, Summary]:
        """Return the summary of each attribute, in the order in which the rows first have them.

        Rows that have gone count too, until the segment is merged: these are for choosing what to offer.
        """
        with self._lock:
            for row in range(self._seen, size):
                for name, value in unpack(payloads[row]).get("attributes", {}).items():
                    self._of.setdefault(name, Summary()).take(value)
            self._seen = max(self._seen, size)
            return dict(self._of)


@dataclass(frozen=True)
class Offer:
    """An attribute worth offering: by its values, or by a range of numbers."""

    name: str
    range: tuple[float, float] | None


def offers(parts: Sequence[dict[str, Summary]], rows: int) -> list[Offer]:
    """Return what is worth offering of the attributes of several segments with so many rows in all."""
    names = dict.fromkeys(name for part in parts for name in part)
    found = (_offer(name, [part[name] for part in parts if name in part], rows) for name in names)
    return [offer for offer in found if offer is not None]


def _offer(name: str, summaries: list[Summary], rows: int) -> Offer | None:
    having = sum(one.rows for one in summaries)
    if having < LEAST_SHARE * rows:
        return None
    if sum(one.numbers for one in summaries) == having:
        least, greatest = min(one.least for one in summaries), max(one.greatest for one in summaries)
        return Offer(name, (least, greatest)) if least < greatest else None
    values = [one.values for one in summaries]
    if any(one is None for one in values):
        return None
    distinct = len(set[tuple[bool, AttributeValue]]().union(*(one or () for one in values)))
    return Offer(name, None) if 1 < distinct <= MOST_VALUES else None
