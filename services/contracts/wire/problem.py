"""An error as it travels over HTTP."""

from collections.abc import Iterable
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

_SAFE = "!$&'()*+,;=:@-._~"  # the characters of RFC 3986's fragment that need no escape, but for / and ?


class FieldError(BaseModel):
    """The error at one place of the request."""

    pointer: str = Field(
        description="JSON Pointer as a URI fragment (RFC 6901): into the body, or below `#/query`, `#/path` or "
        "`#/header` into the rest of the request",
        examples=["#/filter/price"],
    )
    detail: str = Field(examples=["a bound is a number, or a date in ISO 8601, not a list"])


class Problem(BaseModel):
    """An error (RFC 9457), sent as `application/problem+json`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["/problems/invalid-image"])
    title: str = Field(examples=["The image cannot be read"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["the JPEG file is damaged or cut short: image file is truncated"])
    request_id: str | None = Field(default=None, examples=["01JD4Z6W0M2V"])
    errors: list[FieldError] | None = Field(default=None, description="the first 20 places that are not valid")
    errors_left_out: int | None = Field(default=None, description="number of other invalid places, if any")


def pointer(path: Iterable[str | int]) -> str:
    """Return a path as a JSON Pointer in its form as a URI fragment (RFC 6901, section 6)."""
    parts = (quote(str(part).replace("~", "~0").replace("/", "~1"), safe=_SAFE) for part in path)
    return "#" + "".join(f"/{part}" for part in parts)
