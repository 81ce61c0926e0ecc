"""The users of MongoDB in the Compose stack, on its stand-in: what each may do."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "compose" / "mongo"
ENV = {
    "MONGO_DATABASE": "lookalike",
    "CATALOGUES": "outlet,shoes-and-more",
    "ADMINISTRATOR": "administrator",
    "ADMINISTRATOR_PASSWORD": "secret0",
    "MONGO_USER": "lookalike",
    "MONGO_PASSWORD": "secret1",
    "MONGO_INDEX_USER": "lookalike-index",
    "MONGO_INDEX_PASSWORD": "secret2",
}


class Server:
    """A client of the users' commands."""

    def __init__(self, users: Any) -> None:
        self.admin = self
        self._users = users

    def command(self, name: str, value: str, **options: Any) -> Any:
        return self._users.command({name: value, **options})


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The stand-in's users, as its mongosh makes them; written and read again."""
    monkeypatch.syspath_prepend(str(FOLDER))
    import mongosh  # type: ignore[import-not-found]
    from users import Users  # type: ignore[import-not-found]

    for _ in range(2):  # at each start
        mongosh.put_users(Server(Users(tmp_path / "users.json")), ENV)
    yield Users(tmp_path / "users.json")
    for name in ("mongosh", "users", "scram"):
        sys.modules.pop(name, None)


def command(name: str, collection: str, database: str = "lookalike") -> dict[str, str]:
    return {name: collection, "$db": database}


@pytest.mark.parametrize("collection", ["products", "products_outlet", "products_shoes_and_more"])
def test_the_index_reads_products_and_writes_markers_only(users: Any, collection: str) -> None:
    commands = ("find", "aggregate", "insert", "delete", "update", "findAndModify", "drop", "createIndexes")
    allowed = {name for name in commands if users.may("lookalike-index", command(name, collection))}
    assert allowed == {"find", "aggregate", "insert", "delete"}


@pytest.mark.parametrize("collection", ["keys", "images", "http_cache", "products_other"])
def test_the_index_reads_nothing_else(users: Any, collection: str) -> None:
    assert not users.may("lookalike-index", command("find", collection))
    assert not users.may("lookalike-index", command("find", "products", "another"))


def test_the_gateway_writes_its_database_and_makes_no_users(users: Any) -> None:
    for name in ("find", "insert", "update", "delete", "createIndexes"):
        assert users.may("lookalike", command(name, "products"))
        assert users.may("lookalike", command(name, "counters", "limits"))
        assert not users.may("lookalike", command(name, "products", "admin"))
    for name in ("createUser", "updateUser", "createRole", "shutdown", "replSetInitiate"):
        assert not users.may("lookalike", command(name, "x", "admin"))
        assert not users.may("lookalike-index", command(name, "x", "admin"))
        assert users.may("administrator", command(name, "x", "admin"))


def test_each_user_has_a_password_of_its_own(users: Any) -> None:
    secrets = users.secrets()
    assert secrets.keys() == {"administrator", "lookalike", "lookalike-index"}
    assert len({secret.stored_key for secret in secrets.values()}) == 3
