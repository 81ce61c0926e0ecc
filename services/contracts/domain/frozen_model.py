"""The base of the values and messages that services share."""

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    """A wire message: unknown fields are an error, so that a misspelt one is not silently ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")
