"""Reads the objects of a JSON document as a stream: those of one list, for example `{"products": [{…}, {…}]}`.

It only separates the objects, so that one malformed object does not end the feed (docs/adr/0020).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import orjson

from services.catalogue.sources.records.rows import SourceError

CHUNK = 1 << 16
MAX_ITEM_BYTES = 1 << 22
MAX_DEPTH = 1000
# Matches up to the next bracket, past complete strings, or up to the quote of a string that the chunk does not end.
# A lookahead with a back-reference never backtracks, as a possessive quantifier, which is faulty before Python 3.11.5.
STRUCTURE = re.compile(rb'(?=((?:[^"{}\[\]]+|"[^"\\]*(?:\\.[^"\\]*)*")*))\1(["{}\[\]])', re.DOTALL)
NAME = re.compile(rb'("(?:[^"\\]|\\.)*")\s*:\s*\Z')
IN_TEXT = re.compile(rb'([^"\\]*)(["\\])')
SEPARATORS = b" \t\r\n,\x1e\xef\xbb\xbf"  # between entries, RFC 7464's and a byte order mark among them
MAX_GAP_BYTES = 1 << 16
NAME_BEFORE = 256  # bytes before a bracket that are searched for the list's name


class JsonItems:
    """Yields the bytes of each object without parsing them. A file may hold several documents, one after the other.

    Entries of the list that are not objects are yielded, too: they do not begin with a brace. Instead of a list there
    may be a map, an object with an object under each name; its other entries are left out.

    Attributes:
        key: the name of the object that was yielded last, in a map.
    """

    def __init__(self, path: Path, names: tuple[str, ...] | None, *, is_map: bool = False) -> None:
        """Open the file.

        Args:
            path: the file.
            names: the names that lead to the list, for example `("data", "products")`. It is empty if the file is a
                list, and None if the objects follow each other without a list.
            is_map: whether they lead to a map.

        Raises:
            SourceError: it cannot be opened.
        """
        self._path = path
        try:
            self._file: BinaryIO = path.open("rb")
            self.size = path.stat().st_size
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}") from None
        self._name = names[-1] if names else ""
        self._list_name = re.compile(rb'"' + re.escape(self._name.encode()) + rb'"\s*:\s*\Z')
        self._list_depth = 0 if names is None else len(names) + 1
        self._is_map = is_map
        self._bracket = b"{" if is_map else b"["
        self.key: str | None = None
        self.position = 0
        self._stack: list[bytes] = []
        self._in_list = False
        self._found_list = names is None
        self._in_text = False
        self._skip = 0
        self._item: bytearray | None = None
        self._before = b""
        self._gap = bytearray()  # the bytes between two objects of the list
        self._in_gap = names is None
        self._begin = self._gap_begin = 0  # of the object or the gap, in the present chunk

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Yield the line on which each entry begins, and its bytes.

        Raises:
            SourceError: there is no such list, the document is truncated, or the file cannot be read.
        """
        line = item_line = 1
        try:
            while chunk := self._file.read(CHUNK):
                self.position += len(chunk)
                counted = 0
                for at, item in self._scan(chunk):
                    line, counted = line + chunk.count(b"\n", counted, at), at
                    if item is None:
                        item_line = line
                    elif item.startswith(b"{"):
                        yield item_line, item
                    else:
                        yield from _other_entries(line, item)
                line += chunk.count(b"\n", counted)
            if not self._is_map:
                yield from _other_entries(line, bytes(self._gap))
        except OSError as error:
            raise SourceError(f"{self._path} cannot be read after line {line}: {error.strerror}") from None
        if not self._found_list:
            raise SourceError(f"{self._path} has no list" + (f' "{self._name}"' if self._name else ""))
        if self._stack:
            raise SourceError(f"{self._path} cannot be read to its end: it is truncated at line {line}")

    def _scan(self, chunk: bytes) -> Iterator[tuple[int, bytes | None]]:
        """Yield the position where an object begins, with None, and where it ends, with its bytes.

        The bytes between two objects, and before the end of the list, are yielded before these.
        """
        at, self._begin, self._gap_begin = self._skip, 0, 0
        while (match := (IN_TEXT if self._in_text else STRUCTURE).match(chunk, at)) is not None:
            token, at = match[2], match.end()
            if token == b'"':
                self._in_text = not self._in_text
            elif token == b"\\":
                at += 1
            else:
                yield from (self._open if token in b"{[" else self._close)(token, chunk, at)
        self._skip = max(0, at - len(chunk))
        self._before = (self._before + chunk)[-NAME_BEFORE:]
        if self._in_gap:
            self._gap = (self._gap + chunk[self._gap_begin :])[:MAX_GAP_BYTES]
        if self._item is not None:
            self._item += chunk[self._begin :]
            if len(self._item) > MAX_ITEM_BYTES:
                raise SourceError(f"{self._path}: an object in it has more than {MAX_ITEM_BYTES:,} bytes")

    def _open(self, token: bytes, chunk: bytes, at: int) -> Iterator[tuple[int, bytes | None]]:
        """Enter the level of a bracket that ends at byte `at` of a chunk."""
        if self._opens(token, chunk, at - 1):
            yield from self._end_gap(chunk, at - 1)
            self._item, self._begin = bytearray(), at - 1
            yield self._begin, None
        elif self._in_list and len(self._stack) == self._list_depth:
            self._in_gap, self._gap_begin = True, at

    def _close(self, token: bytes, chunk: bytes, at: int) -> Iterator[tuple[int, bytes | None]]:
        """Leave the level of a bracket that ends at byte `at` of a chunk."""
        if self._closes() and self._item is not None:
            yield at, bytes(self._item) + chunk[self._begin : at]
            self._item, self._in_gap, self._gap_begin = None, True, at
        elif self._in_gap and len(self._stack) < self._list_depth:
            yield from self._end_gap(chunk, at - 1)

    def _end_gap(self, chunk: bytes, at: int) -> Iterator[tuple[int, bytes]]:
        data = bytes(self._gap) + chunk[self._gap_begin : at]
        self._in_gap = False
        self._gap.clear()
        if self._is_map:
            self.key = _last_name(data)
        elif data.strip(SEPARATORS):
            yield at, data[:MAX_GAP_BYTES]

    def _opens(self, token: bytes, chunk: bytes, at: int) -> bool:
        """Enter a level at byte `at` of a chunk; return whether an object of the list begins there."""
        self._stack.append(token)
        depth = len(self._stack)
        if depth > MAX_DEPTH:
            raise SourceError(f"{self._path} cannot be read: it is nested more than {MAX_DEPTH} levels deep")
        if depth == self._list_depth and token == self._bracket:
            before = self._before + chunk[max(0, at - NAME_BEFORE) : at]
            is_named = self._list_name.search(before[-NAME_BEFORE:]) is not None
            self._in_list = is_named and b"[" not in self._stack[:-1] if depth > 1 else True
            self._found_list = self._found_list or self._in_list
        return token == b"{" and depth == self._list_depth + 1 and (self._in_list or depth == 1)

    def _closes(self) -> bool:
        """Leave a level; return whether an object of the list ends there."""
        if self._stack:
            self._stack.pop()
        if len(self._stack) < self._list_depth:
            self._in_list = False
        return len(self._stack) == self._list_depth


def _last_name(data: bytes) -> str | None:
    """Return the name at the end of the bytes before an object."""
    match = NAME.search(data)
    try:
        return None if match is None else str(orjson.loads(match[1]))
    except orjson.JSONDecodeError:
        return None


def _other_entries(line: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the entries in the bytes between two objects, and the line on which the first begins.

    Args:
        line: the line of the end of the bytes.
        data: the bytes.
    """
    text = data.lstrip(SEPARATORS)
    first_line = line - text.count(b"\n")
    text = text.rstrip(SEPARATORS)
    if not text:
        return
    try:
        entries = [orjson.dumps(entry) for entry in orjson.loads(b"[" + text + b"]")]
    except orjson.JSONDecodeError:
        entries = [text]
    for entry in entries:
        yield first_line, entry
