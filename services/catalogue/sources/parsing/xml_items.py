"""The items of an RSS or Atom file, one at a time: nothing of the file is kept but the item that is being read.

Where the file is not well-formed, the item is given up and reading goes on with the next one, under the same prologue:
one unescaped `&` must not cost a shop the rest of its feed.
"""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from services.catalogue.sources.records.rows import SourceError

ROOTS = frozenset({"rss", "feed", "RDF", "channel"})
ITEMS = frozenset({"item", "entry"})
NEXT_ITEM = re.compile(rb"<(?:[\w.-]+:)?(?:item|entry)[\s/>]")
CHUNK = 1 << 16
OVERLAP = 128  # bytes of a chunk that may hold the beginning of a tag
MAX_ITEM_CHARS = 1 << 20
MAX_DEPTH = 100
MAX_TOKEN_BYTES = 1 << 24  # a tag or comment that goes on for longer has no end


@dataclass(slots=True)
class Node:
    """An element: its namespace and name, its text, its attribute `href`, and the elements in it."""

    namespace: str
    name: str
    href: str | None = None
    parts: list[str] = field(default_factory=list)
    children: list["Node"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its own text without the space around it."""
        return "".join(self.parts).strip()


@dataclass(slots=True)
class XmlItem:
    """An item and the line it begins on; `fault` says why it is not whole."""

    line: int
    node: Node
    fault: str | None = None


class _BadItem(Exception):
    """The item cannot be read to its end. `next_at`: where the next may begin, in bytes of what was fed, if not in it."""

    def __init__(self, reason: str, next_at: int | None = None) -> None:
        super().__init__(reason)
        self.next_at = next_at


class _Parse:
    """One parser over a prologue and the file from an item on; the target of the parser's events."""

    def __init__(self, prologue: bytes = b"", at: int = 0, lines: int = 0) -> None:
        """Begin at byte `at` of the file, which has `lines` lines before it."""
        self.prologue = prologue
        self.at = at
        self.first_item: int | None = None
        self.done: list[XmlItem] = []
        self.open: XmlItem | None = None
        self._line_shift = lines - prologue.count(b"\n")
        self._stack: list[Node] = []
        self._begun = False
        self._depth = 0
        self._size = 0
        self._fed = 0
        self.item_at = 0
        self._parser = DefusedXMLParser(target=self)
        self._expat = self._parser.parser

    @property
    def line(self) -> int:
        """The file's line that the parser is at."""
        return int(self._expat.CurrentLineNumber) + self._line_shift

    @property
    def position(self) -> int:
        """The byte that the parser is at, of all that was fed."""
        return max(0, int(self._expat.CurrentByteIndex))

    def in_file(self, position: int) -> int:
        """Return the byte of the file that a byte of what was fed is."""
        return self.at + position - len(self.prologue)

    def feed(self, data: bytes) -> None:
        """Read on; finished items are in `done`."""
        self._parser.feed(data)
        self._fed += len(data)
        if self._fed - self.position > MAX_TOKEN_BYTES:
            raise _BadItem("a tag or comment has no end", None if self.open else self.position + 1)

    def finish(self) -> None:
        """Say that there is no more."""
        self._parser.close()

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise SourceError(f"its elements are nested more than {MAX_DEPTH} deep")
        namespace, _, name = tag.rpartition("}")
        node = Node(namespace.lstrip("{"), name, attributes.get("href"))
        if self._stack:
            self._inside(node)
        elif name in ITEMS and self._begun:
            self._begin(node)
        elif not self._begun and name not in ROOTS:
            raise SourceError(f"it is no RSS or Atom feed: its first element is <{name}>")
        self._begun = True

    def _begin(self, node: Node) -> None:
        self.item_at = self.position
        self.first_item = self.item_at if self.first_item is None else self.first_item
        self.open = XmlItem(self.line, node)
        self._stack.append(node)
        self._size = 0

    def _inside(self, node: Node) -> None:
        if node.name in ITEMS and node.name == self._stack[0].name:
            raise _BadItem(f"<{node.name}> has no end before the next one", self.position)
        self._grow(64)
        self._stack[-1].children.append(node)
        self._stack.append(node)

    def data(self, text: str) -> None:
        """Text, or a piece of it."""
        if self._stack:
            self._grow(len(text))
            self._stack[-1].parts.append(text)

    def end(self, tag: str) -> None:
        """An element ends."""
        self._depth -= 1
        if self._stack and len(self._stack) == 1 and self.open is not None:
            self.done.append(self.open)
            self.open = None
        if self._stack:
            self._stack.pop()

    def close(self) -> None:
        """The document ends."""

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > MAX_ITEM_CHARS:
            raise _BadItem(f"it has more than {MAX_ITEM_CHARS:,} characters")


class XmlItems:
    """The items of an XML file."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            SourceError: it cannot be opened.
        """
        self._path = path
        try:
            self._file: BinaryIO = path.open("rb")
            self.size = path.stat().st_size
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}") from None
        self._prologue = b""
        self.position = 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __iter__(self) -> Iterator[XmlItem]:
        """Yield the items; one with a fault has what of it could be read.

        Raises:
            SourceError: it is no feed, breaks off, cannot be read any further, or declares entities.
        """
        parse: _Parse | None = _Parse()
        try:
            while parse is not None:
                parse = yield from self._items(parse)
        except DefusedXmlException:
            raise SourceError(f"{self._path} declares entities, which no product feed needs: it is refused") from None
        except (LookupError, ValueError) as error:  # what the parser makes of an encoding that it does not know
            raise SourceError(f"{self._path} is in an encoding that is not read ({error}): save it as UTF-8") from None
        except OSError as error:
            raise SourceError(f"{self._path} breaks off at byte {self.position:,}: {error.strerror}") from None
        except SourceError as error:
            raise SourceError(f"{self._path} cannot be imported: {error}") from None

    def _items(self, parse: _Parse) -> Generator[XmlItem, None, _Parse | None]:
        """Yield items up to the end, or to the first fault; return where to go on after it, or None."""
        self._file.seek(parse.at)
        self.position = parse.at
        ended = False
        try:
            parse.feed(parse.prologue)
            while data := self._file.read(CHUNK):
                self.position += len(data)
                parse.feed(data)
                yield from parse.done
                parse.done.clear()
            ended = True
            parse.finish()
        except (ParseError, _BadItem) as error:
            yield from parse.done
            return (yield from self._after(parse, error, ended))
        yield from parse.done
        return None

    def _after(self, parse: _Parse, error: Exception, ended: bool) -> Generator[XmlItem, None, _Parse | None]:
        if parse.first_item is None:
            raise SourceError(f"it is not XML: {error}") from None
        if not self._prologue:
            self._file.seek(0)
            self._prologue = self._file.read(parse.first_item)
        line = parse.line
        at = error.next_at if isinstance(error, _BadItem) else parse.position
        position, lines = at or 0, line - 1
        if parse.open is not None and (ended or at is None):
            position, lines = parse.item_at + 1, parse.open.line - 1
        found, lines = self._next_item(max(parse.in_file(position), parse.at + 1), lines)
        if found is None and ended:
            raise SourceError(f"it breaks off at line {line}") from None
        item = parse.open or XmlItem(line, Node("", ""))
        item.fault = f"not XML at line {line}: {_said(error)}"
        yield item
        return None if found is None else _Parse(self._prologue, found, lines)

    def _next_item(self, after: int, lines: int) -> tuple[int | None, int]:
        """Return where the next item begins and how many lines are before it; `lines` are before `after`."""
        self._file.seek(after)
        at, rest = after, b""
        while data := self._file.read(CHUNK):
            held = rest + data
            found = NEXT_ITEM.search(held)
            if found is not None:
                return at + found.start(), lines + held.count(b"\n", 0, found.start())
            done = max(0, len(held) - OVERLAP)
            lines += held.count(b"\n", 0, done)
            at, rest = at + done, held[done:]
        return None, lines


def _said(error: Exception) -> str:
    return str(error).split(": line ", 1)[0]
