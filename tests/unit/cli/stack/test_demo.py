"""What the demo says when it cannot begin."""

from pathlib import Path

import pytest

from services.cli.demo import DemoError, prepare
from services.local.settings import StackSettings


def test_a_sample_folder_with_other_files_is_named(tmp_path: Path) -> None:
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "notes.txt").write_text("mine")
    with pytest.raises(DemoError, match=r"sample contains other files \(notes\.txt, …\): give an empty"):
        prepare(StackSettings(state_dir=tmp_path), None)


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=r"no-such\.zip"):
        prepare(StackSettings(state_dir=tmp_path), tmp_path / "no-such.zip")


HEADER = "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName\n"


def archive(folder: Path, *rows: str) -> Path:
    (folder / "images").mkdir(parents=True)
    (folder / "styles.csv").write_text(HEADER + "".join(f"{row}\n" for row in rows))
    for number in "123":
        (folder / "images" / f"{number}.jpg").write_bytes(number.encode())
    return folder


BAD, PERFUME = "1,Men", "2,Men,Personal Care,Fragrance,Perfume,Blue,Fall,2011,Casual,Scent"
SHIRT = "3,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,Shirt"


def test_the_demo_searches_with_the_first_product_of_the_categories(tmp_path: Path) -> None:
    folder = archive(tmp_path / "data", BAD, PERFUME, SHIRT)
    source = prepare(StackSettings(state_dir=tmp_path), folder)
    assert (source.path, source.photo) == (folder, b"3")
    assert source.name.startswith("dataset-")
    assert len(source.name) == len("dataset-") + 8
    assert source.name == prepare(StackSettings(state_dir=tmp_path), folder).name
    assert source.name != prepare(StackSettings(state_dir=tmp_path), archive(tmp_path / "other", SHIRT)).name


def test_an_archive_without_a_product_of_the_categories_is_named(tmp_path: Path) -> None:
    folder = archive(tmp_path / "data", BAD, PERFUME)
    with pytest.raises(DemoError, match="data has no product of the nine categories"):
        prepare(StackSettings(state_dir=tmp_path), folder)
