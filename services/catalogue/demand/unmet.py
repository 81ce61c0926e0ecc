"""Which searches count, and which of them are unmet: no product was close, or none was clicked."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from services.catalogue.events.event import Action
from services.catalogue.events.logged_query import LoggedQuery

Reason = Literal["no_close_match", "without_click"]
REPEATED_WITHIN = timedelta(minutes=10)
# What a shopper does with a product that interests them.
INTEREST = frozenset({Action.CLICK, Action.ADD_TO_CART, Action.PURCHASE, Action.LIKE})


@dataclass
class Activity:
    """The searches whose results were seen, and those of which a product interested the shopper, by `query_id`."""

    seen: set[str] = field(default_factory=set)
    interested: set[str] = field(default_factory=set)

    def add(self, events: Iterable[tuple[str, str]]) -> None:
        """Take actions, each with the search that it refers to."""
        for action, query_id in events:
            if action == Action.IMPRESSION:
                self.seen.add(query_id)
            elif action in INTEREST:
                self.interested.add(query_id)

    @property
    def knows_clicks(self) -> bool:
        """Whether a search without a click says anything: the shop sends impressions or clicks."""
        return bool(self.seen or self.interested)

    def join(self, query_id: str, other: str) -> None:
        """Let the events of a search count for another one."""
        for known in (self.seen, self.interested):
            if query_id in known:
                known.add(other)

    def reason(self, query: LoggedQuery) -> Reason | None:
        """Return why a search is unmet; None if it is not, or if nothing says so.

        If the shop sends impressions, only searches whose results were seen can be without a click.
        """
        outcome = query.query_attributes.outcome
        if outcome == "no_close_match":
            return "no_close_match"
        if outcome != "ok" or query.query_id in self.interested or not self.knows_clicks:
            return None
        return "without_click" if not self.seen or query.query_id in self.seen else None


def without_repeats(queries: Iterable[LoggedQuery], activity: Activity) -> list[LoggedQuery]:
    """Return searches without those that a later one repeats: "show more" and a reload send a photo again.

    A search by photo repeats another if its nearest product and score are the same, and it comes within REPEATED_WITHIN
    of it, from the same visitor or from none that is known. What a shopper did with one of them counts for the other.

    Args:
        queries: the latest first.
        activity: of all searches; the events of a repeated one then count for the kept one.
    """
    kept: list[LoggedQuery] = []
    latest: dict[tuple[object, ...], tuple[datetime, str]] = {}  # the time of the last one, and the id of the kept one
    for query in queries:
        key = _identity(query)
        repeat = None if key is None else latest.get(key)
        if repeat is not None and repeat[0] - query.timestamp <= REPEATED_WITHIN:
            activity.join(query.query_id, repeat[1])
            kept_id = repeat[1]
        else:
            kept.append(query)
            kept_id = query.query_id
        if key is not None:
            latest[key] = query.timestamp, kept_id
    return kept


def _identity(query: LoggedQuery) -> tuple[object, ...] | None:
    """Return what equal searches have in common; None for a search of which each one counts."""
    attributes = query.query_attributes
    if attributes.product is not None or attributes.nearest_score is None:
        return None
    first = query.query_response_hit_ids[:1]
    return query.client_id, attributes.category, attributes.model, attributes.filter, first, attributes.nearest_score


def is_first_page(query: LoggedQuery) -> bool:
    """Return whether a row is a search of its own: a later page belongs to the search before it."""
    return query.query_attributes.offset == 0
