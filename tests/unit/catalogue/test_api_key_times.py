"""Keys at the very moment of a change: when they are valid, and which secrets a rotation keeps."""

from datetime import UTC, datetime, timedelta

import pytest

from services.catalogue import api_key
from services.catalogue.api_key import KeyRefused, Scope, StoredSecret, new_key, revoked, rotated, without_previous

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
WEEK = timedelta(days=7)


class Clock(datetime):
    """The time is NOW and some microseconds."""

    microseconds = 0

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        assert tz is UTC
        return NOW.replace(microsecond=cls.microseconds)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    monkeypatch.setattr(api_key, "datetime", Clock)
    monkeypatch.setattr(Clock, "microseconds", 0)
    return Clock


@pytest.mark.parametrize(("microseconds", "kept"), [(999_999, 999_000), (500_499, 500_000), (999, 0), (0, 0)])
def test_times_are_whole_milliseconds_as_the_database_keeps_them(
    clock: type[Clock], microseconds: int, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "microseconds", microseconds)
    key, _ = new_key("shop", [Scope.SEARCH])
    assert key.created_at == key.secrets[0].created_at == NOW.replace(microsecond=kept)


@pytest.mark.parametrize(
    ("after", "state"), [(-MILLISECOND, "active"), (timedelta(), "expired"), (MILLISECOND, "expired")]
)
def test_a_key_and_a_secret_end_at_their_expiry(after: timedelta, state: str) -> None:
    key, _ = new_key("shop", [Scope.SEARCH], expires_at=NOW + WEEK)
    assert key.state(NOW + WEEK + after) == state
    assert StoredSecret("a", NOW, NOW + WEEK).is_valid(NOW + WEEK + after) is (state == "active")
    assert StoredSecret("a", NOW).is_valid(NOW + 100 * WEEK)


@pytest.mark.parametrize(
    ("expires_at", "is_refused"), [(NOW - MILLISECOND, True), (NOW, True), (NOW + MILLISECOND, False), (None, False)]
)
def test_a_key_that_would_have_expired_is_not_created(expires_at: datetime | None, is_refused: bool) -> None:
    if is_refused:
        with pytest.raises(KeyRefused, match="which has passed"):
            new_key("shop", [Scope.SEARCH], expires_at=expires_at)
    else:
        assert new_key("shop", [Scope.SEARCH], expires_at=expires_at)[0].expires_at == expires_at


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\x00b"])
def test_a_name_is_printable_text(name: str) -> None:
    with pytest.raises(KeyRefused, match="1 to 100 printable characters"):
        new_key(name, [Scope.SEARCH])


def test_a_rotation_keeps_the_secrets_that_are_valid_until_the_overlap_ends() -> None:
    key, first = new_key("shop", [Scope.SEARCH, Scope.SEARCH])
    assert key.scopes == {"search"}
    changed, second = rotated(key, WEEK)
    assert [stored.expires_at for stored in changed.secrets] == [NOW + WEEK, None]
    assert [changed.matches(first, NOW + after) for after in (WEEK - MILLISECOND, WEEK)] == [True, False]
    assert [len(changed.valid_secrets(NOW + after)) for after in (timedelta(), WEEK)] == [2, 1]
    with pytest.raises(KeyRefused) as caught:
        rotated(changed, WEEK)
    assert f"the earlier one until {(NOW + WEEK).isoformat()}: wait, or end it" in str(caught.value)
    only = without_previous(changed)
    assert (only.matches(first, NOW), only.matches(second, NOW)) == (False, True)


def test_a_rotation_drops_the_secrets_that_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    changed, second = rotated(new_key("shop", [Scope.SEARCH])[0], timedelta(seconds=1))
    monkeypatch.setattr(Clock, "now", classmethod(lambda _, tz: NOW + WEEK))
    again, third = rotated(changed, WEEK)
    assert [stored.expires_at for stored in again.secrets] == [NOW + 2 * WEEK, None]
    assert all(again.matches(secret, NOW + WEEK) for secret in (second, third))


def test_a_revocation_has_the_time_of_the_first_one(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = revoked(new_key("shop", [Scope.SEARCH])[0])
    assert ended.revoked_at == NOW
    monkeypatch.setattr(Clock, "now", classmethod(lambda _, tz: NOW + WEEK))
    assert revoked(ended).revoked_at == NOW
