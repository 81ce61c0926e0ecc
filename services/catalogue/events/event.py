"""An event: one thing that a shopper did. The fields have the names of UBI's event schema, version 1.3.0.

Source: https://o19s.github.io/ubi/schema/1.3.0/event.schema.json
"""

import itertools
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, AliasChoices, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from services.catalogue.events.visitor import Visitor
from services.catalogue.product import MAX_KEY_LENGTH
from services.contracts.domain.filtering.instants import in_utc
from services.contracts.domain.frozen_model import FrozenModel

MAX_OBJECTS = 100  # products of one event: as many as a page of results has at most
MAX_ORDINAL = 500  # results within reach
APPLICATION = "lookalike"


class Action(StrEnum):
    """What the shopper did."""

    SEARCH = "search"
    IMPRESSION = "impression"
    CLICK = "click"
    ADD_TO_CART = "add_to_cart"
    PURCHASE = "purchase"
    LIKE = "like"
    HIDE = "hide"


# UBI's groups of actions.
MESSAGE_TYPES = {
    Action.SEARCH: "QUERY",
    Action.IMPRESSION: "IMPRESSION",
    Action.CLICK: "INTERACTION",
    Action.LIKE: "INTERACTION",
    Action.HIDE: "INTERACTION",
    Action.ADD_TO_CART: "CONVERSION",
    Action.PURCHASE: "CONVERSION",
}


def _id_text(value: object) -> object:
    """Return a number as text: UBI has ids of both types."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_PROCESS = secrets.token_hex(6)
_NUMBERS = itertools.count()


def new_event_id() -> str:
    """Return an id that no other event has. Later ids come after earlier ones in the order of text."""
    return f"{time.time_ns():016x}{_PROCESS}{next(_NUMBERS):x}"


ObjectId = Annotated[str, BeforeValidator(_id_text), Field(min_length=1, max_length=MAX_KEY_LENGTH)]
QueryId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,128}$")]
EventId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,100}$")]
Ordinal = Annotated[int, Field(ge=1, le=MAX_ORDINAL)]
Moment = Annotated[datetime, AfterValidator(in_utc)]


def _incomplete(text: str, place: str) -> PydanticCustomError:
    """Return the error of fields that do not go together; `place` is where the event has to change."""
    return PydanticCustomError("incomplete", "{text}", {"text": text, "place": place})


class EventObject(FrozenModel):
    """A product."""

    object_id: ObjectId = Field(description="the product's id", examples=["15970"])
    object_id_field: str | None = Field(default=None, max_length=100, description="accepted, not kept", exclude=True)
    object_id_type: str | None = Field(default=None, max_length=100, description="accepted, not kept", exclude=True)


class Position(FrozenModel):
    """Where a product stood."""

    ordinal: Ordinal = Field(description="its place in the results of the search; the first is 1", examples=[3])


# A request may have 40,000 of them: as models they would take four times the memory.
@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class ShownObject:
    """A product of a list, and where it stood."""

    object_id: ObjectId = Field(examples=["15970"])
    ordinal: Ordinal | None = Field(default=None, examples=[3])


class EventAttributes(FrozenModel):
    """Which products an event is about: `object` with its `position`, or `objects`, which stands for several events."""

    object: EventObject | None = None
    position: Position | None = None
    objects: list[ShownObject] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_OBJECTS,
        description="several products, each with its place, in the place of `object` and `position`",
    )
    quantity: int | None = Field(default=None, ge=1, le=1000, description="pieces in the cart or bought")


class Event(FrozenModel):
    """One thing that a shopper did."""

    event_id: EventId = Field(
        default_factory=new_event_id,
        description="an event is kept once for each id; without one it gets one",
        examples=["c0ffee-1"],
    )
    application: str = Field(default=APPLICATION, min_length=1, max_length=100)
    action_name: Action
    query_id: QueryId | None = Field(
        default=None,
        validation_alias=AliasChoices("query_id", "request_id"),
        description="`request_id` of the search from which the product came; `request_id` is another name of the field",
        examples=["6f1c2ab09d3e4c55"],
    )
    client_id: Visitor | None = Field(
        default=None,
        validation_alias=AliasChoices("client_id", "visitor"),
        description="an opaque id of the visitor; `visitor` is another name of the field",
        examples=["v-4b1f"],
    )
    timestamp: Moment = Field(
        default_factory=lambda: datetime.now(UTC),
        description="when it happened; default: when it arrives",
        examples=["2026-11-30T12:00:00Z"],
    )
    message_type: str | None = Field(
        default=None, max_length=100, description="accepted, not kept: it follows from `action_name`", exclude=True
    )
    event_attributes: EventAttributes = EventAttributes()

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        attributes = self.event_attributes
        is_listed = attributes.objects is not None
        if is_listed and (attributes.object is not None or attributes.position is not None):
            raise _incomplete("an event has object and position, or objects, not both", "event_attributes/objects")
        if attributes.position is not None and attributes.object is None:
            raise _incomplete("a position needs the object that stood there", "event_attributes/object")
        if self.action_name in (Action.SEARCH, Action.IMPRESSION) and self.query_id is None:
            raise _incomplete(f"the action {self.action_name} needs the request_id of its search", "query_id")
        if self.action_name is not Action.SEARCH and attributes.object is None and not is_listed:
            text = f"the action {self.action_name} needs the product's id"
            raise _incomplete(text, "event_attributes/object/object_id")
        return self

    def shown(self) -> Iterator[tuple[str, int | None]]:
        """Yield the id of each product of the event, and its place in the results; None where it is not known."""
        attributes = self.event_attributes
        if attributes.object is not None:
            yield attributes.object.object_id, attributes.position.ordinal if attributes.position else None
        for shown in attributes.objects or ():
            yield shown.object_id, shown.ordinal
