"""Writes a backup of catalogues, and restores one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from bson.raw_bson import RawBSONDocument

from services.catalogue.backup.backup_file import BackupError, Contents, check, read, writing
from services.catalogue.importing.lease import BEAT_S, ImportLease, ImportUnderWay
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.mongo.dump import PAGE
from services.catalogue.store.notes import LAST_BACKUP
from services.contracts.domain.errors import CatalogueUnavailable
from services.contracts.web.app import VERSION

Progress = Callable[[int], None]
SHOWN = 5


async def back_up(path: Path, catalogues: Sequence[CatalogueDatabase], progress: Progress = lambda _: None) -> Contents:
    """Write a backup of catalogues while others write them, and return what it holds.

    Every change that was acknowledged before the call is in it. A later change may be in it or not, but a product is
    never with a picture of another state.

    Args:
        path: of the file.
        catalogues: of one database, the default one first.
        progress: receives the number of documents written.

    Raises:
        BackupError: the file cannot be written.
        CatalogueUnavailable: the database is unavailable.
    """
    names = tuple(catalogue.catalogue for catalogue in catalogues)
    contents = Contents(datetime.now(UTC).isoformat(), catalogues[0].database_name, names, VERSION)
    with writing(path, contents) as writer:
        for catalogue in catalogues:
            for parts in (catalogue.dump.products(), catalogue.dump.others()):
                async for part in parts:
                    await asyncio.to_thread(writer.add_all, part)
                    progress(contents.documents.total())
    await catalogues[0].notes.put(LAST_BACKUP, {"begun_at": contents.begun_at, "documents": contents.documents})
    return contents


async def restore(
    path: Path, database: CatalogueDatabase, known: Sequence[str], *, replace: bool, progress: Progress = lambda _: None
) -> Contents:
    """Write the documents of a backup into a database, and return what it holds.

    The whole file is checked first: nothing is changed if it is damaged.

    Args:
        path: of the file.
        database: any catalogue of the database.
        known: the catalogues of the installation.
        replace: whether to remove first what the catalogues of the backup have now.
        progress: receives the number of documents written.

    Raises:
        BackupError: the file cannot be used, an import is under way, or there are products and `replace` is False.
        CatalogueUnavailable: the database is unavailable; run it again with `replace`.
    """
    contents = await asyncio.to_thread(check, path)
    missing = [name for name in contents.catalogues if name not in known]
    if missing:
        raise BackupError(f"{path} has the catalogues {', '.join(missing)}: CATALOGUES has to name them")
    catalogues = [database.of(name) for name in contents.catalogues]
    async with contextlib.AsyncExitStack() as stack:
        for catalogue in catalogues:
            await stack.enter_async_context(_alone(catalogue))
            if not replace and not await catalogue.dump.is_empty():
                raise BackupError(
                    f"the catalogue {catalogue.catalogue} of the database {catalogue.database_name} has products: "
                    "--replace removes them first"
                )
        for catalogue in catalogues:
            await catalogue.dump.clear()
        await _write(path, catalogues, progress)
    return contents


async def _write(path: Path, catalogues: Sequence[CatalogueDatabase], progress: Progress) -> None:
    dumps = {name: catalogue.dump for catalogue in catalogues for name in catalogue.dump.collections}
    documents, done, refused = read(path), 0, list[str]()
    while page := await asyncio.to_thread(lambda: list(islice(documents, PAGE))):
        by_collection: dict[str, list[RawBSONDocument]] = {}
        for name, document in page:
            by_collection.setdefault(name, []).append(document)
        for name, many in by_collection.items():
            if name not in dumps:
                raise BackupError(f"{path} has a collection {name!r}, which no catalogue of it has")
            refused += await dumps[name].write(name, many)
        done += len(page)
        progress(done)
    if refused:
        raise BackupError(f"{len(refused):,} of {done:,} documents could not be stored: {'; '.join(refused[:SHOWN])}")


@contextlib.asynccontextmanager
async def _alone(catalogue: CatalogueDatabase) -> AsyncIterator[None]:
    """Hold the catalogue's import lease: no import runs meanwhile.

    Raises:
        BackupError: an import is under way.
    """
    lease = ImportLease(catalogue.notes, "restore", "a restore", datetime.now(UTC).isoformat(timespec="seconds"))
    try:
        await lease.take(asyncio.Event())
    except ImportUnderWay as error:
        raise BackupError(str(error)) from None
    beats = asyncio.create_task(_keep(lease))
    try:
        yield
    finally:
        beats.cancel()
        await asyncio.wait([beats])
        await lease.drop()


async def _keep(lease: ImportLease) -> None:
    while True:
        await asyncio.sleep(BEAT_S)
        with contextlib.suppress(CatalogueUnavailable):  # the restore itself fails then
            await lease.renew()
