"""The encoding of a feed: named by the user, by a byte order mark, or detected if the bytes are not UTF-8."""

import codecs
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import chardet
from chardet.enums import EncodingEra

from services.catalogue.sources.records.encodings import known_codec, shown_name
from services.catalogue.sources.records.rows import SourceError

CHUNK = 1 << 16
MAX_SAMPLE_BYTES = 1 << 18
# A mark of UTF-32 begins with that of UTF-16.
BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WITHOUT_MARK = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}  # codecs that need a mark, and what they are without one
EURO = b"\xa4"  # the euro sign in ISO-8859-15; the sign ¤ in Windows-1252, which feeds do not have
CONTROLS = frozenset(range(0x80, 0xA0))  # characters in Windows-1252, control characters in ISO-8859-15
# Evidence that a file is not Windows-1252: the least confidence, and how much more confidence than in Windows-1252.
LEAST_CONFIDENCE = 0.025
LEAST_RATIO = 1.25
# Encodings older than the web (MS-DOS, Mac OS) count only if the others hardly fit.
LEAST_OLD_RATIO = 5.0
# A word with letters outside ASCII. Single signs, as in `29 €` or `30°`, do not show the encoding.
WORD = re.compile(rb"[A-Za-z]+[\x80-\xff]|[\x80-\xff]+[A-Za-z\x80-\xff]")
UNREADABLE = "lookalike-unreadable"
codecs.register_error(UNREADABLE, lambda error: ("\udcff", getattr(error, "end", 0)))


@dataclass(frozen=True, slots=True)
class Encoding:
    """The encoding of a file: Python's name, and a sentence for the summary if the user has not named it."""

    codec: str
    note: str | None = None

    @property
    def is_utf8(self) -> bool:
        """Whether the file can be read as it is."""
        return self.codec == "utf-8"


def encoding_of(path: Path, named: str | None = None) -> Encoding:
    """Return the encoding of a file. A byte order mark takes precedence over `named`.

    Args:
        path: the file.
        named: the encoding by the user. Default: UTF-8 if the file is mostly that, otherwise detected.

    Raises:
        SourceError: the file cannot be read, or the encoding is not known.
    """
    try:
        with path.open("rb") as file:
            return _encoding(file, named)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from None
    except LookupError as error:
        raise SourceError(f"{path} cannot be read: {error}") from None


def _encoding(file: BinaryIO, named: str | None) -> Encoding:
    start = file.read(4)
    marked = next((codec for mark, codec in BOMS if start.startswith(mark)), None)
    if marked is not None:
        ignored = named is not None and not known_codec(named).replace("_", "-").startswith(marked)
        other = f"the file has the byte order mark of {marked.upper()}; the encoding {named} was ignored"
        return Encoding(marked, other if ignored else None)
    if named is not None:
        codec = known_codec(named)
        return Encoding(WITHOUT_MARK.get(codec.replace("_", "-"), codec))
    if (wide := _wide(start)) is not None:
        return Encoding(wide, _note(wide))
    file.seek(0)
    sample = _Sample()
    for data in iter(lambda: file.read(CHUNK), b""):
        sample.add(data)
    codec = sample.detected()
    return Encoding(codec, None if codec == "utf-8" else _note(codec))


def _note(codec: str) -> str:
    name = shown_name(codec)
    return f"the file is not UTF-8: it was read as {name}, which was detected; --encoding names another encoding"


def _wide(start: bytes) -> str | None:
    """Return UTF-16 or UTF-32 without a byte order mark: feeds begin with a character of ASCII."""
    forms = {
        (False, True, True, True): "utf-32-le",
        (True, True, True, False): "utf-32-be",
        (False, True, False, True): "utf-16-le",
        (True, False, True, False): "utf-16-be",
    }
    return next((codec for zeros, codec in forms.items() if tuple(byte == 0 for byte in start) == zeros), None)


class _Sample:
    """Counts the characters of a file that are UTF-8 and the bytes that are not, and keeps lines that have some."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = b""
        self._lines = bytearray()
        self._valid = 0
        self._invalid = 0

    def add(self, data: bytes) -> None:
        """Count the characters of the next bytes."""
        if data.isascii() and not self._decoder.getstate()[0]:
            self._rest = b""
            return
        text = self._decoder.decode(data)
        invalid = text.count("\ufffd")
        self._invalid += invalid
        self._valid += sum(not character.isascii() for character in text) - invalid
        if self._invalid and len(self._lines) < MAX_SAMPLE_BYTES:
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in (*lines, b"") if lines else (self._rest,):
                if not line.isascii():
                    self._lines += line[:MAX_SAMPLE_BYTES] + b"\n"

    def detected(self) -> str:
        """Return the codec of the file. A few bytes that are not UTF-8 do not change that of a file in UTF-8."""
        self._invalid += len(self._decoder.decode(b"", True))
        if not self._invalid or self._valid >= self._invalid:
            return "utf-8"
        if not self._rest.isascii():
            self._lines += self._rest
        return _detected(bytes(self._lines[:MAX_SAMPLE_BYTES]))


def _detected(sample: bytes) -> str:
    """Return the codec of text that is not UTF-8: Windows-1252 unless another encoding fits better."""
    if WORD.search(sample) is None and _decodes(sample, "cp1252"):
        return "cp1252"
    every = dict(_candidates(sample, EncodingEra.ALL & ~EncodingEra.MAINFRAME))
    modern = dict(_candidates(sample, EncodingEra.MODERN_WEB))
    best = max(modern, key=lambda codec: modern[codec], default="cp1252")
    latin = modern.get("cp1252", 0.0)
    oldest = max(every, key=lambda codec: every[codec], default=best)
    if every.get(oldest, 0.0) >= max(LEAST_CONFIDENCE, LEAST_OLD_RATIO * modern.get(best, 0.0)):
        return oldest
    is_other = modern.get(best, 0.0) >= max(LEAST_CONFIDENCE, LEAST_RATIO * latin)
    if is_other or not _decodes(sample, "cp1252"):
        return best
    return "iso8859-15" if EURO in sample and CONTROLS.isdisjoint(sample) else "cp1252"


def _candidates(sample: bytes, era: EncodingEra) -> Iterator[tuple[str, float]]:
    """Yield the codecs of an era that decode the sample, with chardet's confidence in each."""
    for answer in reversed(chardet.detect_all(sample, encoding_era=era, prefer_superset=True)):
        if answer["encoding"] is not None:
            codec = known_codec(answer["encoding"])
            # Text in UTF-16 or UTF-32 is recognised by its first bytes.
            if not codec.replace("_", "-").startswith(("utf-8", "utf-16", "utf-32")) and _decodes(sample, codec):
                yield codec, answer["confidence"]


def _decodes(sample: bytes, codec: str) -> bool:
    try:
        sample.decode(codec)
    except ValueError:
        return False
    return True


def utf8_copy(file: BinaryIO, codec: str, copy: BinaryIO | None = None) -> BinaryIO:
    """Return a copy in UTF-8, without a byte order mark: a temporary file, or the file given as `copy`.

    A byte that cannot be decoded becomes a byte that is not UTF-8, so that its row can be rejected.
    """
    decoder = codecs.getincrementaldecoder(codec)(UNREADABLE)
    target = copy or tempfile.TemporaryFile()  # noqa: SIM115  # closed by the reader
    file.seek(0)
    while data := file.read(CHUNK):
        target.write(decoder.decode(data).encode("utf-8", "surrogateescape"))
    target.write(decoder.decode(b"", True).encode("utf-8", "surrogateescape"))
    return target  # type: ignore[return-value]  # a binary file
