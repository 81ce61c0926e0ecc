"""What decides between encodings: marks, zeros, the share of UTF-8, and the words of the others."""

import codecs
import io
from pathlib import Path

import pytest

from services.catalogue.sources.parsing import encoding
from services.catalogue.sources.parsing.encoding import Encoding, encoding_of, utf8_copy
from services.catalogue.sources.records.rows import SourceError

DETECTED = "the file is not UTF-8: it was read as {}, which was detected; --encoding names another encoding"
IGNORED = "the file has the byte order mark of {}; the encoding {} was ignored"


def found(path: Path, data: bytes, named: str | None = None) -> Encoding:
    path.write_bytes(data)
    return encoding_of(path, named)


@pytest.mark.parametrize(
    ("mark", "codec"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32"),
    ],
)
def test_a_mark_names_the_encoding(tmp_path: Path, mark: bytes, codec: str) -> None:
    assert found(tmp_path / "feed", mark + b"x\0\0\0") == Encoding(codec)
    assert found(tmp_path / "feed", mark + b"x\0\0\0", f"{codec.upper()}") == Encoding(codec)
    ignored = IGNORED.format(codec.upper(), "koi8-r")
    assert found(tmp_path / "feed", mark + b"x\0\0\0", "koi8-r") == Encoding(codec, ignored)


@pytest.mark.parametrize(
    ("named", "codec"),
    [
        ("utf-16", "utf-16-le"),
        ("UTF_32", "utf-32-le"),
        ("utf-16-be", "utf-16-be"),
        ("latin1", "cp1252"),
        ("utf8", "utf-8"),
    ],
)
def test_the_named_encoding_is_taken_without_a_note(tmp_path: Path, named: str, codec: str) -> None:
    assert found(tmp_path / "feed", b"i\0d\0", named) == Encoding(codec)
    assert found(tmp_path / "feed", b"Caf\xc3\xa9", named) == Encoding(codec)


@pytest.mark.parametrize(
    ("data", "codec"),
    [
        (b"i\0\0\0", "utf-32-le"),
        (b"\0\0\0i", "utf-32-be"),
        (b"i\0d\0", "utf-16-le"),
        (b"\0i\0d", "utf-16-be"),
    ],
)
def test_zeros_between_the_first_bytes_show_a_wide_encoding(tmp_path: Path, data: bytes, codec: str) -> None:
    assert found(tmp_path / "feed", data + b"\xe9") == Encoding(codec, DETECTED.format(codec.upper()))


@pytest.mark.parametrize(
    ("data", "codec"),
    [
        (b"", "utf-8"),
        (b"i\0", "utf-8"),
        (b"id,title", "utf-8"),
        ("Café 夹克 😀".encode(), "utf-8"),
        ("éé".encode() + b" caf\xe9 caf\xe9 ", "utf-8"),
        ("é".encode() + b"\nR\xf6ckchen gr\xfcn\n", "cp1252"),
        (b"a\xe9\n" + "é".encode(), "utf-8"),
        ("é".encode() + b"\xc3", "utf-8"),
        (b"20 \x80 - \xb0\n", "cp1252"),
        (b"caf\xc3", "cp1252"),
        (b"a\nR\xf6ckchen gr\xfcn 20 \xa4\nb", "iso8859-15"),
        (b"R\xf6ckchen gr\xfcn 20 \xa4 \x96", "cp1252"),
        ("Красное платье\nx".encode("koi8-r"), "koi8-r"),
        ("x\nМужская рубашка из хлопка".encode("cp1251"), "cp1251"),
    ],
)
def test_the_share_of_utf8_and_the_words_decide(tmp_path: Path, data: bytes, codec: str) -> None:
    result = found(tmp_path / "feed", data)
    assert (result.codec, result.is_utf8) == (codec, codec == "utf-8")
    assert (result.note is None) == result.is_utf8


@pytest.mark.parametrize("chunk", [1, 2, 3, 7])
@pytest.mark.parametrize(
    ("data", "codec"),
    [
        ("Café 夹克 😀".encode(), "utf-8"),
        ("éé".encode() + b" caf\xe9 caf\xe9 ", "utf-8"),
        ("é".encode() + b"\xc3", "utf-8"),
        ("Мужская рубашка".encode("cp1251") + b"\n" + "Женское платье из хлопка".encode("cp1251"), "cp1251"),
    ],
)
def test_characters_and_lines_may_be_in_two_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int, data: bytes, codec: str
) -> None:
    monkeypatch.setattr(encoding, "CHUNK", chunk)
    assert found(tmp_path / "feed", data).codec == codec


def test_the_sample_of_a_file_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    russian, german = "Мужская рубашка из хлопка\n".encode("cp1251"), b"R\xf6ckchen gr\xfcn\n" * 40
    assert found(tmp_path / "feed", russian + german).codec == "cp1252"
    monkeypatch.setattr(encoding, "MAX_SAMPLE_BYTES", len(russian))
    assert found(tmp_path / "feed", russian + german).codec == "cp1251"


def test_an_unknown_encoding_or_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"feed cannot be read: unknown encoding: none"):
        found(tmp_path / "feed", b"x", "none")
    with pytest.raises(SourceError, match=r"other cannot be read: No such file"):
        encoding_of(tmp_path / "other")


@pytest.mark.parametrize("chunk", [1, encoding.CHUNK])
@pytest.mark.parametrize(
    ("data", "codec", "expected"),
    [
        (b"caf\xe9 \x81\n", "cp1252", "café ".encode() + b"\xff\n"),
        ("Röckchen 夹克".encode("utf-16"), "utf-16", "Röckchen 夹克".encode()),
        (b"i\0\0\xd8i\0", "utf-16-le", b"i\xffi"),
        (b"i\0d", "utf-16-le", b"i\xff"),
        ("綿".encode("shift_jis") + b"x", "shift_jis", "綿x".encode()),
    ],
)
def test_a_copy_is_utf8_with_an_invalid_byte_for_each_fault(
    monkeypatch: pytest.MonkeyPatch, chunk: int, data: bytes, codec: str, expected: bytes
) -> None:
    monkeypatch.setattr(encoding, "CHUNK", chunk)
    file = io.BytesIO(data)
    file.seek(0, 2)
    target = io.BytesIO()
    assert utf8_copy(file, codec, target) is target
    assert target.getvalue() == expected
    with utf8_copy(file, codec) as copy:
        copy.seek(0)
        assert copy.read() == expected
