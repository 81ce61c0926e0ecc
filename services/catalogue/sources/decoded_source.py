"""A feed that is not UTF-8, read from a temporary copy in UTF-8."""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from services.catalogue.sources.packed_source import RenamedSource
from services.catalogue.sources.parsing.encoding import Encoding, utf8_copy
from services.catalogue.sources.records.encodings import shown_name
from services.catalogue.sources.records.rows import RejectedRow, Source, SourceError, SourceRow, notes_of

NOT_UTF8 = re.compile(r"not UTF-8 at byte \d+ of the line")  # a position in the copy


class DecodedSource(RenamedSource):
    """A feed in another encoding than UTF-8. A row with bytes that the encoding does not have is rejected."""

    def __init__(self, path: Path, encoding: Encoding, opened: Callable[[Path], Source]) -> None:
        """Copy the feed and open the copy.

        Raises:
            SourceError: the disk is full, or the feed cannot be read.
        """
        self._encoding = encoding
        self._folder = Path(tempfile.mkdtemp(prefix="lookalike-feed-"))
        try:
            copy = self._folder / path.name
            _copy(path, encoding.codec, copy)
            super().__init__(copy, str(path), opened)
        except BaseException:
            self._remove()
            raise

    @property
    def notes(self) -> tuple[str, ...]:
        """The encoding, unless the user has named it, and the oddities of the feed."""
        own = () if self._encoding.note is None else (self._encoding.note,)
        return own + notes_of(self._source)

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every row.

        Raises:
            SourceError: the source cannot be read to its end.
        """
        reason = f"the line has bytes that are not {shown_name(self._encoding.codec)}"
        for row in super().rows():
            yield replace(row, reason=NOT_UTF8.sub(reason, row.reason)) if isinstance(row, RejectedRow) else row

    def close(self) -> None:
        """Close the feed and remove the copy."""
        super().close()
        self._remove()

    def _remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _copy(path: Path, codec: str, to: Path) -> None:
    try:
        with path.open("rb") as file, to.open("wb") as copy:
            utf8_copy(file, codec, copy)
    except OSError as error:
        raise SourceError(f"{path} cannot be decoded: {error.strerror or error}") from None
    except UnicodeError as error:
        raise SourceError(f"{path} cannot be decoded as {shown_name(codec)}: {error}") from None
