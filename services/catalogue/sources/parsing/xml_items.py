"""Reads the items of an RSS or Atom file as a stream; only the current item is in memory.

If an item is not well-formed, it is rejected and reading continues with the next one, after the same prologue: one
unescaped `&` must not cost a shop the rest of its feed.
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
OVERLAP = 128  # bytes at the end of a chunk that may hold the start of a tag
MAX_ITEM_CHARS = 1 << 20
MAX_DEPTH = 100
MAX_TOKEN_BYTES = 1 << 24  # a longer tag or comment has no end


@dataclass(slots=True)
class Node:
    """An element: its namespace and name, its text, its attribute `href` and its child elements."""

    namespace: str
    name: str
    href: str | None = None
    parts: list[str] = field(default_factory=list)
    children: list["Node"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The element's own text without surrounding whitespace."""
        return "".join(self.parts).strip()


@dataclass(slots=True)
class XmlItem:
    """An item and the line on which it begins. `fault` says why it is incomplete."""

    line: int
    node: Node
    fault: str | None = None


class _BadItem(Exception):
    """The item cannot be read to its end.

    `next_at`: the position after which the next item may begin, in the bytes fed to the parser. None: inside this item.
    """

    def __init__(self, reason: str, next_at: int | None = None) -> None:
        super().__init__(reason)
        self.next_at = next_at


class _Parse:
    """A parser of the prologue and the part of the file from an item on, and the target of its events."""

    def __init__(self, prologue: bytes = b"", at: int = 0, lines: int = 0) -> None:
        """Start at byte `at` of the file, after `lines` lines."""
        self.prologue = prologue
        self.at = at
        self.first_item: int | None = None
        self.complete: list[XmlItem] = []
        self.open: XmlItem | None = None
        self._line_shift = lines - prologue.count(b"\n")
        self._stack: list[Node] = []
        self._has_root = False
        self._depth = 0
        self._size = 0
        self._fed = 0
        self.item_at = 0
        self._parser = DefusedXMLParser(target=self)
        self._expat = self._parser.parser

    @property
    def line(self) -> int:
        """The parser's line in the file."""
        return int(self._expat.CurrentLineNumber) + self._line_shift

    @property
    def position(self) -> int:
        """The parser's position in the bytes fed to it."""
        return max(0, int(self._expat.CurrentByteIndex))

    def in_file(self, position: int) -> int:
        """Convert a position in the bytes fed to the parser into a position in the file."""
        return self.at + position - len(self.prologue)

    def feed(self, data: bytes) -> None:
        """Parse more data; complete items are added to `complete`."""
        self._parser.feed(data)
        self._fed += len(data)
        if self._fed - self.position > MAX_TOKEN_BYTES:
            raise _BadItem("a tag or comment has no end", None if self.open else self.position + 1)

    def finish(self) -> None:
        """End the document."""
        self._parser.close()

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Handle the start of an element."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise SourceError(f"its elements are nested more than {MAX_DEPTH} levels deep")
        namespace, _, name = tag.rpartition("}")
        node = Node(namespace.lstrip("{"), name, attributes.get("href"))
        if self._stack:
            self._inside(node)
        elif name in ITEMS and self._has_root:
            self._begin(node)
        elif not self._has_root and name not in ROOTS:
            raise SourceError(f"it is not an RSS or Atom feed: its first element is <{name}>")
        self._has_root = True

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
        """Handle text, or a part of it."""
        if self._stack:
            self._grow(len(text))
            self._stack[-1].parts.append(text)

    def end(self, tag: str) -> None:
        """Handle the end of an element."""
        self._depth -= 1
        if self._stack and len(self._stack) == 1 and self.open is not None:
            self.complete.append(self.open)
            self.open = None
        if self._stack:
            self._stack.pop()

    def close(self) -> None:
        """Handle the end of the document."""

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
        """Yield the items; an item with a fault has the elements before it.

        Raises:
            SourceError: it is not a feed, is truncated, cannot be read, or declares entities.
        """
        parse: _Parse | None = _Parse()
        try:
            while parse is not None:
                parse = yield from self._items(parse)
        except DefusedXmlException:
            raise SourceError(
                f"{self._path} declares entities, which are not accepted: no product feed needs them"
            ) from None
        except (LookupError, ValueError) as error:  # the parser's errors for an unknown encoding
            raise SourceError(f"{self._path} has an unsupported encoding ({error}): save it as UTF-8") from None
        except OSError as error:
            raise SourceError(f"{self._path} cannot be read after byte {self.position:,}: {error.strerror}") from None
        except SourceError as error:
            raise SourceError(f"{self._path} cannot be imported: {error}") from None

    def _items(self, parse: _Parse) -> Generator[XmlItem, None, _Parse | None]:
        """Yield items up to the end or the first fault; return the parser of the rest after a fault, or None."""
        self._file.seek(parse.at)
        self.position = parse.at
        ended = False
        try:
            parse.feed(parse.prologue)
            while data := self._file.read(CHUNK):
                self.position += len(data)
                parse.feed(data)
                yield from parse.complete
                parse.complete.clear()
            ended = True
            parse.finish()
        except (ParseError, _BadItem) as error:
            yield from parse.complete
            return (yield from self._after(parse, error, ended))
        yield from parse.complete
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
        next_item, lines = self._next_item(max(parse.in_file(position), parse.at + 1), lines)
        if next_item is None and ended:
            raise SourceError(f"it is truncated at line {line}") from None
        item = parse.open or XmlItem(line, Node("", ""))
        item.fault = f"not XML at line {line}: {_message(error)}"
        yield item
        return None if next_item is None else _Parse(self._prologue, next_item, lines)

    def _next_item(self, after: int, lines: int) -> tuple[int | None, int]:
        """Return the position of the next item and the number of lines before it; `lines` are before `after`."""
        self._file.seek(after)
        at, rest = after, b""
        while data := self._file.read(CHUNK):
            window = rest + data
            match = NEXT_ITEM.search(window)
            if match is not None:
                return at + match.start(), lines + window.count(b"\n", 0, match.start())
            searched = max(0, len(window) - OVERLAP)
            lines += window.count(b"\n", 0, searched)
            at, rest = at + searched, window[searched:]
        return None, lines


def _message(error: Exception) -> str:
    return str(error).split(": line ", 1)[0]
