"""`lookalike backup` and `lookalike restore`: the file's name, the old backups, and what is printed."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import orjson
import pytest
from typer.testing import CliRunner, Result

from services.catalogue.backup import backup as backups
from services.catalogue.backup import backup_file
from services.catalogue.backup.backup_file import BackupError, Contents
from services.catalogue.store import database as module
from services.cli.main import app
from services.contracts.domain.errors import CatalogueUnavailable

CONTENTS = Contents("2026-11-30T04:00:00Z", "lookalike", ("default", "shoes"), "0.2.0", Counter(products=1200, notes=3))


class Database:
    """A database by its address, or one catalogue of it."""

    def __init__(self, *name: str) -> None:
        self.name = name

    def of(self, catalogue: str) -> "Database":
        return Database(*self.name, catalogue)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...


class Backups:
    """Takes the place of the functions that write and read backups, and notes what they get."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.trouble: Exception | None = None

    async def back_up(self, path: Path, catalogues: Sequence[Database], progress: Callable[[int], None]) -> Contents:
        progress(1203)
        return self._done(call="back_up", path=path, catalogues=[each.name for each in catalogues])

    async def restore(
        self, path: Path, database: Database, known: Sequence[str], *, replace: bool, progress: Callable[[int], None]
    ) -> Contents:
        progress(1203)
        return self._done(call="restore", path=path, database=database.name, known=known, replace=replace)

    def check(self, path: Path) -> Contents:
        return self._done(call="check", path=path)

    def _done(self, **call: Any) -> Contents:
        self.calls.append(call)
        if self.trouble is not None:
            raise self.trouble
        if call["call"] == "back_up":
            call["path"].write_bytes(b"backup")
        return CONTENTS


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Backups:
    made = Backups()
    monkeypatch.setattr(backups, "back_up", made.back_up)
    monkeypatch.setattr(backups, "restore", made.restore)
    monkeypatch.setattr(backup_file, "check", made.check)
    monkeypatch.setattr(module, "CatalogueDatabase", Database)
    for name in ("MONGO_URL", "MONGO_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CATALOGUES", "shoes")
    return made


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_a_backup_has_all_catalogues_and_the_name_that_was_given(fake: Backups, tmp_path: Path) -> None:
    path = tmp_path / "shop.backup"
    result = run("backup", path, "--mongo-url", "mongodb://db", "--mongo-database", "shop")
    assert result.exit_code == 0, result.output
    catalogues = [("mongodb://db", "shop", name) for name in ("default", "shoes")]
    assert fake.calls == [{"call": "back_up", "path": path, "catalogues": catalogues}]
    assert f"written: {path}: notes 3, products 1,200; begun at 2026-11-30T04:00:00Z" in result.stdout
    assert "removed" not in result.stdout


def test_in_a_folder_a_backup_is_named_after_its_time_and_the_latest_are_kept(fake: Backups, tmp_path: Path) -> None:
    old = [f"lookalike-2026010{day}-000000.backup" for day in (3, 1, 2)]
    for name in (*old, "other.backup", "lookalike-notes.txt"):
        (tmp_path / name).touch()
    result = run("backup", tmp_path, "--keep", 2, "--json")
    assert result.exit_code == 0, result.output
    (call,) = fake.calls
    assert call["path"].parent == tmp_path
    assert re.fullmatch(r"lookalike-\d{8}-\d{6}\.backup", call["path"].name)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {call["path"].name, "lookalike-20260103-000000.backup", "other.backup", "lookalike-notes.txt"}
    document = orjson.loads(result.stdout)
    assert document["removed"] == ["lookalike-20260101-000000.backup", "lookalike-20260102-000000.backup"]
    assert (document["file"], document["documents"]) == (str(call["path"]), {"products": 1200, "notes": 3})
    assert document["catalogues"] == ["default", "shoes"]


def test_a_backup_whose_name_is_in_the_future_counts_as_the_oldest(fake: Backups, tmp_path: Path) -> None:
    names = ["lookalike-29990101-000000.backup", "lookalike-29990102-000000.backup", "lookalike-20260101-000000.backup"]
    for name in names:
        (tmp_path / name).touch()
    result = run("backup", tmp_path, "--keep", 2, "--json")
    written = fake.calls[0]["path"].name
    assert orjson.loads(result.stdout)["removed"] == names[:2]
    assert {path.name for path in tmp_path.iterdir()} == {written, names[2]}


def test_without_keep_no_backup_is_removed(fake: Backups, tmp_path: Path) -> None:
    (tmp_path / "lookalike-20260101-000000.backup").touch()
    assert run("backup", tmp_path).exit_code == 0
    assert len(list(tmp_path.iterdir())) == 2


def test_old_backups_that_are_removed_are_named(fake: Backups, tmp_path: Path) -> None:
    (tmp_path / "lookalike-20260101-000000.backup").touch()
    assert "removed: lookalike-20260101-000000.backup" in run("backup", tmp_path, "--keep", 1).stdout


def test_old_backups_of_a_file_cannot_be_kept(fake: Backups, tmp_path: Path) -> None:
    result = run("backup", tmp_path / "a.backup", "--keep", 1)
    assert result.exit_code == 2
    assert "--keep needs a folder" in result.stderr
    assert fake.calls == []


def test_a_backup_that_fails_removes_nothing(fake: Backups, tmp_path: Path) -> None:
    fake.trouble = CatalogueUnavailable("the database is unavailable")
    (tmp_path / "lookalike-20260101-000000.backup").touch()
    result = run("backup", tmp_path, "--keep", 1)
    assert result.exit_code == 1
    assert "lookalike: the database is unavailable" in result.stderr
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(("options", "replace"), [([], False), (["--replace"], True)])
def test_a_restore_replaces_only_on_request(fake: Backups, tmp_path: Path, options: list[str], replace: bool) -> None:
    path = tmp_path / "a.backup"
    result = run("restore", path, *options)
    assert result.exit_code == 0, result.output
    database, known = ("mongodb://127.0.0.1:27017", "lookalike"), ("default", "shoes")
    assert fake.calls == [{"call": "restore", "path": path, "database": database, "known": known, "replace": replace}]
    assert f"restored: {path}" in result.stdout


def test_a_check_reads_only_the_file(fake: Backups, tmp_path: Path) -> None:
    result = run("restore", tmp_path / "a.backup", "--check")
    assert [call["call"] for call in fake.calls] == ["check"]
    assert "complete: " in result.stdout


@pytest.mark.parametrize("options", [[], ["--check"]])
def test_a_damaged_file_ends_with_its_reason(fake: Backups, tmp_path: Path, options: list[str]) -> None:
    fake.trouble = BackupError("a.backup is damaged")
    result = run("restore", tmp_path / "a.backup", *options)
    assert result.exit_code == 1
    assert "lookalike: a.backup is damaged" in result.stderr
