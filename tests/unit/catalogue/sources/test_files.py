"""Folders, the Kaggle archive, mappings, and which reader a path is for."""

import os
import zipfile
from pathlib import Path

import pytest

from services.catalogue.sources.formats.image_folder import ImageFolder
from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.records.key_registry import KeyRegistry
from services.catalogue.sources.records.mapping import load_mapping
from services.catalogue.sources.records.rows import RejectedRow, SourceError, SourceImageError, SourceRow

TABLE = "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName\n"


def rows_of(path: Path) -> list[SourceRow | RejectedRow]:
    source = open_source(path)
    try:
        return list(source.rows())
    finally:
        source.close()


def products(path: Path) -> list[SourceRow]:
    rows = rows_of(path)
    assert all(isinstance(row, SourceRow) for row in rows), rows
    return [row for row in rows if isinstance(row, SourceRow)]


def image_of(row: SourceRow) -> bytes:
    assert not isinstance(row.image, str)
    return row.image()


def put(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def test_each_image_of_a_folder_is_a_product_whose_key_is_its_path_without_suffix(tmp_path: Path) -> None:
    put(tmp_path, "b.PNG", "Shoes/red/a_1.jpg", "Shoes/x.webp")
    found = products(tmp_path)
    assert [row.key for row in found] == ["b", "Shoes/x", "Shoes/red/a_1"]
    assert [row.title for row in found] == ["b", "x", "a 1"]
    assert [image_of(row) for row in found] == [b"b.PNG", b"Shoes/x.webp", b"Shoes/red/a_1.jpg"]


def test_the_names_of_the_folders_an_image_is_in_are_its_category_words_the_nearest_first(tmp_path: Path) -> None:
    put(tmp_path, "women/TOPWEAR/summer/1.jpg")
    (row,) = products(tmp_path)
    assert row.category_words == ("summer", "TOPWEAR", "women")
    assert not row.closed


def test_files_that_are_no_images_are_counted_and_hidden_ones_are_not_looked_at(tmp_path: Path) -> None:
    put(tmp_path, "1.jpg", "notes.txt", "LICENSE", "x/a.txt", ".hidden/2.jpg", ".3.jpg", "__MACOSX/4.jpg", "Thumbs.db")
    source = ImageFolder(tmp_path)
    assert [row.key for row in source.rows()] == ["1"]
    assert source.skipped == {".txt": 2, "LICENSE": 1}
    assert source.progress() == (1, 1)
    source.close()


def test_two_images_with_the_same_path_but_for_the_suffix_are_one_product_and_one_complaint(tmp_path: Path) -> None:
    put(tmp_path, "a.jpg", "a.png")
    first, second = rows_of(tmp_path)
    assert first.key == "a"
    assert isinstance(second, RejectedRow)
    assert second.key == "a"
    assert second.reason.startswith("a.png: another image has the same path")


def test_links_are_not_followed_out_of_the_folder(tmp_path: Path) -> None:
    put(tmp_path, "outside/secret.jpg", "shop/1.jpg")
    (tmp_path / "shop" / "link").symlink_to(tmp_path / "outside", target_is_directory=True)
    (tmp_path / "shop" / "2.jpg").symlink_to(tmp_path / "outside" / "secret.jpg")
    inside, link = products(tmp_path / "shop")
    assert (inside.key, link.key) == ("1", "2")
    with pytest.raises(SourceImageError, match="lies outside"):
        image_of(link)


def test_a_file_name_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    put(tmp_path, "1.jpg")
    try:
        (tmp_path / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    rows = rows_of(tmp_path)
    assert [row.reason for row in rows if isinstance(row, RejectedRow)] == [r"the name b'caf\xe9.jpg' is not UTF-8"]


def test_a_folder_without_images_says_so(tmp_path: Path) -> None:
    put(tmp_path, "notes.txt")
    with pytest.raises(SourceError, match="there is no image in"):
        open_source(tmp_path)


def archive(path: Path, *lines: str, images: tuple[str, ...] = ()) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("styles.csv", TABLE + "\n".join(lines))
        for name in images:
            file.writestr(f"images/{name}.jpg", name.encode())
    return path


def test_the_kaggle_archive_gives_products_with_their_attributes(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "a.zip", "15970,Men,Apparel,Topwear,Shirts,Navy Blue,,2011,Casual,Turtle Shirt", images=("15970",)
    )
    source = open_source(path)
    (row,) = source.rows()
    assert isinstance(row, SourceRow)
    assert (row.key, row.line, row.title) == ("15970", 2, "Turtle Shirt")
    assert row.category_words == ("Topwear",)
    assert row.closed
    assert row.attributes == {
        "gender": "Men",
        "masterCategory": "Apparel",
        "subCategory": "Topwear",
        "articleType": "Shirts",
        "baseColour": "Navy Blue",
        "year": 2011,
        "usage": "Casual",
    }
    assert image_of(row) == b"15970"
    assert source.progress() == (2, 2)
    source.close()


def test_the_archives_other_rows_come_too_and_leave_it_to_the_importer_what_they_are(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "a.zip", "1,,Footwear,Sandal,Sandals,Blue,,,,Sandal", "x,,A,Topwear,Shirts,Blue,,,,Broken id"
    )
    sandal, broken = rows_of(path)
    assert isinstance(sandal, SourceRow)
    assert (sandal.category_words, sandal.closed) == (("Sandal",), True)
    assert broken == RejectedRow(3, None, "the id 'x' is not a number")
    with pytest.raises(SourceImageError, match=r"no images/1\.jpg"):
        image_of(sandal)


def test_a_folder_with_a_table_is_the_unpacked_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(archive(tmp_path / "a.zip", "1,,A,Topwear,Shirts,Blue,,,,Name", images=("1",))) as file:
        file.extractall(tmp_path / "unpacked" / "inner")
    (row,) = products(tmp_path / "unpacked")
    assert (row.key, row.closed) == ("1", True)


@pytest.mark.parametrize("name", ["feed.pdf", "feed.xlsx", "photo.jpg", "feed"])
def test_a_file_of_another_kind_is_refused_with_the_kinds_that_are_taken(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    with pytest.raises(SourceError, match=r"none of what can be imported: .*\.csv.*\.ndjson"):
        open_source(tmp_path / name)


def test_a_path_that_leads_nowhere_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is nothing at"):
        open_source(tmp_path / "none.csv")


def test_a_zip_that_is_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("x")
    with pytest.raises(SourceError, match="is not a zip archive"):
        open_source(tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.json", '{"columns": {"sku": "id"}, "categories": {"T-Shirts ": "Topwear", "Perfume": null}}'),
        ("m.toml", '[columns]\nsku = "id"\n[categories]\n"T-Shirts " = "Topwear"\n"Perfume" = ""\n'),
    ],
)
def test_a_mapping_is_read_from_json_and_toml(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    mapping = load_mapping(tmp_path / name)
    assert mapping.columns == {"sku": "id"}
    assert mapping.categories == {"t-shirts": "Topwear", "perfume": None}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("m.json", "{", "neither JSON nor TOML"),
        ("m.toml", "= 1", "neither JSON nor TOML"),
        ("m.json", "[1]", "is not valid"),
        ("m.json", '{"colums": {}}', "is not valid: colums"),
        ("m.json", '{"types": {"a": "date"}}', "is not valid: types.a"),
        ("m.json", '{"columns": {"a": "id", "b": "id"}}', "two columns are mapped to 'id'"),
    ],
)
def test_a_mapping_that_is_wrong_says_where(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SourceError, match=words):
        load_mapping(tmp_path / name)


def test_a_mapping_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        load_mapping(tmp_path / "none.json")


def test_seen_keys_know_the_first_line_of_each_of_many() -> None:
    seen = KeyRegistry()
    for number in range(1, 50_001):
        assert seen.first(f"key-{number}", number) == number
    assert [seen.first(f"key-{number}", 99_999) for number in (1, 25_000, 50_000)] == [1, 25_000, 50_000]
    assert seen.first("Key-1", 7) == 7
    seen.close()
