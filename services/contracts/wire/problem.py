"""An error as it travels over HTTP."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Problem(BaseModel):
    """An error (RFC 9457), sent as `application/problem+json`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["/problems/invalid-image"])
    title: str = Field(examples=["The image cannot be read"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["the JPEG file is damaged or cut short: image file is truncated"])
    request_id: str | None = Field(default=None, examples=["01JD4Z6W0M2V"])
    errors: list[dict[str, Any]] | None = None
