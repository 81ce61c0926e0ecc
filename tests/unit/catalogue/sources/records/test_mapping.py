"""Mappings of a feed, and the encodings that they name."""

from pathlib import Path

import pytest

from services.catalogue.sources.records.encodings import known_codec, shown_name
from services.catalogue.sources.records.mapping import FeedMapping, load_mapping
from services.catalogue.sources.records.rows import SourceError


def test_settings_replace_those_of_a_mapping_unless_they_are_none() -> None:
    mapping = FeedMapping(currency="EUR", columns={"a": "id"}).with_settings(currency=None, encoding="latin1")
    assert (mapping.currency, mapping.encoding, mapping.columns) == ("EUR", "cp1252", {"a": "id"})
    assert mapping.with_settings(currency="usd").currency == "USD"
    with pytest.raises(ValueError, match="is not a currency"):
        mapping.with_settings(currency="gold")


def test_the_categories_of_a_mapping_are_folded() -> None:
    mapping = FeedMapping(categories={" Shirts ": "Topwear", "GIFTS": "", "x": None})
    assert mapping.categories == {"shirts": "Topwear", "gifts": None, "x": None}


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("m.json", '{"currency": "gold", "types": {"a": "b"}}', "is not valid: types.a: "),
        ("m.json", '{"columns": {"a": "id", "b": "id"}}', "is not valid: the document: two columns are mapped to 'id'"),
        ("m.json", "[]", "is not valid: the document: "),
        ("m.json", "{", "is neither JSON nor TOML: "),
        ("m.toml", "a =", "is neither JSON nor TOML: "),
        ("m.TOML", 'a = "\xff', "is neither JSON nor TOML: "),
        ("m.txt", 'currency = "EUR"', "is neither JSON nor TOML: "),
    ],
)
def test_a_mapping_that_cannot_be_used_is_an_error(tmp_path: Path, name: str, text: str, reason: str) -> None:
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(SourceError) as raised:
        load_mapping(tmp_path / name)
    assert str(raised.value).startswith(f"the mapping {tmp_path / name} {reason}")


def test_a_mapping_is_json_or_toml_and_several_columns_may_be_images(tmp_path: Path) -> None:
    (tmp_path / "m.TOML").write_text('currency = "eur"\n[columns]\na = "images"\nb = "images"\n')
    (tmp_path / "m").write_text('{"currency": "EUR", "columns": {"a": "images", "b": "images"}}')
    assert load_mapping(tmp_path / "m.TOML") == load_mapping(tmp_path / "m")
    assert load_mapping(tmp_path / "m").currency == "EUR"


@pytest.mark.parametrize(
    ("name", "codec", "shown"),
    [
        ("Latin1", "cp1252", "Windows-1252"),
        ("ascii", "cp1252", "Windows-1252"),
        (" utf8 ", "utf-8", "UTF-8"),
        ("utf-8-sig", "utf-8", "UTF-8"),
        ("UTF_16", "utf-16", "UTF-16"),
        ("windows-1250", "cp1250", "Windows-1250"),
        ("cp437", "cp437", "CP437"),
        ("shift_jis", "shift_jis", "SHIFT-JIS"),
        ("utf-32-be", "utf-32-be", "UTF-32-BE"),
    ],
)
def test_an_encoding_has_pythons_name_and_a_usual_one(name: str, codec: str, shown: str) -> None:
    assert (known_codec(name), shown_name(codec)) == (codec, shown)


@pytest.mark.parametrize("name", ["cp037", "utf-7", "punycode", "unicode_escape", "rot13", "hex", "x\0y", "none"])
def test_a_codec_that_writes_other_characters_is_no_encoding_of_feeds(name: str) -> None:
    with pytest.raises(LookupError) as raised:
        known_codec(name)
    assert str(raised.value) == f"unknown encoding: {name}"
