"""The key of the local stack's Prometheus: made once for each database, readable for its owner only."""

import stat
from pathlib import Path

import pytest

from services.catalogue.api_key import Scope, key_id, revoked
from services.catalogue.store import database as module
from services.cli.keys.metrics_key import write_metrics_key
from tests.support.fakes.key_store import KeyStore, database_with

URL = "mongodb://db"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> KeyStore:
    store = KeyStore()
    monkeypatch.setattr(module, "CatalogueDatabase", database_with(store))
    return store


def id_in(path: Path) -> str | None:
    return key_id(path.read_text().strip())


def test_the_key_opens_the_metrics_only_and_its_file_is_private(store: KeyStore, tmp_path: Path) -> None:
    path = tmp_path / "prometheus.key"
    write_metrics_key(URL, path)
    (key,) = store.rows.values()
    assert (key.scopes, key.id) == (frozenset({Scope.METRICS}), id_in(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_valid_key_stays(store: KeyStore, tmp_path: Path) -> None:
    path = tmp_path / "prometheus.key"
    write_metrics_key(URL, path)
    secret = path.read_text()
    write_metrics_key(URL, path)
    assert (path.read_text(), len(store.rows)) == (secret, 1)


def test_a_key_that_is_revoked_or_of_another_database_is_replaced(store: KeyStore, tmp_path: Path) -> None:
    path = tmp_path / "prometheus.key"
    write_metrics_key(URL, path)
    (key,) = store.rows.values()
    store.rows[key.id] = revoked(key)
    write_metrics_key(URL, path)
    second = id_in(path)
    assert second in store.rows.keys() - {key.id}
    store.rows.clear()
    write_metrics_key(URL, path)
    assert [*store.rows] == [id_in(path)]


def test_a_file_with_something_else_is_replaced(store: KeyStore, tmp_path: Path) -> None:
    path = tmp_path / "prometheus.key"
    path.write_bytes(b"not a key \xff")
    path.chmod(0o644)
    write_metrics_key(URL, path)
    assert [*store.rows] == [id_in(path)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(("variable", "database"), [("shop", "shop"), ("", "lookalike"), (None, "lookalike")])
def test_the_key_is_one_of_the_stack_s_database(
    store: KeyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str | None, database: str
) -> None:
    monkeypatch.delenv("MONGO_DATABASE", raising=False)
    if variable is not None:
        monkeypatch.setenv("MONGO_DATABASE", variable)
    write_metrics_key(URL, tmp_path / "prometheus.key")
    assert store.addresses == (URL, database)
