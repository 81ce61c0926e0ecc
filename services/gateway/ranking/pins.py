"""Merchandising that gives products their places."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import count

from services.catalogue.merchandising import Rule
from services.contracts.domain.filtering.filter_match import matches
from services.contracts.domain.filtering.filters import EVERYTHING, Filter, any_of
from services.gateway.ranking.boosts import rules_of
from services.gateway.ranking.candidate import Candidate
from services.gateway.ranking.options import RankingOptions
from services.gateway.ranking.reranker import RankedSearch, Stage
from services.gateway.ranking.rule_book import RuleBook


class Pins:
    """Puts products at the places that the rules name, wherever they are in the plain order."""

    def __init__(self, book: RuleBook) -> None:
        self._book = book

    def applies(self, options: RankingOptions, catalogues: tuple[str, ...]) -> bool:
        """Return whether a rule pins products."""
        return any(rule.pins for rule in rules_of(self._book, options, catalogues).rules)

    async def stage(self, search: RankedSearch) -> Stage | None:
        """Return where the rules of the category put products."""
        rules = rules_of(self._book, search.options, search.catalogues)
        pinning = rules.holding(datetime.now(UTC), search.category_names, "pin")
        if not pinning:
            return None
        return Stage(arrange=lambda candidates: pinned(candidates, pinning), pinned=_wanted(pinning))


def _wanted(rules: Sequence[Rule]) -> dict[str, Filter]:
    """Return the filter that each pinned product has to meet: that of any of its rules."""
    filters: dict[str, list[Filter]] = {}
    for rule in rules:
        for pin in rule.pins:
            filters.setdefault(pin.id, []).append(rule.filter)
    return {id: any_of(parts) if all(parts) else EVERYTHING for id, parts in filters.items()}


def pinned(candidates: Sequence[Candidate], rules: Sequence[Rule]) -> list[Candidate]:
    """Return candidates with those that rules pin at their places, and the others in their order around them.

    A product that several rules pin follows the first whose filter it meets. Where a place is taken, the next free one
    follows; behind the last candidate, a pin is the last.
    """
    free: dict[str, list[Candidate]] = {}  # with one id, products of several catalogues
    for candidate in candidates:
        free.setdefault(candidate.hit.id, []).append(candidate)
    places: dict[int, Candidate] = {}
    for rule in rules:
        for pin in rule.pins:
            if any(matches(rule.filter, candidate.attributes) for candidate in free.get(pin.id, [])):
                for candidate in free.pop(pin.id):
                    places[_free_place(places, pin.position - 1)] = candidate.placed("pin", rule.id)
    others = (candidate for candidate in candidates if candidate.hit.id in free)
    behind = sorted(place for place in places if place >= len(candidates))
    order = [places[place] if place in places else next(others, None) for place in range(len(candidates))]
    return [candidate for candidate in order if candidate is not None] + [places[place] for place in behind]


def _free_place(places: Mapping[int, Candidate], first: int) -> int:
    return next(place for place in count(first) if place not in places)
