"""How much a visitor cares for each product, from what they did with it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.catalogue.events.event import Action, Event

# Weight of an action in the taste of a visitor. A hidden product counts against others of its kind, too.
WEIGHTS = {Action.CLICK: 1.0, Action.LIKE: 3.0, Action.ADD_TO_CART: 3.0, Action.PURCHASE: 5.0, Action.HIDE: -3.0}
HALF_LIFE_DAYS = 30.0
MAX_EVENTS = 200  # the latest of a visitor
MAX_PRODUCTS = 50  # those that the visitor cares most for, in either direction
MAX_HIDDEN = 200


@dataclass(frozen=True)
class Interests:
    """What a visitor cares for.

    Attributes:
        products: weight by the product's id, negative for those that the visitor hid.
        hidden: ids of products that the visitor hid, and has not bought or liked since.
    """

    products: Mapping[str, float] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()

    @classmethod
    def of(cls, events: Sequence[Event], now: datetime) -> "Interests":
        """Return the interests of a visitor at a time. The weight of an event halves every HALF_LIFE_DAYS days.

        Args:
            events: the visitor's, in any order; those of other actions do not count.
            now: the time.
        """
        weights: dict[str, float] = defaultdict(float)
        hidden: dict[str, None] = {}
        for event in sorted(events, key=lambda event: event.timestamp or now):
            age_days = max((now - (event.timestamp or now).astimezone(UTC)).total_seconds() / 86400, 0.0)
            weight = WEIGHTS.get(event.action_name, 0.0) * 0.5 ** (age_days / HALF_LIFE_DAYS)
            for key, _ in event.shown() if weight else ():
                weights[key] += weight
                if event.action_name is Action.HIDE:
                    hidden[key] = None
                elif event.action_name is not Action.CLICK:
                    hidden.pop(key, None)
        strongest = sorted(weights, key=lambda key: (-abs(weights[key]), key))[:MAX_PRODUCTS]
        return cls({key: weights[key] for key in strongest}, tuple(hidden)[-MAX_HIDDEN:])
