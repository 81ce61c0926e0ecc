"""Whether a search was personal, as its response says."""

from typing import Literal

from pydantic import Field

from services.contracts.domain.frozen_model import FrozenModel

WhyNot = Literal["no_events", "unavailable"]


class Personal(FrozenModel):
    """Whether the visitor's taste had a part in the order of the results."""

    applied: bool
    reason: WhyNot | None = Field(
        default=None,
        description="why it had none: `no_events`, nothing is known of the visitor; `unavailable`, the taste could not "
        "be read in time",
    )
