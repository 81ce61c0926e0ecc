"""The times that the commands of events take."""

from datetime import datetime

from services.cli.keys.values import parse_duration
from services.contracts.domain.filtering.instants import in_utc


def parse_moment(text: str | None, now: datetime) -> datetime | None:
    """Return a time in UTC: a date or a time in ISO 8601, or a duration before now, such as 30d; None for None.

    Raises:
        ValueError: the text is none of these.
    """
    if text is None:
        return None
    try:
        return now - parse_duration(text)
    except (ValueError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is not a time: write a date such as 2026-11-30, or 30d for 30 days ago") from None
    return in_utc(moment)


def parse_period(since: str | None, until: str | None, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Return a time by its two ends.

    Raises:
        ValueError: an end is not a time, or the end is not after the beginning.
    """
    begin, end = parse_moment(since, now), parse_moment(until, now)
    if begin is not None and end is not None and begin >= end:
        raise ValueError("--since has to be before --until")
    return begin, end
