"""The responses of requests about events and visitors."""

from pydantic import Field

from services.contracts.domain.frozen_model import FrozenModel
from services.contracts.wire.problem import FieldError


class EventsResponse(FrozenModel):
    """What became of the events of a request. Those that are accepted are on disk."""

    accepted: int = Field(description="events that are kept now, duplicates included", examples=[2])
    duplicates: int = Field(description="accepted events whose `event_id` was kept before", examples=[0])
    rejected: list[int] = Field(
        description="indexes of the events that are not kept, counted from 0; in NDJSON blank lines do not count",
        examples=[[1]],
    )
    errors: list[FieldError] = Field(description="their faults, the first 20 places")
    errors_left_out: int = Field(description="number of other places")


class VisitorResponse(FrozenModel):
    """The number of documents of a visitor that were removed."""

    events: int = Field(examples=[12])
    searches: int = Field(examples=[3])
