"""Rows of Kaggle's archive as products of a source, long lines, and where the table may be."""

from pathlib import Path

import pytest

from services.catalogue.sources.formats.csv_feed import typed
from services.catalogue.sources.formats.image_folder import ImageFolder
from services.catalogue.sources.formats.kaggle_archive import ArchiveError, BadRow, KaggleArchive, KaggleRow
from services.catalogue.sources.formats.kaggle_source import KaggleSource
from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.records.rows import RejectedRow, SourceError, SourceImageError, SourceRow

HEADER = "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName\n"
ROW = "{},Men,Apparel,Topwear,Shirts,Blue,Fall,{},Casual,{}"


def archive_rows(folder: Path, *lines: str) -> list[KaggleRow | BadRow]:
    (folder / "styles.csv").write_text(HEADER + "".join(lines))
    with KaggleArchive.open(folder) as archive:
        return list(archive.rows())


@pytest.mark.parametrize(("size", "is_read"), [(65535, True), (65536, True), (65537, False), (131073, False)])
@pytest.mark.parametrize("end", ["\n", ""])
def test_a_line_has_at_most_64_kib_with_its_end(tmp_path: Path, size: int, is_read: bool, end: str) -> None:
    start = ROW.format(1, 2011, "")
    line = start + "x" * (size - len(start) - len(end)) + end
    rows = archive_rows(tmp_path, line, *([ROW.format(2, 2011, "Name")] if end else []))
    assert [row.line for row in rows] == ([2, 3] if end else [2])
    assert isinstance(rows[0], KaggleRow) is is_read
    if isinstance(rows[0], BadRow):
        assert rows[0].reason == "the line is longer than 65,536 bytes"
    assert all(isinstance(row, KaggleRow) for row in rows[1:])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("5,Men", BadRow(2, "the row has 2 fields instead of 10", "5")),
        ("x,Men", BadRow(2, "the row has 2 fields instead of 10", None)),
        ("y" * 50 + ",,,,,,,,,", BadRow(2, f"the id {'y' * 40!r} is not a number")),
        (" 7 ,,,,,,,,, Name ", KaggleRow(2, "7", None, {}, "Name")),
        ("7,NA,,Socks,,,,,,a,b", KaggleRow(2, "7", "Socks", {"subCategory": "Socks"}, "a,b")),
    ],
)
def test_a_row_has_all_fields_or_the_reason(tmp_path: Path, line: str, expected: KaggleRow | BadRow) -> None:
    assert archive_rows(tmp_path, line) == [expected]


def test_the_header_must_be_readable(tmp_path: Path) -> None:
    (tmp_path / "styles.csv").write_bytes(b"id,sub\rCategory\n")
    with (
        KaggleArchive.open(tmp_path) as archive,
        pytest.raises(ArchiveError, match=r"header of styles\.csv .* not CSV"),
    ):
        list(archive.rows())


@pytest.mark.parametrize(
    ("year", "title", "attribute", "shown"),
    [("2011", "Name", 2011, "Name"), ("2O11", "", "2O11", None), ("²", " ", "²", None)],
)
def test_a_row_is_a_product_of_its_subcategory(
    tmp_path: Path, year: str, title: str, attribute: object, shown: str | None
) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.jpg").write_bytes(b"picture")
    (tmp_path / "styles.csv").write_text(HEADER + ROW.format(1, year, title) + "\n" + ROW.format(2, "", "x") + "\n3\n")
    source = open_source(tmp_path)
    assert isinstance(source, KaggleSource)
    first, second, third = source.rows()
    assert isinstance(first, SourceRow) and callable(first.image)
    assert (first.key, first.line, first.title, first.attributes["year"]) == ("1", 2, shown, attribute)
    assert (first.category_words, first.category_required) == (("Topwear",), True)
    assert first.image() == b"picture"
    assert isinstance(second, SourceRow) and callable(second.image)
    assert "year" not in second.attributes
    with pytest.raises(SourceImageError, match=r"the archive has no images/2\.jpg"):
        second.image()
    assert third == RejectedRow(4, "3", "the row has 1 fields instead of 10")
    source.close()


def test_a_folder_without_its_columns_is_an_error_of_its_rows(tmp_path: Path) -> None:
    (tmp_path / "styles.csv").write_text("id\n1\n")
    source = open_source(tmp_path)
    with pytest.raises(SourceError, match="has no column subCategory"):
        list(source.rows())
    source.close()


@pytest.mark.parametrize(
    ("name", "is_archive"),
    [("styles.csv", True), ("a/styles.csv", True), ("a/b/styles.csv", True), ("a/b/c/styles.csv", False)],
)
def test_a_folder_is_the_archive_if_the_table_is_up_to_two_levels_deep(
    tmp_path: Path, name: str, is_archive: bool
) -> None:
    (tmp_path / "1.jpg").write_bytes(b"picture")
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(HEADER)
    source = open_source(tmp_path)
    assert isinstance(source, KaggleSource if is_archive else ImageFolder)
    source.close()
    if not is_archive:
        with pytest.raises(ArchiveError, match=r"has no styles\.csv"):
            KaggleArchive.open(tmp_path)


@pytest.mark.parametrize(
    ("text", "name", "kind", "value"),
    [
        (" 5 ", "stock", None, 5),
        ("5.50", "stock", None, 5.5),
        ("5", "size", None, "5"),
        ("5", "Size", None, "5"),
        ("5", "price", None, "5"),
        ("5", "size", "number", 5),
        ("5", "stock", "text", "5"),
        ("5", "stock", "boolean", "5"),
        ("True", "new", None, True),
        ("FALSE", "new", "boolean", False),
        ("true", "new", "number", "true"),
        ("true", "new", "text", "true"),
    ],
)
def test_a_type_says_what_a_text_may_be(text: str, name: str, kind: object, value: object) -> None:
    result = typed(text, name, kind)  # type: ignore[arg-type]
    assert (result, type(result)) == (value, type(value))
