"""Dates and times in text → numbers."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.contracts.domain.filtering.instants import in_utc, instant

EAST = timezone(timedelta(hours=1))
WEST = timezone(timedelta(hours=-1))
DAY = 24 * 3600 * 1_000_000


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("1970-01-01", 0),
        ("1970-01-02", DAY),
        ("1969-12-31", -DAY),
        ("1970-01-01T00:00:01", 1_000_000),
        ("1970-01-01 00:00:01", 1_000_000),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1970-01-01T00:00-00:30", 1_800_000_000),
        ("0001-01-01T00:00:00+14:00", -719162 * DAY - 14 * 3600 * 1_000_000),
        ("9999-12-31T23:59:59.999999-12:00", 2932897 * DAY - 1 + 12 * 3600 * 1_000_000),
    ],
)
def test_a_date_or_time_without_an_offset_is_in_utc(text: str, microseconds: int) -> None:
    assert instant(text) == microseconds


@pytest.mark.parametrize(
    "text",
    ["", "today", "2026", "2026-05", "20260501", "2026-13-01", "2026-02-30", "2026-05-01T25:00", "2026-05-01x10:00",
     "2026-W18-5", "01/05/2026", " 2026-05-01", "2026-05-01 ", "٢٠٢٦-٠٥-٠١", "2026-05-01T10:00\ud800"],
)  # fmt: skip
def test_other_text_is_none(text: str) -> None:
    assert instant(text) is None


def test_a_moment_is_brought_to_utc() -> None:
    assert in_utc(datetime(2026, 1, 1)) == datetime(2026, 1, 1, tzinfo=UTC)
    assert in_utc(datetime(2026, 1, 1, tzinfo=EAST)).isoformat() == "2025-12-31T23:00:00+00:00"


@pytest.mark.parametrize("moment", [datetime(1, 1, 1, tzinfo=EAST), datetime(9999, 12, 31, 23, 30, tzinfo=WEST)])
def test_a_moment_outside_the_years_of_the_calendar_is_an_error(moment: datetime) -> None:
    with pytest.raises(ValueError, match="years 1 to 9999"):
        in_utc(moment)
