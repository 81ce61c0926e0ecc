"""A dry run: reads every row and decodes every local image, as an import does, without any service."""

from collections.abc import Callable

from services.catalogue.importing.description import Placer
from services.catalogue.importing.report import RejectedFile, Tally
from services.catalogue.sources.records.rows import (
    Loader,
    RejectedRow,
    Source,
    SourceImageError,
    SourceRow,
    notes_of,
    value_rows,
)
from services.contracts.domain.errors import LookalikeError
from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import prepare_image


def check(
    source: Source,
    placer: Placer,
    size: InputSize,
    rejected_file: RejectedFile,
    tally: Tally,
    limit: int | None = None,
    on_progress: Callable[[], None] = lambda: None,
) -> None:
    """Read a source to its end, or to `limit` products; count the products and write down the rejected rows.

    Images that are URLs are not fetched.

    Raises:
        SourceError: the source breaks off.
        RejectedFileError: rejected rows cannot be written down.
    """
    tally.add_notes(notes_of(source))
    for row in source.rows():
        if tally.checked == limit:
            break
        tally.read += 1
        if isinstance(row, SourceRow) and placer.place(row) is None:
            tally.count_left_out(row)
        elif (reason := _fault(row, size)) is not None:
            rejected_file.add(RejectedRow(row.line, row.key, reason))
            tally.rejected += 1
        else:
            for fault in _image_faults(row, size):
                rejected_file.add(fault)
                tally.images_rejected += 1
            tally.checked += 1
            if isinstance(row, SourceRow):
                tally.leave_out(row.left_out)
                for value in value_rows(row):
                    rejected_file.add(value)
                    tally.values_not_understood += 1
        if tally.read % 100 == 0:
            on_progress()
    tally.add_notes(notes_of(source))


def _fault(row: SourceRow | RejectedRow, size: InputSize) -> str | None:
    if isinstance(row, RejectedRow):
        return row.reason
    return None if isinstance(row.image, str) else _image_fault(row.image, size)


def _image_faults(row: SourceRow | RejectedRow, size: InputSize) -> list[RejectedRow]:
    """Return a rejected row for each additional image that cannot be used."""
    local = [] if isinstance(row, RejectedRow) else [image for image in row.images if image.load is not None]
    faults = ((image.name, image.load and _image_fault(image.load, size)) for image in local)
    return [RejectedRow(row.line, row.key, reason, name) for name, reason in faults if reason is not None]


def _image_fault(load: Loader, size: InputSize) -> str | None:
    try:
        prepare_image(load(), size)
    except SourceImageError as error:
        return str(error)
    except LookalikeError as error:
        return error.detail
    return None
