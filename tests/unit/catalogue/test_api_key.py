"""Keys: their secrets, rotation, expiry and revocation."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.catalogue.api_key import (
    ApiKey,
    KeyRefused,
    Scope,
    key_id,
    new_key,
    revoked,
    rotated,
    without_previous,
)

NOW = datetime.now(UTC)


def made() -> tuple[ApiKey, str]:
    return new_key("shop", [Scope.SEARCH])


def test_a_secret_has_256_random_bits_and_only_its_hash_is_kept() -> None:
    key, secret = made()
    assert len(secret.rpartition(key.id)[2].removeprefix("_")) == 43  # 32 bytes in base64
    assert [stored.sha256 for stored in key.secrets] == [hashlib.sha256(secret.encode()).hexdigest()]
    assert secret not in repr(key)
    assert key_id(secret) == key.id
    assert len({made()[1] for _ in range(100)}) == 100


def test_a_key_knows_its_own_secret_only() -> None:
    key, secret = made()
    assert key.matches(secret, NOW)
    for other in (secret[:-1], secret + "x", secret.upper(), made()[1], key.secrets[0].sha256, ""):
        assert not key.matches(other, NOW)


@pytest.mark.parametrize(
    "text", ["", "lk_", "lk_0123456789ab", "lk_0123456789ab_" + "x" * 42, "xk_0123456789ab_" + "x" * 43]
)
def test_another_text_is_no_secret(text: str) -> None:
    assert key_id(text) is None


def test_after_a_rotation_two_secrets_are_valid_for_the_overlap() -> None:
    key, first = made()
    changed, second = rotated(key, timedelta(days=7))
    soon, later = NOW + timedelta(days=6), NOW + timedelta(days=8)
    assert [changed.matches(secret, soon) for secret in (first, second)] == [True, True]
    assert [changed.matches(secret, later) for secret in (first, second)] == [False, True]


def test_each_change_is_one_revision() -> None:
    key, _ = made()
    assert key.revision == 1
    assert rotated(key, timedelta(days=7))[0].revision == 2
    assert [without_previous(key).revision, revoked(key).revision] == [2, 2]


def test_a_name_may_have_a_hundred_characters() -> None:
    assert new_key("x" * 100, [Scope.SEARCH])[0].name == "x" * 100
    assert new_key(" shop ", [Scope.SEARCH])[0].name == "shop"


def test_catalogues_and_origins_are_kept_once_in_their_order() -> None:
    key, _ = new_key("shop", [Scope.SEARCH], catalogues=["b", "a", "b"], origins=["https://x", "https://x"])
    assert (key.catalogues, key.origins) == (("b", "a"), ("https://x",))


def test_ending_the_previous_secret_keeps_the_newest() -> None:
    changed, second = rotated(made()[0], timedelta(days=7))
    ended = without_previous(changed)
    assert [len(ended.secrets), ended.matches(second, NOW)] == [1, True]


def test_a_rotation_without_an_overlap_ends_the_secret_at_once() -> None:
    key, first = made()
    changed, second = rotated(key, timedelta())
    assert [changed.matches(secret, NOW) for secret in (first, second)] == [False, True]


def test_no_more_than_two_secrets_are_valid_at_once() -> None:
    key, _ = rotated(made()[0], timedelta(days=7))
    with pytest.raises(KeyRefused, match="two secrets"):
        rotated(key, timedelta(days=7))
    rotated(without_previous(key), timedelta(days=7))


def test_a_revoked_key_has_no_secrets_and_is_not_rotated() -> None:
    key, secret = made()
    ended = revoked(key)
    assert (ended.state(NOW), ended.secrets, ended.matches(secret, NOW)) == ("revoked", (), False)
    with pytest.raises(KeyRefused, match="is revoked"):
        rotated(ended, timedelta())
    assert revoked(ended).revoked_at == ended.revoked_at


def test_an_expired_key_is_not_rotated() -> None:
    key = replace(made()[0], expires_at=NOW)
    assert (key.state(NOW - timedelta(seconds=1)), key.state(NOW)) == ("active", "expired")
    with pytest.raises(KeyRefused, match="is expired"):
        rotated(key, timedelta())


@pytest.mark.parametrize(
    ("name", "scopes", "expires_at"),
    [("", [Scope.SEARCH], None), ("x" * 101, [Scope.SEARCH], None), ("a\nb", [Scope.SEARCH], None), ("shop", [], None),
     ("shop", [Scope.SEARCH], NOW - timedelta(days=1))],
)  # fmt: skip
def test_a_key_that_could_not_be_used_is_not_created(
    name: str, scopes: list[Scope], expires_at: datetime | None
) -> None:
    with pytest.raises(KeyRefused):
        new_key(name, scopes, expires_at=expires_at)
