"""A feed in a file of ours: one that came packed, or over HTTP. What is said of it names what people know it by."""

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from services.catalogue.sources.records.rows import RejectedRow, Source, SourceError, SourceRow

GZIP_SUFFIX = ".gz"
PIECE = 1 << 20


class RenamedSource:
    """The source at a path, under another name."""

    def __init__(self, path: Path, name: str, opened: Callable[[Path], Source]) -> None:
        """Open it.

        Args:
            path: where it lies.
            name: what it is called in what goes wrong.
            opened: makes the source of the path.

        Raises:
            SourceError: it cannot be read.
        """
        self._path = path
        self._name = name
        try:
            self._source = opened(path)
        except SourceError as error:
            raise self._named(error) from None

    @property
    def kind(self) -> str:
        """What it is, for people."""
        return self._source.kind

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every row.

        Raises:
            SourceError: the source breaks off.
        """
        try:
            yield from self._source.rows()
        except SourceError as error:
            raise self._named(error) from None

    def progress(self) -> tuple[int, int]:
        """Return the bytes read and the bytes there are."""
        return self._source.progress()

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def _named(self, error: SourceError) -> SourceError:
        return SourceError(str(error).replace(str(self._path), self._name))


class PackedSource:
    """A gzip of a feed. It is unpacked into a temporary file first: readers go back in it, and tell how far they are.

    One that is cut short gives what it has, and then fails.
    """

    def __init__(self, path: Path, opened: Callable[[Path], Source]) -> None:
        """Unpack it.

        Raises:
            SourceError: it is no gzip, there is no room for what is in it, or that cannot be read.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="lookalike-feed-"))
        try:
            unpacked = self._folder / path.stem
            self._cut = _unpack(path, unpacked)
            self._source = RenamedSource(unpacked, str(path), opened)
        except BaseException:
            self._remove()
            raise

    @property
    def kind(self) -> str:
        """What it is, for people."""
        return self._source.kind

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every row.

        Raises:
            SourceError: the feed, or its packing, breaks off.
        """
        yield from self._source.rows()
        if self._cut is not None:
            raise self._cut

    def progress(self) -> tuple[int, int]:
        """Return the bytes read and the bytes there are, unpacked."""
        return self._source.progress()

    def close(self) -> None:
        """Remove what was unpacked."""
        self._source.close()
        self._remove()

    def _remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _unpack(path: Path, to: Path) -> SourceError | None:
    """Unpack a file as far as it goes; return what is wrong with the rest."""
    try:
        with gzip.open(path) as packed, to.open("wb") as file:
            try:
                while piece := packed.read1(PIECE):  # `read` would lose what it has when the file breaks off
                    file.write(piece)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                if not file.tell():
                    raise SourceError(
                        f"{path} is no gzip, or has nothing in it that can be unpacked: {error}"
                    ) from None
                return SourceError(f"{path} cannot be imported any further: its gzip is cut short or damaged")
    except OSError as error:
        raise SourceError(f"{path} cannot be unpacked: {error.strerror or error}") from None
    return None
