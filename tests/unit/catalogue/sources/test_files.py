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
    rows = products(tmp_path)
    assert [row.key for row in rows] == ["b", "Shoes/x", "Shoes/red/a_1"]
    assert [row.title for row in rows] == ["b", "x", "a 1"]
    assert [image_of(row) for row in rows] == [b"b.PNG", b"Shoes/x.webp", b"Shoes/red/a_1.jpg"]


def test_the_folders_of_an_image_are_its_category_words_the_nearest_first(tmp_path: Path) -> None:
    put(tmp_path, "women/TOPWEAR/summer/1.jpg")
    (row,) = products(tmp_path)
    assert row.category_words == ("summer", "TOPWEAR", "women")
    assert not row.category_required


def test_other_files_are_counted_and_hidden_ones_are_ignored(tmp_path: Path) -> None:
    put(tmp_path, "1.jpg", "notes.txt", "LICENSE", "x/a.txt", ".hidden/2.jpg", ".3.jpg", "__MACOSX/4.jpg", "Thumbs.db")
    source = ImageFolder(tmp_path)
    assert [row.key for row in source.rows()] == ["1"]
    assert source.skipped == {".txt": 2, "LICENSE": 1}
    assert source.progress() == (1, 1)
    source.close()


def test_of_two_images_with_the_same_path_but_another_suffix_the_second_is_rejected(tmp_path: Path) -> None:
    put(tmp_path, "a.jpg", "a.png")
    first, second = rows_of(tmp_path)
    assert first.key == "a"
    assert isinstance(second, RejectedRow)
    assert second.key == "a"
    assert second.reason == "a.png: another image has the same path with another suffix"


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    put(tmp_path, "outside/secret.jpg", "shop/1.jpg")
    (tmp_path / "shop" / "link").symlink_to(tmp_path / "outside", target_is_directory=True)
    (tmp_path / "shop" / "2.jpg").symlink_to(tmp_path / "outside" / "secret.jpg")
    inside, link = products(tmp_path / "shop")
    assert (inside.key, link.key) == ("1", "2")
    with pytest.raises(SourceImageError, match="is outside"):
        image_of(link)


def test_a_file_name_that_is_not_utf_8_is_rejected(tmp_path: Path) -> None:
    put(tmp_path, "1.jpg")
    try:
        (tmp_path / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    rows = rows_of(tmp_path)
    assert [row.reason for row in rows if isinstance(row, RejectedRow)] == [r"the name b'caf\xe9.jpg' is not UTF-8"]


def test_a_path_that_is_too_long_for_an_id_is_rejected_and_the_others_are_read(tmp_path: Path) -> None:
    long, longest = "a" * 200 + "/" + "b" * 56, "a" * 200 + "/" + "b" * 55
    put(tmp_path, "1.jpg", f"{long}.jpg", f"{longest}.jpg")
    first, accepted, rejected = rows_of(tmp_path)
    assert (first.key, accepted.key) == ("1", longest)
    reason = f"{long}.jpg: the id has 257 characters: at most 256 are accepted"
    assert rejected == RejectedRow(None, None, reason)


def test_a_folder_without_images_is_an_error(tmp_path: Path) -> None:
    put(tmp_path, "notes.txt")
    with pytest.raises(SourceError, match="there is no image in"):
        open_source(tmp_path)


def archive(path: Path, *lines: str, images: tuple[str, ...] = ()) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("styles.csv", TABLE + "\n".join(lines))
        for name in images:
            file.writestr(f"images/{name}.jpg", name.encode())
    return path


def test_the_kaggle_archive_has_products_with_attributes(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "a.zip", "15970,Men,Apparel,Topwear,Shirts,Navy Blue,,2011,Casual,Turtle Shirt", images=("15970",)
    )
    source = open_source(path)
    (row,) = source.rows()
    assert isinstance(row, SourceRow)
    assert (row.key, row.line, row.title) == ("15970", 2, "Turtle Shirt")
    assert row.category_words == ("Topwear",)
    assert row.category_required
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


def test_other_subcategories_of_the_archive_require_a_category(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "a.zip", "1,,Footwear,Sandal,Sandals,Blue,,,,Sandal", "x,,A,Topwear,Shirts,Blue,,,,Broken id"
    )
    sandal, broken = rows_of(path)
    assert isinstance(sandal, SourceRow)
    assert (sandal.category_words, sandal.category_required) == (("Sandal",), True)
    assert broken == RejectedRow(3, None, "the id 'x' is not a number")
    with pytest.raises(SourceImageError, match=r"no images/1\.jpg"):
        image_of(sandal)


def test_a_folder_with_a_table_is_the_extracted_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(archive(tmp_path / "a.zip", "1,,A,Topwear,Shirts,Blue,,,,Name", images=("1",))) as file:
        file.extractall(tmp_path / "unpacked" / "inner")
    (row,) = products(tmp_path / "unpacked")
    assert (row.key, row.category_required) == ("1", True)


@pytest.mark.parametrize("name", ["feed.pdf", "feed.xlsx", "photo.jpg", "feed"])
def test_the_error_of_another_format_lists_the_accepted_formats(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    with pytest.raises(SourceError, match=r"cannot be imported: give .*\.csv.*\.ndjson"):
        open_source(tmp_path / name)


def test_a_missing_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist: give"):
        open_source(tmp_path / "none.csv")


def test_an_invalid_zip_is_an_error(tmp_path: Path) -> None:
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
    ("name", "text", "message"),
    [
        ("m.json", "{", "neither JSON nor TOML"),
        ("m.toml", "= 1", "neither JSON nor TOML"),
        ("m.json", "[1]", "is not valid"),
        ("m.json", '{"colums": {}}', "is not valid: colums"),
        ("m.json", '{"types": {"a": "date"}}', "is not valid: types.a"),
        ("m.json", '{"columns": {"a": "id", "b": "id"}}', "two columns are mapped to 'id'"),
    ],
)
def test_the_error_of_an_invalid_mapping_names_the_place(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SourceError, match=message):
        load_mapping(tmp_path / name)


def test_a_missing_mapping_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        load_mapping(tmp_path / "none.json")


def test_the_registry_returns_the_first_line_of_each_key() -> None:
    registry = KeyRegistry()
    for number in range(1, 50_001):
        assert registry.first(f"key-{number}", number) == number
    assert [registry.first(f"key-{number}", 99_999) for number in (1, 25_000, 50_000)] == [1, 25_000, 50_000]
    assert registry.first("Key-1", 7) == 7
    registry.close()
