"""A dry run: every row is read and every local image decoded, as an import would; no service is asked for anything."""

from collections.abc import Callable

from services.catalogue.describing import Placer
from services.catalogue.import_report import RejectedFile, Tally
from services.catalogue.sources.rows import RejectedRow, Source, SourceImageError, SourceRow
from services.contracts.errors import LookalikeError
from services.contracts.imaging import prepare_image
from services.contracts.manifest import InputSize


def check(
    source: Source,
    placer: Placer,
    size: InputSize,
    rejected_file: RejectedFile,
    tally: Tally,
    limit: int | None = None,
    on_progress: Callable[[], None] = lambda: None,
) -> None:
    """Read a source to its end, or to `limit` products; count what an import would take and write down what not.

    Images that are URLs are not fetched.

    Raises:
        SourceError: the source breaks off.
        RejectedFileError: rejected rows cannot be written down.
    """
    for row in source.rows():
        if tally.checked == limit:
            return
        tally.read += 1
        if isinstance(row, SourceRow) and placer.place(row) is None:
            tally.outside += 1
        elif (reason := _fault(row, size)) is not None:
            rejected_file.add(RejectedRow(row.line, row.key, reason))
            tally.rejected += 1
        else:
            tally.checked += 1
            tally.left_out.update(row.left_out if isinstance(row, SourceRow) else ())
        if tally.read % 100 == 0:
            on_progress()


def _fault(row: SourceRow | RejectedRow, size: InputSize) -> str | None:
    if isinstance(row, RejectedRow):
        return row.reason
    if isinstance(row.image, str):
        return None
    try:
        prepare_image(row.image(), size)
    except SourceImageError as error:
        return str(error)
    except LookalikeError as error:
        return error.detail
    return None
