"""A shop's rules for the order of results: what they may say, and when they hold."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from services.catalogue.product import MAX_KEY_LENGTH
from services.contracts.domain.filtering.filters import EVERYTHING, AnyOf, Filter, Not, any_of
from services.contracts.domain.filtering.instants import EPOCH, instant
from services.contracts.domain.frozen_model import FrozenModel
from services.contracts.wire.filter_json import InvalidFilter, JsonFilter, parse_filter

MAX_RULES = 100
MAX_PINS = 20  # in a rule
MAX_POSITION = 100  # of a pin: the window of results that is put in order
MAX_BY = 0.5  # of one rule, and of all rules together on one product, in units of score
MAX_CONDITIONS = 500  # in the filters of all rules together
DAY = "YYYY-MM-DD"
OUT_OF_STOCK = parse_filter({"availability": "out_of_stock"})  # as every import writes it

CategoryNames = frozenset[str]  # the ways to name one category, in lower case: its name and its id
Action = Literal["boost", "bury", "pin", "hide"]


def _moment(text: str) -> str:
    if instant(text) is None:
        raise ValueError("give a date or time in ISO 8601, for example 2026-12-24 or 2026-12-24T18:00:00+01:00")
    return text


Moment = Annotated[str, Field(max_length=40, examples=["2026-12-01"]), AfterValidator(_moment)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", examples=["winter-sale"])]
CategoryName = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) and not isinstance(value, bool) else value),
    Field(min_length=1, max_length=100),
]


class Pin(FrozenModel):
    """A product at a place of the results."""

    id: str = Field(min_length=1, max_length=MAX_KEY_LENGTH, description="of the product", examples=["15970"])
    position: int = Field(ge=1, le=MAX_POSITION, description="from 1; where it is taken, the next free one")


class Rule(FrozenModel):
    """What happens to products in the results of searches."""

    id: Identifier
    action: Action
    filter: JsonFilter = EVERYTHING
    by: float | None = Field(
        default=None,
        gt=0,
        le=MAX_BY,
        description="of boost and bury: added to or taken from the score, for the order only",
        examples=[0.05],
    )
    pins: list[Pin] = Field(
        default_factory=list, max_length=MAX_PINS, description="of pin: the products, those that meet the filter"
    )
    categories: list[CategoryName] = Field(
        default_factory=list, max_length=50, description="categories whose searches the rule is for; empty: all"
    )
    starts: Moment | None = Field(default=None, description="the first moment at which it holds; UTC without an offset")
    ends: Moment | None = Field(default=None, description="the last moment; a date means the end of that day, in UTC")
    enabled: bool = Field(default=True, description="whether it holds at all")
    note: str | None = Field(default=None, max_length=500, description="for people")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        wanted: dict[Action, tuple[bool, bool]] = {"pin": (False, True), "hide": (False, False)}
        needs_by, needs_pins = wanted.get(self.action, (True, False))
        for name, is_given, is_needed in (
            ("by", self.by is not None, needs_by),
            ("pins", bool(self.pins), needs_pins),
            ("filter", bool(self.filter), True),
        ):
            if is_needed and not is_given and not (name == "filter" and needs_pins):
                raise _error(f"a rule that says {self.action} needs {name}")
            if is_given and not is_needed:
                raise _error(f"a rule that says {self.action} takes no {name}")
        for repeated in _repeated([pin.id for pin in self.pins]):
            raise _error(f"the product {repeated!r} is pinned twice")
        if self.starts is not None and self.ends is not None and _start(self.starts) >= _end(self.ends):
            raise _error("the rule ends before it starts")
        return self

    def holds(self, now: datetime, category: CategoryNames) -> bool:
        """Return whether the rule applies to searches of a category at a time."""
        return (
            self.enabled
            and (self.starts is None or now >= _start(self.starts))
            and (self.ends is None or now < _end(self.ends))
            and (not self.categories or not category.isdisjoint(map(str.casefold, self.categories)))
        )


class LookSide(FrozenModel):
    """Some of the garments of a look: those of a category, those that meet a filter, or those with both."""

    category: CategoryName | None = None
    filter: JsonFilter = EVERYTHING

    @model_validator(mode="after")
    def _is_some(self) -> Self:
        if self.category is None and not self.filter:
            raise _error("name a category or give a filter")
        return self


class Apart(FrozenModel):
    """Garments that are never together in a look, such as watches and socks."""

    id: Identifier
    garments: tuple[LookSide, LookSide] = Field(
        description="a garment of the first kind is never with one of the second",
        examples=[[{"category": "Watches"}, {"category": "Socks"}]],
    )


class Merchandising(FrozenModel):
    """The rules of a catalogue, in their order: of two pins for one place, the first rule's gets it."""

    rules: list[Rule] = Field(default_factory=list, max_length=MAX_RULES)
    out_of_stock: Literal["show", "hide"] = Field(
        default="hide", description="whether products with the attribute `availability` `out_of_stock` are results"
    )
    apart: list[Apart] = Field(default_factory=list, max_length=MAX_RULES, description="what no look has together")

    @field_validator("rules", "apart")
    @classmethod
    def _have_names_of_their_own(cls, value: Sequence[Any]) -> Sequence[Any]:
        for repeated in _repeated([rule.id for rule in value]):
            raise _error(f"two rules have the id {repeated!r}")
        return value

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        filters = [rule.filter for rule in self.rules] + [side.filter for pair in self.apart for side in pair.garments]
        if sum(map(_conditions, filters)) > MAX_CONDITIONS:
            raise _error(f"the filters of all rules may have at most {MAX_CONDITIONS} conditions together")
        if sum(len(rule.pins) for rule in self.rules) > MAX_POSITION:
            raise _error(f"all rules together pin at most {MAX_POSITION} products")
        hidden = [rule.filter for rule in self.rules if rule.action == "hide"]
        try:
            parse_filter(any_of([*hidden, OUT_OF_STOCK, OUT_OF_STOCK]).source)  # the index gets them as one filter
        except InvalidFilter as error:
            raise _error(f"the rules that hide are too large together: {error}") from None
        return self

    @property
    def is_empty(self) -> bool:
        """Whether the rules change no search."""
        return not self.rules and self.out_of_stock == "show"

    @property
    def attributes(self) -> frozenset[str]:
        """The attributes that the filters name."""
        sides = (side.filter for pair in self.apart for side in pair.garments)
        return frozenset[str]().union(*(rule.filter.attributes for rule in self.rules), *(f.attributes for f in sides))

    @property
    def categories(self) -> frozenset[str]:
        """The categories that the rules name."""
        sides = {side.category for pair in self.apart for side in pair.garments if side.category is not None}
        return frozenset(name for rule in self.rules for name in rule.categories) | sides

    def holding(self, now: datetime, category: CategoryNames, *actions: Action) -> list[Rule]:
        """Return the rules with one of these actions that apply to searches of a category at a time."""
        return [rule for rule in self.rules if rule.action in actions and rule.holds(now, category)]

    def hidden(self, now: datetime, category: CategoryNames) -> list[Filter]:
        """Return the filters whose products are no results of searches of a category."""
        stock = [OUT_OF_STOCK] if self.out_of_stock == "hide" else []
        return [*(rule.filter for rule in self.holding(now, category, "hide")), *stock]


def _error(text: str) -> PydanticCustomError:
    return PydanticCustomError("rule", "{text}", {"text": text})


def _repeated(names: Iterable[str]) -> list[str]:
    listed = list(names)
    return [name for number, name in enumerate(listed) if name in listed[:number]]


def _conditions(filter_: Filter) -> int:
    """Return how many conditions a filter has."""
    count = 0
    for term in filter_.terms:
        if isinstance(term, AnyOf):
            count += sum(map(_conditions, term.filters))
        else:
            count += _conditions(term.filter) if isinstance(term, Not) else 1
    return count


def _start(text: str) -> datetime:
    return EPOCH + timedelta(microseconds=instant(text) or 0)


def _end(text: str) -> datetime:
    """Return the first moment after a date or a time."""
    return _start(text) + (timedelta(days=1) if len(text) == len(DAY) else timedelta(microseconds=1))


NO_RULES = Merchandising(out_of_stock="show")
