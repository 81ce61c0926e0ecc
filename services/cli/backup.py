"""`lookalike backup` and `restore`: the catalogues of an installation in one file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.catalogues import installed
from services.cli.dataclass_command import with_options
from services.cli.options import Database, Json
from services.cli.output import fail, print_json, print_line, sentence
from services.cli.progress import ProgressBar

if TYPE_CHECKING:
    from services.catalogue.backup.backup_file import Contents

SUFFIX = ".backup"


@with_options
def backup(
    target: Annotated[Path, typer.Argument(help="The file to write, or a folder in which to write one.")],
    database: Database,
    keep: Annotated[
        int | None, typer.Option(min=1, help="Remove all but the latest backups of the folder.", show_default="all")
    ] = None,
    json: Json = False,
) -> None:
    """Write products, pictures, notes and keys of all catalogues into a file, while the installation works.

    Every change that was acknowledged before the start is in the file.
    Exit status: 0 the backup is complete; 1 it could not be written; 2 the arguments are not valid.
    """
    import asyncio
    from datetime import UTC, datetime

    from services.catalogue.backup.backup import back_up
    from services.catalogue.backup.backup_file import BackupError
    from services.catalogue.store.database import CatalogueDatabase
    from services.contracts.domain.errors import LookalikeError

    folder = target if target.is_dir() else None
    if keep is not None and folder is None:
        fail(f"--keep needs a folder, and {target} is none", 2)
    path = target if folder is None else folder / f"lookalike-{datetime.now(UTC):%Y%m%d-%H%M%S}{SUFFIX}"

    async def run() -> "Contents":
        with ProgressBar("backing up") as bar:
            async with CatalogueDatabase(database.mongo_url, database.mongo_database) as store:
                catalogues = [store.of(name) for name in installed()]
                return await back_up(path, catalogues, lambda done: bar.show(f"{done:,} documents", done, None))

    try:
        contents = asyncio.run(run())
    except (BackupError, LookalikeError) as error:
        fail(sentence(error))
    removed = [] if folder is None or keep is None else _remove_old(folder, path, keep)
    _print(path, contents, "written", removed, json=json)


@with_options
def restore(
    source: Annotated[Path, typer.Argument(help="The file that `lookalike backup` wrote.")],
    database: Database,
    replace: Annotated[
        bool, typer.Option("--replace", help="First remove what the catalogues of the backup have now.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only check the file.")] = False,
    json: Json = False,
) -> None:
    """Write a backup into the database. The file is checked first; nothing changes if it is damaged.

    Exit status: 0 everything is restored; 1 the file or the database cannot be used.
    """
    import asyncio

    from services.catalogue.backup import backup as backups
    from services.catalogue.backup.backup_file import BackupError
    from services.catalogue.backup.backup_file import check as check_file
    from services.catalogue.store.database import CatalogueDatabase
    from services.contracts.domain.errors import LookalikeError

    async def run() -> "Contents":
        with ProgressBar("restoring") as bar:
            async with CatalogueDatabase(database.mongo_url, database.mongo_database) as store:
                return await backups.restore(
                    source,
                    store,
                    installed(),
                    replace=replace,
                    progress=lambda done: bar.show(f"{done:,} documents", done, None),
                )

    try:
        contents = check_file(source) if check else asyncio.run(run())
    except (BackupError, LookalikeError) as error:
        fail(sentence(error))
    _print(source, contents, "complete" if check else "restored", [], json=json)


def _remove_old(folder: Path, written: Path, keep: int) -> list[str]:
    """Remove all but the latest backups of a folder. Their names are in the order of time.

    A name later than that of the one written now comes from a clock that was wrong: it counts as the oldest.
    """
    backups = folder.glob(f"lookalike-*{SUFFIX}")
    old = sorted(backups, key=lambda path: (path.name <= written.name, path.name))[:-keep]
    for path in old:
        path.unlink()
    return [path.name for path in old]


def _print(path: Path, contents: "Contents", done: str, removed: list[str], *, json: bool) -> None:
    if json:
        print_json({"file": str(path), **contents.header(), "documents": contents.documents, "removed": removed})
        return
    counts = ", ".join(f"{name} {count:,}" for name, count in sorted(contents.documents.items())) or "no documents"
    print_line(f"{done}: {path}: {counts}; begun at {contents.begun_at}")
    if removed:
        print_line(f"removed: {', '.join(removed)}")
