"""Baskets: the products that a shopper put into the cart or bought on one day."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC

from services.catalogue.events.event import Action, Event

BASKET_ACTIONS = (Action.ADD_TO_CART, Action.PURCHASE)
MAX_PRODUCTS = 20  # larger baskets are not what one shopper wears together


class Baskets:
    """The baskets of a log, gathered a page of events at a time.

    A basket has the products of a visitor and a day in UTC. Without a visitor, only the products of one event are known
    to be of one shopper.
    """

    def __init__(self) -> None:
        self._products: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)

    def add(self, events: Iterable[Event]) -> None:
        """Gather events; those of other actions do not count."""
        for event in events:
            if event.action_name not in BASKET_ACTIONS:
                continue
            day = event.timestamp.astimezone(UTC).date().isoformat()
            key = (event.event_id,) if event.client_id is None else (event.client_id, day)
            self._products[key].update(product for product, _ in event.shown())

    def of_several(self) -> list[list[str]]:
        """Return the ids of the products of each basket with at least two and at most MAX_PRODUCTS, in their order."""
        return [sorted(products) for products in self._products.values() if 2 <= len(products) <= MAX_PRODUCTS]
