"""Dates and times in text → numbers that can be compared."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE_LENGTH = len("2026-05-01")


def in_utc(moment: datetime) -> datetime:
    """Return a moment in UTC; without an offset it is in UTC.

    Raises:
        ValueError: it is before the year 1 or after the year 9999 there.
    """
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time is not within the years 1 to 9999 in UTC") from None


def instant(text: str) -> int | None:
    """Return the microseconds from 1970 to a date or time in ISO 8601's extended form, or None for other text.

    A date means its first moment. Without an offset the time is in UTC. A space may replace the T.
    """
    # The basic form (20260501) is not accepted: in a shop's data eight digits are an article number.
    if text[4:5] != "-" or text[7:8] != "-" or text[_DATE_LENGTH : _DATE_LENGTH + 1] not in ("", "T", "t", " "):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(microseconds=1)
