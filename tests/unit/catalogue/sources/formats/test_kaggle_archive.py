"""The Kaggle archive: rows, bad rows and images, as a zip and as a folder."""

import io
import zipfile
from pathlib import Path

import pytest

from services.catalogue.sources.formats.kaggle_archive import (
    CATEGORIES,
    MAX_LINE_BYTES,
    ArchiveError,
    ArchiveImageError,
    BadRow,
    KaggleArchive,
    KaggleRow,
)

HEADER = b"id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName\n"


def make_zip(path: Path, table: bytes, images: dict[str, bytes] | None = None, prefix: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{prefix}styles.csv", table)
        for name, data in (images or {}).items():
            archive.writestr(f"{prefix}images/{name}", data)
    return path


def read(path: Path) -> list[KaggleRow | BadRow]:
    with KaggleArchive.open(path) as archive:
        return list(archive.rows())


def read_table(tmp_path: Path, *lines: bytes) -> list[KaggleRow | BadRow]:
    return read(make_zip(tmp_path / "a.zip", HEADER + b"\n".join(lines)))


def test_a_row_becomes_a_product_with_only_the_attributes_it_has(tmp_path: Path) -> None:
    (row,) = read_table(tmp_path, b"1163,,Apparel,Topwear,Tshirts,Blue,,2011,NA,Nike Jersey")
    assert row == KaggleRow(
        line=2,
        id="1163",
        category="Topwear",
        attributes={
            "masterCategory": "Apparel",
            "subCategory": "Topwear",
            "articleType": "Tshirts",
            "baseColour": "Blue",
            "year": "2011",
        },
        title="Nike Jersey",
    )


@pytest.mark.parametrize("category", CATEGORIES)
def test_each_of_the_nine_sub_categories_is_its_own_category(tmp_path: Path, category: str) -> None:
    (row,) = read_table(tmp_path, f"1,Men,Apparel,{category},Kind,Blue,Fall,2011,Casual,Name".encode())
    assert isinstance(row, KaggleRow)
    assert row.category == category


def test_a_product_of_another_subcategory_has_no_category(tmp_path: Path) -> None:
    (row,) = read_table(tmp_path, b"1,Men,Footwear,Sandal,Sandals,Blue,Fall,2011,Casual,Name")
    assert isinstance(row, KaggleRow)
    assert row.category is None
    assert row.attributes["subCategory"] == "Sandal"


def test_unquoted_commas_belong_to_the_display_name(tmp_path: Path) -> None:
    (row,) = read_table(tmp_path, b"1,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,Red, white, and blue")
    assert isinstance(row, KaggleRow)
    assert row.title == "Red, white, and blue"


def test_a_quoted_display_name_keeps_its_commas(tmp_path: Path) -> None:
    (row,) = read_table(tmp_path, b'1,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,"Red, white"')
    assert isinstance(row, KaggleRow)
    assert row.title == "Red, white"


def test_an_unbalanced_quote_affects_only_its_row(tmp_path: Path) -> None:
    rows = read_table(
        tmp_path,
        b'1,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,"Broken',
        b'"2,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,Swallowed',
        b"3,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,Whole",
    )
    assert [(type(row), row.line, row.id) for row in rows] == [
        (KaggleRow, 2, "1"),
        (BadRow, 3, None),
        (KaggleRow, 4, "3"),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"1,Men,Apparel,Topwear", "the row has 4 fields instead of 10"),
        (b"one,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,Name", "the id 'one' is not a number"),
        (b",Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,Name", "the id '' is not a number"),
        (b"-1,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,Name", "the id '-1' is not a number"),
        ("٣,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,Name".encode(), "the id '٣' is not a number"),
        (b"1,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,Caf\xe9", "not UTF-8 at byte 55 of the line"),
        (b"1,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual," + b"x" * 3 * MAX_LINE_BYTES, "the line is longer than"),
        (b"1,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Ca\rsual,Name", "not CSV"),
    ],
)
def test_a_bad_row_has_its_line_and_the_next_one_is_read(tmp_path: Path, line: bytes, reason: str) -> None:
    bad, good = read_table(tmp_path, line, b"2,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,Name")
    assert isinstance(bad, BadRow)
    assert bad.line == 2
    assert bad.reason.startswith(reason)
    assert isinstance(good, KaggleRow)
    assert (good.line, good.id) == (3, "2")


def test_a_duplicate_id_has_the_line_of_the_first(tmp_path: Path) -> None:
    row = b"7,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,Name"
    first, second = read_table(tmp_path, row, row)
    assert isinstance(first, KaggleRow)
    assert second == BadRow(3, "the id 7 is already on line 2", "7")


@pytest.mark.parametrize(("digits", "is_id"), [(20, True), (21, False)])
def test_an_id_has_at_most_20_digits(tmp_path: Path, digits: int, is_id: bool) -> None:
    (row,) = read_table(tmp_path, b"1" * digits + b",Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,Name")
    assert isinstance(row, KaggleRow) is is_id


