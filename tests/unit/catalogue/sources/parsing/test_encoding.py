"""The encodings of feeds: named, by a byte order mark, declared, or detected."""

import codecs
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.parsing.encoding import encoding_of
from services.catalogue.sources.records.encodings import known_codec
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import SourceError, notes_of
from tests.support.feeds.rows import keys, outcomes, product, read, read_text
from tests.support.values.cases import CASES, needs_cases

HEADER = "id;title;image_url\n"
ROW = "{};{};https://a.test/1.jpg\n"
TITLES = {
    "cp1252": ["Röckchen grün – 20 € Rabatt", "Hose mit Gürtel"],
    "cp1250": ["Żółta sukienka wieczorowa", "Spódnica dżinsowa krótka"],
    "cp1251": ["Красное платье", "Мужская рубашка из хлопка"],
    "cp1253": ["Κόκκινο φόρεμα βαμβακερό"],
    "cp1254": ["Kırmızı elbise şık gömlek ığ"],
    "cp1255": ["שמלה אדומה", "חולצת כותנה"],
    "koi8-r": ["Красное платье", "Мужская рубашка из хлопка"],
    "mac-roman": ["Röckchen grün", "Café à la crème"],
    "iso8859-15": ["Röckchen grün 20 €", "Gürtel für 5 €"],
    "shift_jis": ["赤いワンピース", "綿のシャツ 長袖"],
    "gb18030": ["红色连衣裙", "男士衬衫 长袖"],
    "euc_kr": ["빨간 드레스 면 셔츠"],
    "utf-16": ["Röckchen", "夹克"],
    "utf-16-le": ["Röckchen", "夹克"],
    "utf-32": ["Röckchen", "夹克"],
    "utf-8-sig": ["Röckchen", "夹克"],
}


def _table(titles: list[str]) -> str:
    return HEADER + "".join(ROW.format(number, title) for number, title in enumerate(titles, start=1))


def _titles(path: Path, **options: str) -> list[str | None]:
    return [product(row).title for row in read(path, mapping=FeedMapping(**options))]


def _notes(path: Path, **options: str) -> tuple[str, ...]:
    source = open_source(path, FeedMapping(**options))
    source.close()
    return notes_of(source)


