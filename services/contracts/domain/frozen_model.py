"""The base class of the messages that services exchange."""

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    """An immutable message. An unknown field is an error, so that a misspelt name is not silently ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")
