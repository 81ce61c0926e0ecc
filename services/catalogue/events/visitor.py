"""The visitor of a shop: an opaque text that the shop or the page draws, and nothing else of a person."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

MAX_VISITOR = 100  # characters, as in UBI's client_id
_VISITOR = re.compile(r"[A-Za-z0-9._:~-]+")


def checked_visitor(value: str) -> str:
    """Return a visitor's id.

    Raises:
        ValueError: it is not one. An e-mail address is none.
    """
    if not _VISITOR.fullmatch(value):
        raise ValueError(
            "a visitor is an opaque id of the characters A-Z, a-z, 0-9 and . _ : ~ -, not a name or an address"
        )
    return value


Visitor = Annotated[str, Field(min_length=1, max_length=MAX_VISITOR), AfterValidator(checked_visitor)]
