"""An order by learned scores that overrules similarity only so far."""

import heapq
from collections.abc import Sequence


def bounded_order(similarities: Sequence[float], scores: Sequence[float], bound: float) -> list[int]:
    """Return the places of results in their new order.

    A result stands before another one only if its similarity is at most `bound` lower. Within that, the greater score
    comes first; equal scores stay in the plain order, then of the given list.

    Args:
        similarities: of each result.
        scores: of each result; greater is better.
        bound: the greatest difference in similarity that a score overrules; 0 and above.
    """
    plain = sorted(range(len(similarities)), key=lambda place: (-similarities[place], place))
    placed = [False] * len(similarities)
    eligible: list[tuple[float, int, int]] = []  # the greatest score first, of equals the first in the plain order
    order: list[int] = []
    top = entered = 0  # ranks in the plain order: the first that has no place yet, and the first that is not eligible
    while len(order) < len(plain):
        while placed[plain[top]]:
            top += 1
        least = similarities[plain[top]] - bound
        while entered < len(plain) and similarities[plain[entered]] >= least:
            heapq.heappush(eligible, (-scores[plain[entered]], entered, plain[entered]))
            entered += 1
        place = heapq.heappop(eligible)[2]
        placed[place] = True
        order.append(place)
    return order
