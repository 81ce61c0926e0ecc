"""What the options of keys mean, and the table of keys."""

from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from services.catalogue.api_key import ApiKey, KeyRefused, Scope, StoredSecret, new_key
from services.cli.keys.commands import app
from services.cli.keys.display import document, show_keys, show_revoked, show_secret
from services.cli.keys.session import KeySession
from services.cli.keys.values import origins, parse_duration, parse_expiry, quota_of, scopes
from services.contracts.domain.quota import Quota
from tests.support.fakes.key_store import KeyStore

CREATED = datetime(2026, 11, 30, 12, tzinfo=UTC)
FAR = datetime(2099, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("7d", timedelta(days=7)),
        (" 12h ", timedelta(hours=12)),
        ("30m", timedelta(minutes=30)),
        ("5s", timedelta(seconds=5)),
        ("999999d", timedelta(days=999_999)),
        ("0", timedelta()),
        (" 0 ", timedelta()),
        ("0d", timedelta()),
    ],
)
def test_a_duration_is_a_number_and_its_unit(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "7", "d", "7w", "-7d", "7 d", "1.5d", "1000000d", "00"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration: write a number and d, h, m or s"):
        parse_duration(text)


def test_an_expiry_is_a_time_from_now_or_a_date() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    expiry = parse_expiry(" 90d ")
    assert expiry is not None
    assert now + timedelta(days=90) <= expiry <= datetime.now(UTC) + timedelta(days=90)
    assert (expiry.microsecond, expiry.tzinfo) == (0, UTC)
    assert parse_expiry("2099-01-31") == parse_expiry(" 2099-01-31T01:00:00+01:00 ") == FAR
    assert parse_expiry(None) is None


@pytest.mark.parametrize("text", ["soon", "0", "999999d x", "999999999d"])
def test_an_expiry_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time: write 90d, 12h or a date"):
        parse_expiry(text)


def test_the_other_values() -> None:
    assert scopes(["search", "metrics"]) == [Scope.SEARCH, Scope.METRICS]
    assert origins(["https://Shop.example/"]) == ["https://shop.example"]
    assert (quota_of(None), quota_of("10/minute")) == (None, Quota.parse("10/minute"))


def key(name: str, **changes: object) -> ApiKey:
    facts: dict[str, object] = {"scopes": frozenset({Scope.SEARCH}), "created_at": CREATED, **changes}
    return ApiKey("0123456789ab", name, **facts)  # type: ignore[arg-type]


LIMITED = key(
    "front [end]",
    scopes=frozenset({Scope.SEARCH, Scope.CATALOGUE}),
    catalogues=("shoes", "hats"),
    origins=("https://a.test", "https://b.test"),
    quota=Quota.parse("10/minute"),
    expires_at=FAR,
    secrets=(StoredSecret("a", CREATED, CREATED), StoredSecret("b", CREATED)),
)


def lines(text: str) -> list[list[str]]:
    return [[cell for cell in line.split("  ") if cell] for line in text.splitlines()]


def test_the_table_of_keys(capsys: pytest.CaptureFixture[str]) -> None:
    show_keys([LIMITED, key("x", revoked_at=CREATED), key("y", expires_at=CREATED)], as_json=False)
    head, first, *others = lines(capsys.readouterr().out)
    assert [cell.strip() for cell in head] == [
        *("id", "name", "state", "scopes", "catalogues", "origins", "quota", "expires", "secrets"),
    ]
    assert [cell.strip() for cell in first] == [
        *("0123456789ab", "front [end]", "active", "catalogue, search", "shoes, hats"),
        *("https://a.test, https://b.test", str(LIMITED.quota), "2099-01-31", "1"),
    ]
    assert [[cell.strip() for cell in line][1:] for line in others] == [
        ["x", "revoked", "search", "all", "any", "default", "never", "0"],
        ["y", "expired", "search", "all", "any", "default", "2026-11-30", "0"],
    ]


def test_each_key_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    wide = key("a name of a front end " * 4, origins=tuple(f"https://shop-{number}.example" for number in range(9)))
    show_keys([wide, wide], as_json=False)
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_without_keys_there_is_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    show_keys([], as_json=False)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "there are no keys: lookalike keys create NAME --scope search\n")


def test_a_key_as_json_has_its_valid_secrets_without_their_hashes() -> None:
    assert document(LIMITED) == {
        "id": "0123456789ab",
        "name": "front [end]",
        "state": "active",
        "scopes": ["catalogue", "search"],
        "catalogues": ["shoes", "hats"],
        "origins": ["https://a.test", "https://b.test"],
        "quota": str(LIMITED.quota),
        "created_at": CREATED,
        "expires_at": FAR,
        "revoked_at": None,
        "secrets": [{"created_at": CREATED, "expires_at": None}],
    }
    assert document(key("x"))["quota"] is None


def test_a_secret_and_what_is_revoked_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    show_secret(LIMITED, "lk_1", as_json=False)
    captured = capsys.readouterr()
    assert captured.out == "lk_1\n"
    assert captured.err == "front [end]: key 0123456789ab, catalogue, search. The secret is shown only now:\n"
    show_revoked(LIMITED, True, as_json=False)
    show_revoked(LIMITED, False, as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "front [end]: only the newest secret of the key 0123456789ab is valid",
        "front [end]: the key 0123456789ab is revoked",
    ]


async def test_a_change_is_tried_five_times() -> None:
    store = KeyStore()
    made, secret = new_key("x", [Scope.SEARCH])
    await store.add(made)
    store.lost = 4
    assert (await KeySession(store).revoke(secret, previous=False)).revoked_at is not None
    store.lost = 5
    with pytest.raises(KeyRefused, match="is being changed by other processes: try again"):
        await KeySession(store).revoke(secret, previous=False)


async def test_a_change_names_the_key_by_its_id() -> None:
    _, secret = new_key("x", [Scope.SEARCH])
    for name in (secret, secret.split("_")[1]):
        with pytest.raises(KeyRefused, match=f"^there is no key '{secret.split('_')[1]}': lookalike keys list"):
            await KeySession(KeyStore()).revoke(name, previous=True)


async def test_only_the_secret_before_the_rotation_is_revoked() -> None:
    session = KeySession(KeyStore())
    _, first = await session.create("x", [Scope.SEARCH])
    _, second = await session.rotate(first, timedelta(days=1))
    now = datetime.now(UTC)
    changed = await session.revoke(first, previous=True)
    assert (changed.matches(first, now), changed.matches(second, now), changed.state(now)) == (False, True, "active")
    ended = await session.revoke(second, previous=False)
    assert (ended.matches(second, now), ended.state(now)) == (False, "revoked")


def test_without_a_command_the_commands_are_printed() -> None:
    output = CliRunner().invoke(app, []).output
    assert "Usage: " in output
    assert "Missing command" not in output