@pytest.mark.parametrize("codec", TITLES)
@pytest.mark.parametrize("name", ["feed.csv", "feed.txt"])
def test_the_encoding_of_a_table_is_detected(tmp_path: Path, codec: str, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(_table(TITLES[codec]).encode(codec))
    assert _titles(path) == TITLES[codec]


@pytest.mark.parametrize("codec", ["cp1252", "cp1251", "utf-16", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize(
    ("name", "form"),
    [("feed.ndjson", '{{"id": "1", "title": "{}", "image_url": "https://a.test/1.jpg"}}\n'), ("feed.json", "[{}]")],
)
def test_the_encoding_of_json_is_detected(tmp_path: Path, codec: str, name: str, form: str) -> None:
    title = TITLES.get(codec, ["Röckchen"])[0]
    line = f'{{"id": "1", "title": "{title}", "image_url": "https://a.test/1.jpg"}}'
    path = tmp_path / name
    path.write_bytes(form.format(title if "id" in form else line).encode(codec))
    assert _titles(path) == [title]


def test_the_detected_encoding_is_in_the_notes_and_an_encoding_by_the_user_is_not(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    path.write_bytes(_table(["Röckchen"]).encode("cp1252"))
    (note,) = _notes(path)
    assert "not UTF-8" in note
    assert "Windows-1252" in note
    assert "--encoding" in note
    assert _notes(path, encoding="windows-1252") == ()
    path.write_text(_table(["Röckchen"]))
    assert _notes(path) == ()


def test_the_encoding_by_the_user_decides(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    path.write_bytes(_table(["Žlutý"]).encode("cp1250"))
    assert _titles(path, encoding="windows-1250") == ["Žlutý"]
    assert _titles(path, encoding="latin1") == ["Žlutý".encode("cp1250").decode("cp1252")]
    (tmp_path / "feed.xml").write_bytes(
        '<?xml version="1.0" encoding="UTF-8"?><products><product><id>1</id><title>Žlutý</title>'
        "<image_link>https://a.test/1.jpg</image_link></product></products>".encode("cp1250")
    )
    assert _titles(tmp_path / "feed.xml", encoding="windows-1250") == ["Žlutý"]


def test_a_byte_order_mark_takes_precedence_over_the_encoding_by_the_user(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    path.write_bytes(_table(["Röckchen"]).encode("utf-8-sig"))
    assert _titles(path, encoding="cp1252") == ["Röckchen"]
    assert _notes(path, encoding="cp1252") == (
        "the file has the byte order mark of UTF-8; the encoding cp1252 was ignored",
    )
    assert _notes(path, encoding="utf-8") == ()


def test_single_bytes_that_are_not_utf8_cost_their_rows_and_not_the_encoding(tmp_path: Path) -> None:
    text = _table(["Röckchen", "BAD", "Gürtel"]).encode().replace(b"BAD", b"Caf\xe9")
    assert outcomes(read_text(tmp_path, "feed.csv", text)) == [
        (2, "1", ""),
        (3, "2", "not UTF-8 at byte 6 of the line"),
        (4, "3", ""),
    ]


def test_bytes_that_the_encoding_does_not_have_cost_their_row(tmp_path: Path) -> None:
    text = _table(["Röckchen grün", "BAD", "Gürtel"]).encode("cp1252").replace(b"BAD", b"\x81")
    rows = read_text(tmp_path, "feed.csv", text, mapping=FeedMapping(encoding="cp1252"))
    assert outcomes(rows)[1] == (3, "2", "the line has bytes that are not Windows-1252")
    assert keys(rows) == ["1", "3"]


def test_an_xml_feed_that_declares_utf8_by_mistake_is_read(tmp_path: Path) -> None:
    items = "".join(
        f"<product><id>{number}</id><title>{title}</title><image_link>https://a.test/1.jpg</image_link></product>"
        for number, title in enumerate(("Röckchen", "Gürtel – 20 €"))
    )
    path = tmp_path / "feed.xml"
    path.write_bytes(f'<?xml version="1.0" encoding="utf-8"?><products>{items}</products>'.encode("cp1252"))
    assert _titles(path) == ["Röckchen", "Gürtel – 20 €"]
    assert "Windows-1252" in _notes(path)[0]


@pytest.mark.parametrize("name", ["none", "rot13", "base64", "utf-7", "idna", "", "hex\0"])
def test_an_encoding_that_is_not_known_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(LookupError):
        known_codec(name)
    (tmp_path / "feed.csv").write_text(HEADER)
    with pytest.raises(SourceError, match="unknown encoding"):
        encoding_of(tmp_path / "feed.csv", name)


@needs_cases
def test_the_shared_case_of_windows_1252() -> None:
    path = CASES / "09-cp1252.csv"
    assert _titles(path) == ["Hemd", "Röckchen grün", "Weste – 20 € Rabatt"]
    assert "Windows-1252" in _notes(path)[0]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), max_size=20), max_size=6),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]),
)
@example(["é" * 70000], "utf-8")
def test_every_text_in_unicode_is_read_as_it_is(tmp_path: Path, titles: list[str], codec: str) -> None:
    path = tmp_path / "feed.txt"
    path.write_bytes(_table(titles).encode(codec))
    actual = encoding_of(path).codec
    assert codecs.decode(path.read_bytes(), actual).removeprefix("\ufeff") == _table(titles)


def _letters(codec: str) -> list[str]:
    """Return the letters outside ASCII that an encoding of one byte a character has."""
    characters = (bytes([byte]).decode(codec, "ignore") for byte in range(0x80, 0x100))
    return [character for character in characters if character.isalpha()]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(
        ["cp1250", "cp1251", "cp1252", "cp1253", "iso8859-15", "iso8859-2", "koi8-r", "mac-roman", "cp437"]
    ),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.data(),
)
def test_every_text_in_a_named_encoding_is_read_as_it_is(
    tmp_path: Path, codec: str, delimiter: str, end: str, data: st.DataObject
) -> None:
    titles = data.draw(st.lists(st.text([*_letters(codec), "a", "B"], min_size=1, max_size=12), min_size=1, max_size=5))
    lines = ["id;title;image_url", *(f"{n};{title};https://a.test/1.jpg" for n, title in enumerate(titles))]
    path = tmp_path / "feed.csv"
    path.write_bytes((end.join(lines) + end).replace(";", delimiter).encode(codec))
    assert _titles(path, encoding=codec) == titles


def test_signs_without_letters_next_to_them_are_windows_1252(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    path.write_bytes((HEADER + ROW.format("A", "20 € – 5 °")).encode("cp1252"))
    assert encoding_of(path).codec == "cp1252"
