"""The XML document in a file: its encoding, and where its first element begins.

Feeds are written by templates and plugins. A line end or a PHP notice before the declaration, a wrong declaration and
HTML's named entities are common in them. The parser therefore gets a head of its own instead of the file's.
"""

import codecs
import re
import tempfile
from collections.abc import Iterable
from html.entities import html5, name2codepoint
from pathlib import Path
from typing import BinaryIO

from services.catalogue.sources.records.rows import SourceError

# The names of first elements, in lower case. A document with another one is read if it has items.
ROOTS = frozenset(
    {
        *("rss", "feed", "rdf", "channel", "products", "items", "shop", "catalog", "catalogue", "offers", "articles"),
        *("listings", "yml_catalog"),
    }
)
MAX_HEAD_BYTES = 1 << 14  # the searches in it take quadratic time at worst
CHUNK = 1 << 16
BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
ROOT = re.compile(rb"<(?:[\w.-]+:)?(?:" + "|".join(sorted(ROOTS)).encode() + rb")(?=[\s/>])", re.IGNORECASE)
DECLARATION = re.compile(rb"<\?xml\s[^<>]*>")
ENCODING = re.compile(rb"""encoding\s*=\s*["']\s*([\w.:-]+)""")
DOCTYPE = re.compile(rb"<!DOCTYPE[^\[>]*(?:\[[^\]]*\]\s*)?>", re.IGNORECASE)
INSTRUCTION = re.compile(rb"<\?[\w.-]+(?:\s[^<>]*)?\?>")
TAG = re.compile(rb"<[^<>]*>")
PROLOG = re.compile(rb"\s*(?:%b|%b)" % (DOCTYPE.pattern, INSTRUCTION.pattern), re.IGNORECASE)
BLANK = codecs.BOM_UTF8 + b"\r\n\t "
# WHATWG's Encoding Standard reads these as Windows-1252, because the authors mean it.
LATIN = frozenset({"iso8859-1", "ascii"})
UNREADABLE = "lookalike-not-xml"
codecs.register_error(UNREADABLE, lambda error: ("\x0b", getattr(error, "end", 0)))  # no character of XML


def _head(names: Iterable[str]) -> bytes:
    """Return the declarations of HTML's named entities, each one or two characters, without those of XML."""
    entities = (
        f'<!ENTITY {name} "{"".join(f"&#38;#{ord(character)};" for character in html5[f"{name};"])}">'
        for name in names
        if name not in ("amp", "lt", "gt", "quot", "apos")
    )
    return f'<?xml version="1.0"?><!DOCTYPE feed [{"".join(entities)}]>'.encode()


# HTML 4 has 252 names, HTML 5 has 2,125: reading these takes a millisecond, and each damaged item has to repeat it.
HEAD = _head(name2codepoint)
LONG_HEAD = _head(name.rstrip(";") for name in html5 if name.endswith(";"))


class XmlDocument:
    """A file as a UTF-8 document.

    Attributes:
        file: the bytes in UTF-8, with the positions of `start`: the file itself, or a temporary copy.
        head: the declarations that replace those of the file; the parser gets them before the bytes from `start`.
        start: the position of the first element.
        lines: the number of lines before it.
        size: the size of `file` in bytes.
        notes: the oddities that did no harm, as sentences.
    """

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            SourceError: it cannot be read, declares entities, or has an encoding that is not supported.
        """
        self.head = HEAD
        notes: list[str] = []
        try:
            self.file: BinaryIO = path.open("rb")
            self._decode(path, notes)
            self.size = self.file.seek(0, 2)
            self.file.seek(0)
            data = self.file.read(MAX_HEAD_BYTES)
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}") from None
        self.start, skipped = _first_element(data)
        if re.search(rb"<!ENTITY", COMMENT.sub(b"", data[: self.start])) is not None:
            self.close()
            raise SourceError(f"{path} declares entities, which are not accepted: no product feed needs them")
        self.lines = data.count(b"\n", 0, self.start)
        if skipped is not None:
            notes.append(skipped)
        self.notes = tuple(notes)

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def _decode(self, path: Path, notes: list[str]) -> None:
        """Replace the file by a copy in UTF-8 if it has another encoding."""
        start = self.file.read(MAX_HEAD_BYTES)
        try:
            encoding = _encoding(start, notes)
        except LookupError as error:
            self.close()
            raise SourceError(f"{path} has an unsupported encoding ({error}): save it as UTF-8") from None
        if encoding is not None:
            self.file = _copy(self.file, encoding)


def _encoding(start: bytes, notes: list[str]) -> str | None:
    """Return the encoding of a document, or None for UTF-8.

    Raises:
        LookupError: it declares an encoding that Python does not have.
    """
    for mark, encoding in BOMS:
        if start.startswith(mark):
            return None if encoding == "utf-8" else encoding
    wide = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}.get(start.lstrip(b"\r\n\t ")[:2])
    if wide is not None:
        return wide
    declaration = DECLARATION.search(start)
    declared = ENCODING.search(declaration[0]) if declaration is not None else None
    if declared is None:
        return None
    codec = codecs.lookup(declared[1].decode("ascii", "replace"))
    if codec.name.startswith(("utf-16", "utf-32", "utf-7")):  # the declaration itself was read as ASCII
        notes.append(f"the file declares the encoding {declared[1].decode()}, but it is UTF-8")
        return None
    if not "A".encode(codec.name) == b"A":
        raise LookupError(f"unknown encoding: {codec.name}")
    return "cp1252" if codec.name in LATIN else None if codec.name == "utf-8" else codec.name


def _copy(file: BinaryIO, encoding: str) -> BinaryIO:
    """Return a temporary copy in UTF-8. A byte that cannot be decoded becomes one that XML does not accept."""
    decoder = codecs.getincrementaldecoder(encoding)(UNREADABLE)
    copy = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the document
    with file:
        file.seek(0)
        while data := file.read(CHUNK):
            copy.write(decoder.decode(data).encode("utf-8", UNREADABLE))
        copy.write(decoder.decode(b"", True).encode("utf-8", UNREADABLE))
    return copy  # type: ignore[return-value]  # a binary file


def _first_element(data: bytes) -> tuple[int, str | None]:
    """Return the position of the first element of a document, and a note if there is anything before the document."""
    hidden = COMMENT.sub(lambda comment: b" " * len(comment[0]), data)
    root = ROOT.search(DOCTYPE.sub(lambda doctype: b" " * len(doctype[0]), hidden))
    declaration = DECLARATION.search(hidden, 0, root.start() if root else len(hidden))
    if root is not None:
        start = root.start()
    else:
        start = declaration.end() if declaration is not None else len(hidden) - len(hidden.lstrip(BLANK))
        while prolog := PROLOG.match(hidden, start):
            start = prolog.end()
    before = DOCTYPE.sub(b"", hidden[:start])
    noise = INSTRUCTION.sub(b"", DECLARATION.sub(b"", before)).removeprefix(codecs.BOM_UTF8)
    text = " ".join(TAG.sub(b" ", noise).decode("utf-8", "replace").split())
    if text or TAG.search(noise) is not None:
        return start, f'text before the document was ignored: "{text[:120]}"'
    if declaration is not None and hidden[: declaration.start()] not in (b"", codecs.BOM_UTF8):
        return start, "white space before the XML declaration was ignored"
    return start, None
