"""A result while its place is being decided, and what moved it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from services.contracts.domain.filtering.filter_match import Attributes
from services.contracts.domain.frozen_model import FrozenModel
from services.contracts.wire.index import Hit, attributes_of

Reason = Literal["learned", "taste", "boost", "bury", "diversity", "pin"]


class Move(FrozenModel):
    """Why a result is not at the place that its score alone gives it."""

    reason: Reason = Field(examples=["boost"])
    rule: str | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="id of the rule; only for searches that bring their own rules, and in the preview",
        examples=["winter-sale"],
    )
    by: float | None = Field(
        default=None,
        description="the sum added to the score for the order, in units of score; null if the place itself was chosen",
        examples=[0.05],
    )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A product of the window.

    Attributes:
        hit: the index's.
        place: in the plain order of the window, from 0.
        value: the number that the order is by: the score, and the sums added to it.
        moves: what changed the value or the place.
    """

    hit: Hit
    place: int
    value: float
    moves: tuple[Move, ...] = ()

    @property
    def attributes(self) -> Attributes:
        """The attributes that filters read."""
        return attributes_of(self.hit)

    def adjusted(self, reason: Reason, by: float, rule: str | None = None) -> "Candidate":
        """Return the candidate with a sum added to its value; itself if the sum is 0."""
        if not by:
            return self
        move = Move(reason=reason, by=round(by, 7), rule=rule)
        return replace(self, value=self.value + by, moves=(*self.moves, move))

    def placed(self, reason: Reason, rule: str | None = None) -> "Candidate":
        """Return the candidate with a reason for its place."""
        return replace(self, moves=(*self.moves, Move(reason=reason, rule=rule)))


def by_value(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return candidates in the order of their values, best first; of equal values the one that came first stays so."""
    return sorted(candidates, key=lambda candidate: -candidate.value)


def vectors_of(candidates: Sequence[Candidate]) -> NDArray[np.float32]:
    """Return the vectors of candidates, shape (candidates, dimension); zero for one without a vector."""
    known = [candidate.hit.vector for candidate in candidates]
    dimension = next((len(vector) for vector in known if vector is not None), 1)
    rows = [np.zeros(dimension, np.float32) if vector is None else vector for vector in known]
    return np.stack(rows) if rows else np.zeros((0, dimension), np.float32)
