"""The values that the commands of keys take."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from services.catalogue.api_key import Scope
from services.contracts.domain.filtering.instants import in_utc
from services.contracts.domain.origin import parse_origin
from services.contracts.domain.quota import Quota

_DURATION = re.compile(r"(\d{1,6})([dhms])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def scopes(texts: Sequence[str]) -> list[Scope]:
    """Return scopes by their names.

    Raises:
        ValueError: there is no such scope.
    """
    for text in texts:
        if text not in list(Scope):
            raise ValueError(f"there is no scope {text!r}: the scopes are {', '.join(Scope)}")
    return [Scope(text) for text in texts]


def origins(texts: Sequence[str]) -> list[str]:
    """Return origins as browsers send them; raises ValueError as `parse_origin`."""
    return [parse_origin(text) for text in texts]


def quota_of(text: str | None) -> Quota | None:
    """Return a quota; raises ValueError as `Quota.parse`."""
    return None if text is None else Quota.parse(text)


def parse_duration(text: str) -> timedelta:
    """Return a duration: a number and d, h, m or s, or 0.

    Raises:
        ValueError: the text is none.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None and text.strip() != "0":
        raise ValueError(f"{text!r} is not a duration: write a number and d, h, m or s, such as 7d or 12h")
    return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else timedelta()


def parse_expiry(text: str | None) -> datetime | None:
    """Return a time in UTC: a duration from now, or a date or time in ISO 8601; None for None.

    Raises:
        ValueError: the text is none of these.
    """
    if text is None:
        return None
    try:
        if _DURATION.fullmatch(text.strip()):
            return (datetime.now(UTC) + parse_duration(text)).replace(microsecond=0)
        moment = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a time: write 90d, 12h or a date such as 2030-01-31") from None
    return in_utc(moment)
