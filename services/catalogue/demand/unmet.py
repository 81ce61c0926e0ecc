"""Which searches count, and which of them are unmet: no product was close, or none was clicked."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from services.catalogue.events.event import Action
from services.catalogue.events.logged_query import LoggedQuery

Reason = Literal["no_close_match", "without_click"]
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


def is_first_page(query: LoggedQuery) -> bool:
    """Return whether a row is a search of its own: a later page belongs to the search before it."""
    return query.query_attributes.offset == 0
