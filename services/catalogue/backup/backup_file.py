"""The file of a backup.

It is compressed with gzip, and holds BSON documents one after the other: a header, each stored document with the name
of its collection, and an end with the number of documents and the SHA-256 of all bytes before it. docs/backup.md
describes it.
"""

import gzip
import hashlib
import os
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import bson
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

FORMAT = "lookalike-backup"
VERSION = 1
LEVEL = 1  # of compression: most bytes are of pictures, which are compressed already
MAX_DOCUMENT_BYTES = 17 * 1024 * 1024  # MongoDB's 16 MB, and the name of the collection
PARTIAL = ".partial"
FIELDS = {"version", "lookalike", "begun_at", "database", "catalogues"}  # of the header


class BackupError(Exception):
    """A backup cannot be written or read. The text says which file, why, and what to do."""


@dataclass
class Contents:
    """What a backup holds.

    Attributes:
        begun_at: when it began, in ISO 8601; everything acknowledged by then is in it.
        database: the database's name.
        catalogues: the catalogues' names.
        lookalike: the version that wrote it.
        documents: the number of documents of each collection.
    """

    begun_at: str
    database: str
    catalogues: tuple[str, ...]
    lookalike: str
    documents: Counter[str] = field(default_factory=Counter)

    def header(self) -> dict[str, Any]:
        """Return the first document of the file."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "lookalike": self.lookalike,
            "begun_at": self.begun_at,
            "database": self.database,
            "catalogues": list(self.catalogues),
        }


class BackupWriter:
    """Writes documents into an open file, and counts them."""

    def __init__(self, stream: BufferedIOBase, contents: Contents) -> None:
        """Write the header."""
        self.contents = contents
        self._stream = stream
        self._digest = hashlib.sha256()
        self._put(bson.encode(contents.header()))

    def add(self, collection: str, document: RawBSONDocument) -> None:
        """Write a document of a collection."""
        self._put(bson.encode({"c": collection, "d": document}))
        self.contents.documents[collection] += 1

    def add_all(self, documents: Mapping[str, Sequence[RawBSONDocument]]) -> None:
        """Write documents by collection."""
        for collection, many in documents.items():
            for document in many:
                self.add(collection, document)

    def end(self) -> None:
        """Write the end."""
        self._stream.write(bson.encode({"end": {"documents": dict(self.contents.documents), "sha256": self._sum}}))

    @property
    def _sum(self) -> str:
        return self._digest.hexdigest()

    def _put(self, data: bytes) -> None:
        self._digest.update(data)
        self._stream.write(data)


@contextmanager
def writing(path: Path, contents: Contents) -> Iterator[BackupWriter]:
    """Write a backup. The file appears under its name when it is complete; an earlier file of the name is an error.

    Only its owner may read it: it has the hashes of keys.

    Raises:
        BackupError: the file exists, or it cannot be written.
    """
    if path.exists():
        raise BackupError(f"{path} exists: name another file, or a folder")
    partial = path.with_name(path.name + PARTIAL)
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            with gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=file, mtime=0) as stream:
                writer = BackupWriter(stream, contents)
                yield writer
                writer.end()
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror}; earlier backups are as they were") from None
    finally:
        partial.unlink(missing_ok=True)


def read(path: Path, contents: Contents | None = None) -> Iterator[tuple[str, RawBSONDocument]]:
    """Yield each document of a backup with the name of its collection.

    Args:
        path: the file.
        contents: as `check` returned them; default: they are read.

    Raises:
        BackupError: the file is no backup, of a later version, cut or damaged; earlier documents were yielded.
    """
    digest, count = hashlib.sha256(), 0
    try:
        with gzip.open(path, "rb") as stream:
            digest.update(_read_header(path, stream).raw)
            while True:
                document = _document(stream)
                if "end" in document:
                    break
                digest.update(document.raw)
                count += 1
                yield document["c"], document["d"]
            end = document["end"]
            if end["sha256"] != digest.hexdigest() or sum(end["documents"].values()) != count or stream.read(1):
                raise BackupError(f"{path} is damaged: its checksum is another one; use another backup")
    except (EOFError, zlib.error, BSONError, KeyError, gzip.BadGzipFile) as error:
        raise BackupError(f"{path} is cut or damaged after {count:,} documents ({error}); use another backup") from None
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}") from None


def check(path: Path) -> Contents:
    """Read a whole backup, and return what it holds. Raises as `read`."""
    contents = contents_of(path)
    for collection, _ in read(path):
        contents.documents[collection] += 1
    return contents


def contents_of(path: Path) -> Contents:
    """Return what the header of a backup says. Raises as `read`."""
    try:
        with gzip.open(path, "rb") as stream:
            header = _read_header(path, stream)
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}") from None
    return Contents(header["begun_at"], header["database"], tuple(header["catalogues"]), header["lookalike"])


def _read_header(path: Path, stream: BufferedIOBase) -> RawBSONDocument:
    try:
        header = _document(stream)
        is_backup = header.get("format") == FORMAT and header.keys() >= FIELDS
    except (EOFError, zlib.error, BSONError, gzip.BadGzipFile):
        is_backup = False
    if not is_backup:
        raise BackupError(f"{path} is not a backup of Lookalike: `lookalike backup` writes them")
    if header["version"] > VERSION:
        raise BackupError(
            f"{path} was written by Lookalike {header['lookalike']} in format {header['version']}, and this is format "
            f"{VERSION}: restore it with that version or a later one"
        )
    return header


def _document(stream: BufferedIOBase) -> RawBSONDocument:
    """Return the next document of a stream."""
    size = stream.read(4)
    length = int.from_bytes(size, "little")
    if len(size) < 4:
        raise EOFError("the file ends early")
    if not 5 <= length <= MAX_DOCUMENT_BYTES:
        raise BSONError(f"a document has {length:,} bytes")
    data = size + stream.read(length - 4)
    if len(data) < length:
        raise EOFError("the file ends early")
    return RawBSONDocument(data)
