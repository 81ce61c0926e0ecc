"""A learned order as it is stored and as the gateway applies it."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from services.catalogue.learning.bounded_order import bounded_order
from services.catalogue.learning.candidates import NearProduct, cluster_of, nearest
from services.catalogue.learning.click_table import ClickTable
from services.catalogue.learning.signals import SIGNALS, signals
from services.catalogue.learning.trees import InvalidTrees, Trees

FORMAT = 1
MAX_BYTES = 64 * 1024 * 1024  # of a stored order, uncompressed


class InvalidLearnedOrder(ValueError):
    """A stored order cannot be used. The text says why."""


@dataclass(frozen=True)
class LearnedOrder:
    """Trees over the signals, and the click table that they need."""

    trees: Trees
    table: ClickTable

    def order(self, candidates: Sequence[NearProduct], category: str, day: int, bound: float) -> list[int]:
        """Return the places of the candidates in the learned order.

        Args:
            candidates: in the plain order.
            category: name of the category that was searched.
            day: of the search, as an ordinal number.
            bound: on how far similarity may be overruled, in units of `score`.
        """
        if not candidates:
            return []
        cluster = cluster_of(category, nearest(candidates))
        scores = self.trees(signals(candidates, self.table, cluster, day))
        return bounded_order([candidate.score for candidate in candidates], scores.tolist(), bound)

    def to_bytes(self) -> bytes:
        """Return the order as it is stored."""
        document = {
            "format": FORMAT,
            "signals": list(SIGNALS),
            "trees": self.trees.to_dict(),
            "table": self.table.to_dict(),
        }
        return zlib.compress(orjson.dumps(document))

    @classmethod
    def from_bytes(cls, data: bytes) -> "LearnedOrder":
        """Return the order that `to_bytes` has written.

        Raises:
            InvalidLearnedOrder: it is damaged, or written by another version of Lookalike.
        """
        try:
            document = orjson.loads(zlib.decompressobj().decompress(data, MAX_BYTES))
            if document["format"] != FORMAT or document["signals"] != list(SIGNALS):
                raise InvalidLearnedOrder(
                    "the learned order was trained by another version of Lookalike: run lookalike learn train again"
                )
            return cls(Trees.from_dict(document["trees"], len(SIGNALS)), ClickTable.from_dict(document["table"]))
        except (zlib.error, KeyError, TypeError, AttributeError, IndexError, InvalidTrees, ValueError) as error:
            if isinstance(error, InvalidLearnedOrder):
                raise
            raise InvalidLearnedOrder(
                f"the learned order is damaged ({error}): run lookalike learn train again"
            ) from None