def test_blank_lines_are_skipped_and_counted(tmp_path: Path) -> None:
    (row,) = read_table(tmp_path, b"", b"\r", b"1,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,Name\r")
    assert (row.line, row.id) == (4, "1")


def test_a_byte_order_mark_and_another_order_of_columns_are_read(tmp_path: Path) -> None:
    table = b"\xef\xbb\xbfproductDisplayName,baseColour,articleType,subCategory,id\r\nName,Blue,Shirts,Topwear,5\r\n"
    (row,) = read(make_zip(tmp_path / "a.zip", table))
    assert isinstance(row, KaggleRow)
    assert (row.id, row.title, row.category) == ("5", "Name", "Topwear")


def test_too_many_fields_are_bad_when_the_display_name_is_not_last(tmp_path: Path) -> None:
    table = b"productDisplayName,baseColour,articleType,subCategory,id\nA, b,Blue,Shirts,Topwear,5\n"
    (row,) = read(make_zip(tmp_path / "a.zip", table))
    assert row == BadRow(2, "the row has 6 fields instead of 5", None)


@pytest.mark.parametrize("prefix", ["", "myntradataset/", "fashion/fashion/"])
def test_the_table_and_the_images_can_be_in_a_folder_of_the_zip(tmp_path: Path, prefix: str) -> None:
    table = HEADER + b"1,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,Name\n"
    path = make_zip(tmp_path / "a.zip", table, {"1.jpg": b"picture"}, prefix)
    with KaggleArchive.open(path) as archive:
        assert [row.id for row in archive.rows()] == ["1"]
        assert archive.read_image("1") == b"picture"
    zipfile.ZipFile(path).extractall(tmp_path / "unpacked")
    with KaggleArchive.open(tmp_path / "unpacked") as archive:
        assert [row.id for row in archive.rows()] == ["1"]
        assert archive.read_image("1") == b"picture"


def test_the_outer_copy_of_a_doubled_archive_is_read(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", HEADER + b"2,,Apparel,Topwear,Shirts,Blue,,,,Inner\n", prefix="myntradataset/")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("styles.csv", HEADER + b"1,,Apparel,Topwear,Shirts,Blue,,,,Outer\n")
    assert [row.id for row in read(path)] == ["1"]


def test_a_missing_image_is_an_error_with_its_name(tmp_path: Path) -> None:
    with (
        KaggleArchive.open(make_zip(tmp_path / "a.zip", HEADER)) as archive,
        pytest.raises(ArchiveImageError, match=r"no images/9\.jpg"),
    ):
        archive.read_image("9")


def test_a_damaged_image_is_an_error_with_its_name(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", HEADER, {"1.jpg": b"picture-bytes"})
    path.write_bytes(path.read_bytes().replace(b"picture-bytes", b"picture-bytez"))
    with KaggleArchive.open(path) as archive, pytest.raises(ArchiveImageError, match=r"images/1\.jpg is damaged"):
        archive.read_image("1")


def test_lines_are_counted_without_reading_rows(tmp_path: Path) -> None:
    with KaggleArchive.open(make_zip(tmp_path / "a.zip", HEADER + b"1\n\nbroken\n")) as archive:
        assert archive.count_lines() == 4


def test_a_damaged_table_is_an_error(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", HEADER + b"1,,Apparel,Topwear,Shirts,Blue,,,,Name\n")
    path.write_bytes(path.read_bytes().replace(b"Shirts", b"Shirtz"))
    with pytest.raises(ArchiveError, match=r"styles\.csv .* is damaged"):
        read(path)


def test_a_missing_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="there is no data set at"):
        KaggleArchive.open(tmp_path / "nowhere.zip")


def test_an_invalid_zip_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("not a zip")
    with pytest.raises(ArchiveError, match="is not a zip archive"):
        KaggleArchive.open(tmp_path / "a.zip")


def test_an_archive_without_a_table_is_an_error(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("other.csv", "")
    with pytest.raises(ArchiveError, match=r"has no styles\.csv"):
        KaggleArchive.open(tmp_path / "a.zip")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArchiveError, match=r"has no styles\.csv"):
        KaggleArchive.open(tmp_path / "empty")


def test_the_error_of_a_missing_column_has_its_name(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="has no column subCategory"):
        read(make_zip(tmp_path / "a.zip", b"id,articleType\n1,Shirts\n"))


def test_an_empty_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="has no column id"):
        read(make_zip(tmp_path / "a.zip", b""))


def test_rows_are_streamed(tmp_path: Path) -> None:
    table = io.BytesIO()
    table.write(HEADER)
    for number in range(20_000):
        table.write(b"%d,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,Name\n" % number)
    with KaggleArchive.open(make_zip(tmp_path / "a.zip", table.getvalue())) as archive:
        rows = archive.rows()
        assert [next(rows).id for _ in range(3)] == ["0", "1", "2"]
