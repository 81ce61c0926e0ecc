"""`lookalike keys`: what the commands print, and the status they end with."""

from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from services.catalogue.api_key import key_id
from services.catalogue.store import database as module
from services.cli.main import app
from services.contracts.domain.errors import CatalogueUnavailable
from tests.support.fakes.key_store import KeyStore, database_with


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> KeyStore:
    store = KeyStore()
    monkeypatch.setattr(module, "CatalogueDatabase", database_with(store))
    return store


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, ["keys", *arguments], env=environment)


def created(*arguments: str) -> dict[str, Any]:
    result = run("create", "front end", "--scope", "search", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return dict(orjson.loads(result.stdout))


def test_a_secret_is_printed_once_alone_on_stdout(store: KeyStore) -> None:
    result = run("create", "front end", "--scope", "search", "--scope", "catalogue")
    assert result.exit_code == 0
    secret = result.stdout.strip()
    (key,) = store.rows.values()
    assert key_id(secret) == key.id
    assert key.scopes == {"search", "catalogue"}
    assert "shown only now" in result.stderr
    assert secret not in run("list").output + run("list", "--json").output


def test_a_key_has_the_limits_that_the_options_name(store: KeyStore) -> None:
    options = ["--origin", "https://Shop.example/", "--quota", "10/5 minutes", "--expires", "2099-01-31"]
    document = created(*options)
    assert document["origins"] == ["https://shop.example"]
    assert document["quota"] == "10/5 minutes"
    assert document["expires_at"] == "2099-01-31T00:00:00+00:00"
    listed = orjson.loads(run("list", "--json").stdout)
    assert listed == [{name: value for name, value in document.items() if name != "secret"}]
    assert "2099-01-31" in run("list").stdout


def test_a_key_is_bound_to_catalogues_of_the_installation(store: KeyStore) -> None:
    result = run("create", "x", "--scope", "search", "--catalogue", "shoes", "--json", CATALOGUES="shoes")
    assert orjson.loads(result.stdout)["catalogues"] == ["shoes"]
    assert run("create", "x", "--scope", "search", "--catalogue", "hats", CATALOGUES="shoes").exit_code == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--scope", "everything"], "the scopes are search, catalogue, metrics, admin"),
        (["--scope", "search", "--origin", "shop.example"], "is not an origin"),
        (["--scope", "search", "--quota", "many"], "is not a quota"),
        (["--scope", "search", "--expires", "soon"], "is not a time"),
        (["--scope", "search", "--expires", "99999999d"], "is not a time"),
        (["--scope", "search", "--expires", "9999-12-31T23:59-01:00"], "years 1 to 9999"),
    ],
)
def test_a_value_that_is_not_valid_ends_the_command_with_a_sentence(
    store: KeyStore, options: list[str], words: str
) -> None:
    result = run("create", "x", *options)
    assert result.exit_code == 2
    assert words in result.stderr
    assert store.rows == {}


def test_a_rotation_prints_another_secret_and_keeps_the_first(store: KeyStore) -> None:
    first = created()
    result = run("rotate", first["secret"], "--overlap", "12h", "--json")
    second = orjson.loads(result.stdout)
    assert second["id"] == first["id"]
    assert second["secret"] != first["secret"]
    assert len(second["secrets"]) == 2
    again = run("rotate", first["id"])
    assert again.exit_code == 1
    assert "two secrets" in again.stderr
    assert run("revoke", first["id"], "--previous").exit_code == 0
    assert run("rotate", first["id"], "--overlap", "0").exit_code == 0
    assert run("rotate", first["id"], "--overlap", "long").exit_code == 2


def test_a_revoked_key_stays_in_the_list(store: KeyStore) -> None:
    key = created()
    assert "is revoked" in run("revoke", key["id"]).stdout
    assert [listed["state"] for listed in orjson.loads(run("list", "--json").stdout)] == ["revoked"]
    assert run("rotate", key["id"]).exit_code == 1


def test_an_unknown_key_ends_the_command(store: KeyStore) -> None:
    result = run("revoke", "0" * 12)
    assert result.exit_code == 1
    assert "lookalike keys list" in result.stderr


def test_a_change_is_tried_again_if_another_process_is_faster(store: KeyStore) -> None:
    key = created()
    store.lost = 2
    assert run("revoke", key["id"]).exit_code == 0
    store.lost = 100
    assert "try again" in run("revoke", key["id"]).stderr


def test_without_the_database_the_command_ends_with_its_sentence(store: KeyStore) -> None:
    store.trouble = CatalogueUnavailable("the database cannot be reached")
    result = run("list")
    assert (result.exit_code, result.stderr) == (1, "lookalike: the database cannot be reached\n")
