"""What a restore says of documents that it cannot store, the order in which it writes, and its lease."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bson
import pytest
from bson.raw_bson import RawBSONDocument

from services.catalogue.backup import backup
from services.catalogue.backup.backup_file import BackupError, Contents, writing
from services.catalogue.store.notes import Lease
from services.contracts.domain.errors import CatalogueUnavailable


class Dump:
    """The documents of one catalogue; those whose `_id` begins with `bad` are refused."""

    def __init__(self, *collections: str) -> None:
        self.collections = collections
        self.written: list[tuple[str, list[str]]] = []

    async def write(self, name: str, documents: Sequence[RawBSONDocument]) -> list[str]:
        ids = [document["_id"] for document in documents]
        self.written.append((name, ids))
        return [f"{key}: no" for key in ids if key.startswith("bad")]


def file(folder: Path, *documents: tuple[str, str]) -> Path:
    path = folder / "one.backup"
    with writing(path, Contents("2026-11-29", "lookalike", ("default", "shoes"), "0.2.0")) as writer:
        for collection, key in documents:
            writer.add(collection, RawBSONDocument(bson.encode({"_id": key})))
    return path


async def write(path: Path, *dumps: Dump) -> list[int]:
    progress: list[int] = []
    catalogues: Any = [SimpleNamespace(dump=dump) for dump in dumps]
    await backup._write(path, catalogues, progress.append)
    return progress


async def test_documents_are_written_page_by_page_into_their_catalogues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "PAGE", 2)
    path = file(tmp_path, ("products", "a"), ("images", "a"), ("products", "b"), ("products", "c"), ("shoes", "a"))
    default, shoes = Dump("products", "images"), Dump("shoes")
    assert await write(path, default, shoes) == [2, 4, 5]
    assert default.written == [("products", ["a"]), ("images", ["a"]), ("products", ["b", "c"])]
    assert shoes.written == [("shoes", ["a"])]


async def test_documents_that_cannot_be_stored_are_an_error_that_names_the_first_five(tmp_path: Path) -> None:
    path = file(tmp_path, ("products", "a"), *(("products", f"bad{number}") for number in range(6)))
    dump = Dump("products")
    expected = "6 of 7 documents could not be stored: bad0: no; bad1: no; bad2: no; bad3: no; bad4: no$"
    with pytest.raises(BackupError, match=expected):
        await write(path, dump)
    assert len(dump.written[0][1]) == 7


async def test_a_collection_of_no_catalogue_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"one\.backup has a collection 'hats', which no catalogue of it has"):
        await write(file(tmp_path, ("hats", "a")), Dump("products"))


class Leases:
    """The place of an import lease."""

    def __init__(self) -> None:
        self.held: list[Lease] = []
        self.renewed: list[int] = []

    async def leases(self) -> list[Lease]:
        return self.held

    async def take_lease(self, lease: Lease) -> bool:
        self.held.append(lease)
        return True

    async def renew_lease(self, import_id: str, beat: int) -> bool:
        self.renewed.append(beat)
        if beat == 2:
            raise CatalogueUnavailable("away", "db:1")
        return True

    async def drop_lease(self, lease: Lease, *, at_beat: bool = False) -> None:
        self.held = []


async def test_a_restore_holds_the_import_lease_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup, "BEAT_S", 0)
    leases = Leases()
    catalogue: Any = SimpleNamespace(notes=leases)
    with pytest.raises(ZeroDivisionError):
        async with backup._alone(catalogue):
            assert [(held.import_id, held.source) for held in leases.held] == [("restore", "a restore")]
            for _ in range(20):
                await asyncio.sleep(0)
            raise ZeroDivisionError
    assert leases.held == []
    renewed = list(leases.renewed)
    assert renewed == list(range(1, len(renewed) + 1)) and len(renewed) > 3
    for _ in range(10):
        await asyncio.sleep(0)
    assert leases.renewed == renewed
