"""A feed in a temporary file: a compressed one, or an upload. Errors contain the name that the user knows."""

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from services.catalogue.sources.records.rows import RejectedRow, Source, SourceError, SourceRow
from services.catalogue.sources.records.wrapped_source import WrappedSource

GZIP_SUFFIX = ".gz"
GZIP_MAGIC = b"\x1f\x8b"  # RFC 1952, section 2.3.1
PIECE = 1 << 20


def is_gzip(path: Path) -> bool:
    """Return whether a file is compressed with gzip, recognised by its first two bytes.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from None


def unpacked_name(path: Path) -> str:
    """Return the name of a file without the suffix of gzip."""
    return path.stem if path.suffix.lower() == GZIP_SUFFIX else path.name


class RenamedSource(WrappedSource):
    """A source whose errors contain another name instead of its path."""

    def __init__(self, path: Path, name: str, opened: Callable[[Path], Source]) -> None:
        """Open the source.

        Args:
            path: the source's path.
            name: its name in errors.
            opened: opens the source at the path.

        Raises:
            SourceError: it cannot be read.
        """
        self._path = path
        self._name = name
        try:
            super().__init__(opened(path))
        except SourceError as error:
            raise self._renamed(error) from None

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every row.

        Raises:
            SourceError: the source cannot be read to its end.
        """
        try:
            yield from super().rows()
        except SourceError as error:
            raise self._renamed(error) from None

    def _renamed(self, error: SourceError) -> SourceError:
        return SourceError(str(error).replace(str(self._path), self._name))


class PackedSource(WrappedSource):
    """A feed compressed with gzip. It is decompressed to a temporary file, because readers seek and report progress.

    A truncated file yields its complete rows, then an error.
    """

    def __init__(self, path: Path, opened: Callable[[Path], Source]) -> None:
        """Decompress the feed and open it.

        Raises:
            SourceError: it is not a gzip file, the disk is full, or the feed cannot be read.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="lookalike-feed-"))
        try:
            decompressed = self._folder / unpacked_name(path)
            self._truncation = _decompress(path, decompressed)
            super().__init__(RenamedSource(decompressed, str(path), opened))
        except BaseException:
            self._remove()
            raise

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every row.

        Raises:
            SourceError: the feed cannot be read or decompressed to its end.
        """
        yield from super().rows()
        if self._truncation is not None:
            raise self._truncation

    def close(self) -> None:
        """Close the feed and remove the temporary file."""
        super().close()
        self._remove()

    def _remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _decompress(path: Path, to: Path) -> SourceError | None:
    """Decompress a file as far as possible; return the error of a truncated or damaged one."""
    try:
        with gzip.open(path) as packed, to.open("wb") as file:
            try:
                while piece := packed.read1(PIECE):  # `read` would lose data before the end of a truncated file
                    file.write(piece)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                if not file.tell():
                    raise SourceError(
                        f"{path} is not a gzip file, or nothing in it can be decompressed: {error}"
                    ) from None
                return SourceError(f"{path} cannot be read to its end: its gzip data is truncated or damaged")
    except OSError as error:
        raise SourceError(f"{path} cannot be decompressed: {error.strerror or error}") from None
    return None
