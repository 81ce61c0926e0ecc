"""The XML document in a file: its encoding, and where its first element begins.

Feeds are written by templates and plugins. A line end or a PHP notice before the declaration, a wrong declaration and
HTML's named entities are common in them. The parser therefore gets a head of its own instead of the file's.
"""

import codecs
import re
from collections.abc import Iterable
from html.entities import html5, name2codepoint
from pathlib import Path
from typing import BinaryIO

from services.catalogue.sources.parsing.encoding import Encoding, encoding_of, utf8_copy
from services.catalogue.sources.records.encodings import known_codec
from services.catalogue.sources.records.rows import SourceError

# The names of first elements, in lower case. A document with another one is read if it has items.
ROOTS = frozenset(
    {
        *("rss", "feed", "rdf", "channel", "products", "items", "shop", "catalog", "catalogue", "offers", "articles"),
        *("listings", "yml_catalog"),
    }
)
BOMS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
MAX_HEAD_BYTES = 1 << 14  # the searches in it take quadratic time at worst
COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
ROOT = re.compile(rb"<(?:[\w.-]+:)?(?:" + "|".join(sorted(ROOTS)).encode() + rb")(?=[\s/>])", re.IGNORECASE)
DECLARATION = re.compile(rb"<\?xml\s[^<>]*>")
ENCODING = re.compile(rb"""encoding\s*=\s*["']\s*([\w.:-]+)""")
DOCTYPE = re.compile(rb"<!DOCTYPE[^\[>]*(?:\[[^\]]*\]\s*)?>", re.IGNORECASE)
INSTRUCTION = re.compile(rb"<\?[\w.-]+(?:\s[^<>]*)?\?>")
TAG = re.compile(rb"<[^<>]*>")
PROLOG = re.compile(rb"\s*(?:%b|%b)" % (DOCTYPE.pattern, INSTRUCTION.pattern), re.IGNORECASE)
BLANK = codecs.BOM_UTF8 + b"\r\n\t "


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

    def __init__(self, path: Path, encoding: str | None = None) -> None:
        """Open the file; `encoding` takes precedence over the encoding that the file declares.

        Raises:
            SourceError: it cannot be read, declares entities, or has an encoding that is not supported.
        """
        self.head = HEAD
        notes: list[str] = []
        try:
            self.file: BinaryIO = path.open("rb")
            self._decode(path, encoding, notes)
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

    def _decode(self, path: Path, named: str | None, notes: list[str]) -> None:
        """Replace the file by a copy in UTF-8 if it has another encoding."""
        start = self.file.read(MAX_HEAD_BYTES)
        try:
            encoding = _encoding(path, named, start, notes)
        except LookupError as error:
            self.close()
            raise SourceError(f"{path} has an unsupported encoding ({error}): save it as UTF-8") from None
        except SourceError:
            self.close()
            raise
        if encoding.note is not None:
            notes.append(encoding.note)
        if not encoding.is_utf8:
            with self.file as file:
                self.file = utf8_copy(file, encoding.codec)


def _encoding(path: Path, named: str | None, start: bytes, notes: list[str]) -> Encoding:
    """Return the encoding of a document: by a byte order mark, by the user, as declared, or detected.

    Raises:
        LookupError: it declares an encoding that Python does not have.
        SourceError: the user names such an encoding.
    """
    declaration = DECLARATION.search(start)
    declared = ENCODING.search(declaration[0]) if declaration is not None else None
    if named is not None or declared is None or start.startswith(BOMS):
        return encoding_of(path, named)
    name = declared[1].decode("ascii", "replace")
    codec = known_codec(name)
    if codec.startswith(("utf-16", "utf-32")):  # the declaration itself was read as ASCII
        notes.append(f"the file declares the encoding {name}, but it is UTF-8")
        codec = "utf-8"
    return encoding_of(path) if codec == "utf-8" else Encoding(codec)


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
