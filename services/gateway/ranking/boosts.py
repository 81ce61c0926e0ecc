"""Merchandising that changes scores or leaves products out: boost, bury, hide, and products out of stock."""

from collections.abc import Sequence
from datetime import UTC, datetime

from services.catalogue.merchandising import MAX_BY, Merchandising, Rule
from services.contracts.domain.filtering.filter_match import matches
from services.contracts.domain.filtering.filters import any_of
from services.gateway.ranking.candidate import Candidate, by_value
from services.gateway.ranking.options import RankingOptions
from services.gateway.ranking.reranker import RankedSearch, Stage
from services.gateway.ranking.rule_book import RuleBook


def rules_of(book: RuleBook, options: RankingOptions, catalogues: tuple[str, ...]) -> Merchandising:
    """Return the rules of a search: the request's if it has any, otherwise the stored ones."""
    rules = book.of(catalogues) if options.rules is None else options.rules
    return rules if options.out_of_stock is None else rules.model_copy(update={"out_of_stock": options.out_of_stock})


class Boosts:
    """Boosts and buries products by sums in units of score, and hides products."""

    def __init__(self, book: RuleBook) -> None:
        self._book = book

    def applies(self, options: RankingOptions, catalogues: tuple[str, ...]) -> bool:
        """Return whether there are rules, or products out of stock are hidden."""
        return not rules_of(self._book, options, catalogues).is_empty

    async def stage(self, search: RankedSearch) -> Stage | None:
        """Return what the rules of the category do."""
        rules, now = rules_of(self._book, search.options, search.catalogues), datetime.now(UTC)
        hidden = rules.hidden(now, search.category_names)
        changing = rules.holding(now, search.category_names, "boost", "bury")
        if not hidden and not changing:
            return None
        return Stage(
            arrange=(lambda candidates: boosted(candidates, changing)) if changing else None,
            hide=any_of(hidden) if hidden else None,
        )


def boosted(candidates: Sequence[Candidate], rules: Sequence[Rule]) -> list[Candidate]:
    """Return candidates in the order of their scores and of what rules add. All rules add at most MAX_BY together."""
    return by_value(_adjusted(candidate, rules) for candidate in candidates)


def _adjusted(candidate: Candidate, rules: Sequence[Rule]) -> Candidate:
    attributes, total = candidate.attributes, 0.0
    for rule in rules:
        if rule.by is not None and matches(rule.filter, attributes):
            wanted = rule.by if rule.action == "boost" else -rule.by
            by = max(-MAX_BY, min(MAX_BY, total + wanted)) - total
            candidate, total = candidate.adjusted("boost" if by > 0 else "bury", by, rule.id), total + by
    return candidate
