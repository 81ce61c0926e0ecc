"""The signals of a product that do not depend on clicks: similarity, and attributes among the nearest products."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.catalogue.attributes import available, price_of, words
from services.catalogue.learning.candidates import DESCRIBING, NearProduct, nearest

Float64Array = NDArray[np.float64]
# name → whether more of it may only raise (1) or only lower (-1) a product; 0: either
QUERY_SIGNALS: dict[str, int] = {"similarity": 1, "below_best": -1, "agreement": 1, "price": 0, "available": 1}


def query_signals(candidates: Sequence[NearProduct]) -> Float64Array:
    """Return the signals of a search's candidates, at least one; shape (candidates, len(QUERY_SIGNALS))."""
    context = nearest(candidates)
    best = context[0].score
    known = [value for value in (price_of(candidate.attributes) for candidate in context) if not math.isnan(value)]
    usual_price = float(np.median(known)) if known else math.nan
    agreement = Agreement(context)
    rows = [
        (
            candidate.score,
            best - candidate.score,
            agreement.of(candidate),
            math.log(price_of(candidate.attributes) / usual_price),
            available(candidate.attributes),
        )
        for candidate in candidates
    ]
    return np.asarray(rows, dtype=np.float64)


class Agreement:
    """How far a product's attributes agree with those of the nearest products."""

    def __init__(self, context: Sequence[NearProduct]) -> None:
        """Count the values of the nearest products."""
        values = [[words(candidate.attributes, names) for candidate in context] for names in DESCRIBING]
        self._shares: list[tuple[tuple[str, ...], dict[str, float]]] = []
        for names, column in zip(DESCRIBING, values, strict=True):
            known = [value for value in column if value]
            if known:
                counts = {part: sum(part in value for value in known) for value in known for part in value}
                self._shares.append((names, {part: count / len(known) for part, count in counts.items()}))

    def of(self, candidate: NearProduct) -> float:
        """Return the share of the nearest products with the same value, the mean over its attributes; NaN without."""
        shares = []
        for names, share in self._shares:
            own = words(candidate.attributes, names)
            if own:
                shares.append(max(share.get(part, 0.0) for part in own))
        return sum(shares) / len(shares) if shares else math.nan
