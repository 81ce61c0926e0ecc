"""Reads the items of an XML feed as a stream; only the current item is in memory.

If an item is not well-formed, it is rejected and reading continues with the next one, after the same prologue: one
unescaped `&` must not cost a shop the rest of its feed. Namespaces are resolved here and not by the parser, so that a
prefix without a declaration is not an error.
"""

import html
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from services.catalogue.sources.parsing.xml_document import LONG_HEAD, ROOTS, TAG, XmlDocument
from services.catalogue.sources.parsing.xml_nodes import WELL_KNOWN, Categories, Node, node_of, scope
from services.catalogue.sources.records.rows import SourceError

ITEMS = frozenset({"item", "entry", "product", "shopitem", "offer", "article", "listing"})
CATEGORY = "category"
CHUNK = 1 << 16
OVERLAP = 128  # bytes at the end of a chunk that may hold the start of a tag
MAX_ITEM_CHARS = 1 << 20
MAX_DEPTH = 100
MAX_TOKEN_BYTES = 1 << 24  # a longer tag or comment has no end
MAX_SALVAGED_BYTES = 1 << 16
NOTED_BYTES, MAX_NOTED = 1024, 120  # of the text after the end of a document
UNDEFINED_ENTITY = expat.errors.codes[expat.errors.XML_ERROR_UNDEFINED_ENTITY]
# A complete element without child elements, in the part of an item that the parser cannot read.
LEAF = re.compile(r"<((?:[\w.-]+:)?[\w.-]+)>\s*(?:<!\[CDATA\[([^<>]{0,1024}?)\]\]>\s*|([^<>]{0,1024}))</\1>")


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
    """A parser of the prologue and the part of the file from an item on, and the handler of its events."""

    def __init__(
        self, prologue: bytes, at: int, lines: int, categories: Categories, item_tag: str | None = None
    ) -> None:
        """Start at byte `at` of the document, after `lines` lines; `item_tag`: the tag of its items, if it is known."""
        self.prologue = prologue
        self._categories = categories
        self._category: Node | None = None  # that is open, outside of items
        self.at = at
        self.item_tag = item_tag
        self.first_item: int | None = None
        self.complete: list[XmlItem] = []
        self.open: XmlItem | None = None
        self.root: str | None = None
        self._line_shift = lines - prologue.count(b"\n")
        self._stack: list[Node] = []
        self._scopes: list[dict[str, str]] = [{}]
        self._size: int  # of the open item
        self._fed = 0
        self.item_at = 0
        self.is_closed = False  # after the end of the first element
        self._expat = expat.ParserCreate("utf-8")
        self._expat.buffer_text = True
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self._expat.CharacterDataHandler = self._data

    @property
    def line(self) -> int:
        """The parser's line in the file."""
        return int(self._expat.CurrentLineNumber) + self._line_shift

    @property
    def position(self) -> int:
        """The parser's position in the bytes fed to it."""
        return max(0, int(self._expat.CurrentByteIndex))

    def in_document(self, position: int) -> int:
        """Convert a position in the bytes fed to the parser into a position in the document."""
        return self.at + position - len(self.prologue)

    def feed(self, data: bytes) -> None:
        """Parse more data; complete items are added to `complete`."""
        self._expat.Parse(data, False)
        self._fed += len(data)
        if self._fed - self.position > MAX_TOKEN_BYTES:
            raise _BadItem("a tag or comment has no end", None if self.open else self.position + 1)

    def finish(self) -> None:
        """End the document."""
        self._expat.Parse(b"", True)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._scopes) > MAX_DEPTH:
            raise SourceError(f"its elements are nested more than {MAX_DEPTH} levels deep")
        self._scopes.append(scope(self._scopes[-1], attributes))
        node = node_of(tag, attributes, self._scopes[-1])
        if self._stack:
            self._inside(node)
        elif self.root is None:
            self.root = node.name
            if node.name.lower() == "html":
                raise SourceError(f"it is not an RSS or Atom feed: its first element is <{node.name}>")
        elif tag == self.item_tag or (self.item_tag is None and node.name.lower() in ITEMS):
            self.item_tag = tag
            self._begin(node)
        elif node.name.lower() == CATEGORY:
            self._category = node

    def _begin(self, node: Node) -> None:
        self.item_at = self.position
        self.first_item = self.item_at if self.first_item is None else self.first_item
        self.open = XmlItem(self.line, node)
        self._stack.append(node)
        self._size = 0
        node.children.extend(Node("", name, parts=[value]) for name, value in node.attributes.items() if value)

    def _inside(self, node: Node) -> None:
        if node.name.lower() in ITEMS and node.name == self._stack[0].name:
            raise _BadItem(f"<{node.name}> has no end before the next one", self.position)
        self._grow(64)
        self._stack[-1].children.append(node)
        self._stack.append(node)

    def _data(self, text: str) -> None:
        if self._stack:
            self._grow(len(text))
            self._stack[-1].parts.append(text)
        elif self._category is not None:
            self._category.parts.append(text)

    def _end(self, tag: str) -> None:
        self._scopes.pop()
        self.is_closed = len(self._scopes) == 1
        if len(self._stack) == 1 and self.open is not None:
            self.complete.append(self.open)
            self.open = None
        if self._stack:
            self._stack.pop()
        elif self._category is not None:
            self._categories.add(self._category)
            self._category = None

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > MAX_ITEM_CHARS:
            raise _BadItem(f"it has more than {MAX_ITEM_CHARS:,} characters")


