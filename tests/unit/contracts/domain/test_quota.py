import pytest

from services.contracts.domain.quota import Quota


@pytest.mark.parametrize(
    ("text", "requests", "seconds", "shown"),
    [
        ("600/minute", 600, 60, "600/minute"),
        ("10 / 5 minutes", 10, 300, "10/5 minutes"),
        ("1/SECOND", 1, 1, "1/second"),
        ("1000/24 hours", 1000, 86400, "1000/day"),
        ("7/90 seconds", 7, 90, "7/90 seconds"),
        ("5/1 day", 5, 86400, "5/day"),
        ("5/60 second", 5, 60, "5/minute"),
        ("5/61 seconds", 5, 61, "5/61 seconds"),
        ("1/hours", 1, 3600, "1/hour"),
        ("2/90 minutes", 2, 5400, "2/90 minutes"),
        ("3/120 minutes", 3, 7200, "3/2 hours"),
        ("999999999/999999 days", 999_999_999, 999_999 * 86400, "999999999/999999 days"),
    ],
)
def test_a_quota_is_a_number_of_requests_in_a_time(text: str, requests: int, seconds: int, shown: str) -> None:
    quota = Quota.parse(text)
    assert (quota.requests, quota.seconds, str(quota)) == (requests, seconds, shown)
    assert Quota.parse(str(quota)) == quota


@pytest.mark.parametrize(
    "text",
    [
        "",
        "600",
        "600/",
        "/minute",
        "0/minute",
        "10/0 minutes",
        "-1/minute",
        "5/week",
        "1e3/hour",
        "1000000000/day",
        "1/1000000 days",
        "0/0 days",
    ],
)
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="600/minute"):
        Quota.parse(text)