class XmlItems:
    """The items of an XML file.

    Attributes:
        categories: those that the document lists before its items.
    """

    def __init__(self, path: Path, encoding: str | None = None) -> None:
        """Open the file; `encoding` takes precedence over the encoding that the file declares.

        Raises:
            SourceError: it cannot be opened, declares entities, or has an encoding that is not supported.
        """
        self._path = path
        self._document = XmlDocument(path, encoding)
        self.categories = Categories()
        self._before_items: bytes | None = None
        self._after_end: str | None = None
        self.position = 0

    @property
    def size(self) -> int:
        """The size of the document in bytes."""
        return self._document.size

    @property
    def notes(self) -> tuple[str, ...]:
        """The oddities of the document that did no harm, as sentences for the summary; some are known at its end."""
        return self._document.notes if self._after_end is None else (*self._document.notes, self._after_end)

    def close(self) -> None:
        """Close the file."""
        self._document.close()

    def __iter__(self) -> Iterator[XmlItem]:
        """Yield the items; an item with a fault has the elements that can be read.

        Raises:
            SourceError: it is not a feed, is truncated, or cannot be read.
        """
        document = self._document
        parse: _Parse | None = _Parse(document.head, document.start, document.lines, self.categories)
        try:
            while parse is not None:
                parse = yield from self._items(parse)
        except OSError as error:
            raise SourceError(f"{self._path} cannot be read after byte {self.position:,}: {error.strerror}") from None
        except SourceError as error:
            raise SourceError(f"{self._path} cannot be imported: {error}") from None

    def _items(self, parse: _Parse) -> Generator[XmlItem, None, _Parse | None]:
        """Yield items up to the end or the first fault; return the parser of the rest after a fault, or None."""
        file = self._document.file
        file.seek(parse.at)
        self.position = parse.at
        ended = False
        try:
            parse.feed(parse.prologue)
            while data := file.read(CHUNK):
                self.position += len(data)
                parse.feed(data)
                yield from parse.complete
                parse.complete.clear()
            ended = True
            parse.finish()
        except (expat.ExpatError, _BadItem) as error:
            yield from parse.complete
            return (yield from self._after(parse, error, ended))
        yield from parse.complete
        if parse.first_item is None and (parse.root or "").lower() not in ROOTS:
            raise SourceError(
                f"it is not an RSS or Atom feed: its first element is <{parse.root}>, and it has no element "
                + ", ".join(f"<{name}>" for name in sorted(ITEMS))
            )
        return None

    def _after(self, parse: _Parse, error: Exception, ended: bool) -> Generator[XmlItem, None, _Parse | None]:
        if self._before_items is None and parse.first_item is not None:
            self._document.file.seek(parse.at)
            self._before_items = self._document.file.read(parse.in_document(parse.first_item) - parse.at)
        if getattr(error, "code", None) == UNDEFINED_ENTITY and self._document.head is not LONG_HEAD:
            self._document.head = LONG_HEAD
            return self._again(parse)
        if parse.first_item is None or parse.item_tag is None:
            raise SourceError(f"it is not XML: {_message(error)} at line {parse.line}") from None
        line = parse.line
        at = error.next_at if isinstance(error, _BadItem) else parse.position
        position, lines = at or 0, line - 1
        if parse.open is not None and (ended or at is None):
            position, lines = parse.item_at + 1, parse.open.line - 1
        after = max(parse.in_document(position), parse.at + 1)
        next_item, lines = self._next_item(parse.item_tag, after, lines)
        if next_item is None and ended and not parse.is_closed:
            raise SourceError(f"it is truncated at line {line}") from None
        if parse.is_closed:
            self._note_after_end(parse.in_document(parse.position))
            return None if next_item is None else self._parse(next_item, lines, parse.item_tag)
        item = parse.open or XmlItem(line, Node("", ""))
        item.fault = f"not XML at line {line}: {_message(error)}"
        if parse.open is not None:
            self._salvage(item.node, after, next_item)
        yield item
        return None if next_item is None else self._parse(next_item, lines, parse.item_tag)

    def _note_after_end(self, position: int) -> None:
        """Note the text after the end of the document: it belongs to no item."""
        self._document.file.seek(position)
        text = " ".join(TAG.sub(b" ", self._document.file.read(NOTED_BYTES)).decode("utf-8", "replace").split())
        shown = "".join(character for character in text if character.isprintable())[:MAX_NOTED]
        self._after_end = self._after_end or f'text after the end of the document was ignored: "{shown}"'

    def _again(self, parse: _Parse) -> _Parse:
        """Return a parser that begins with the item of an error, between items with its place, or with the document."""
        if parse.first_item is None and self._before_items is None:
            return self._parse(self._document.start, self._document.lines, None)
        if parse.open is not None:
            return self._parse(parse.in_document(parse.item_at), parse.open.line - 1, parse.item_tag)
        return self._parse(parse.in_document(parse.position), parse.line - 1, parse.item_tag)

    def _parse(self, at: int, lines: int, item_tag: str | None) -> _Parse:
        return _Parse(self._document.head + (self._before_items or b""), at, lines, self.categories, item_tag)

    def _next_item(self, tag: str, after: int, lines: int) -> tuple[int | None, int]:
        """Return the position of the next item and the number of lines before it; `lines` are before `after`."""
        pattern = re.compile(rb"<" + re.escape(tag.encode()) + rb"[\s/>]")
        self._document.file.seek(after)
        at, rest = after, b""
        while data := self._document.file.read(CHUNK):
            window = rest + data
            match = pattern.search(window)
            if match is not None:
                return at + match.start(), lines + window.count(b"\n", 0, match.start())
            searched = max(0, len(window) - OVERLAP)
            lines += window.count(b"\n", 0, searched)
            at, rest = at + searched, window[searched:]
        return None, lines

    def _salvage(self, node: Node, after: int, end: int | None) -> None:
        """Add the simple elements between a fault and the next item, so that the rejected row can name its id."""
        size = MAX_SALVAGED_BYTES if end is None else min(MAX_SALVAGED_BYTES, end - after)
        self._document.file.seek(after)
        text = self._document.file.read(max(0, size)).decode("utf-8", "replace")
        for tag, cdata, plain in LEAF.findall(text):
            value = cdata or html.unescape(plain)
            if "\ufffd" not in value:
                node.children.append(node_of(tag, {}, WELL_KNOWN))
                node.children[-1].parts.append(value)


def _message(error: Exception) -> str:
    return str(error).split(": line ", 1)[0]
