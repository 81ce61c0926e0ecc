"""Reading the archive of street photos, zipped or unpacked."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from tests.support.pictures.street_photos import HEADER, HEIGHT, MASK_VALUES, SHIRT, WIDTH, street_archive
from training.data.archives.street_photos import read_street_photos, street_part
from training.errors import TrainingError
from training.progress import Terminal


def test_garments_of_the_nine_categories_have_boxes_in_pixels(tmp_path: Path) -> None:
    photos = read_street_photos(street_archive(tmp_path / "street.zip"), 7, Terminal())
    photo = photos["training"][0]
    assert photo.picture.shape == (HEIGHT, WIDTH, 3)
    assert [CATEGORIES[category] for category in photo.categories] == ["Topwear", "Bottomwear"]
    np.testing.assert_allclose(photo.boxes[0], np.array(SHIRT) * (WIDTH, HEIGHT, WIDTH, HEIGHT), atol=0.01)


def test_garments_have_their_pixels_where_the_archive_has_masks(tmp_path: Path) -> None:
    photo = read_street_photos(street_archive(tmp_path / "street.zip"), 7, Terminal())["training"][0]
    assert photo.values.tolist() == [MASK_VALUES["shirt"], MASK_VALUES["pants"]]
    rows, columns = np.nonzero(photo.mask == photo.values[0])
    left, top, right, bottom = photo.boxes[0] / 2  # the masks have half the size of the photos
    assert (columns.min(), rows.min()) == (pytest.approx(left, abs=1), pytest.approx(top, abs=1))
    assert (columns.max() + 1, rows.max() + 1) == (pytest.approx(right, abs=1), pytest.approx(bottom, abs=1))
    without = read_street_photos(street_archive(tmp_path / "plain.zip", masks=False), 7, Terminal())["training"][0]
    assert without.mask.size == without.values.size == 0


@pytest.mark.parametrize("labels", ["[1, 2]", "no json", '{"three": "shirt"}'])
def test_mask_labels_of_another_form_are_one_sentence(tmp_path: Path, labels: str) -> None:
    path = street_archive(tmp_path / "street.zip", masks=False)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("mask-labels.json", labels)
    with pytest.raises(TrainingError, match="has to be an object of labels by value"):
        read_street_photos(path, 7, Terminal())


def test_the_parts_are_split_by_photo(tmp_path: Path) -> None:
    parts = read_street_photos(street_archive(tmp_path / "street.zip"), 7, Terminal())
    names = {part: {photo.name for photo in photos} for part, photos in parts.items()}
    assert sum(map(len, names.values())) == 60
    assert len(names["training"]) > len(names["validation"]) > 0
    assert all(street_part(name, 7) == part for part, members in names.items() for name in members)


def test_a_folder_is_read_as_the_archive_is(tmp_path: Path) -> None:
    archive = street_archive(tmp_path / "street.zip")
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path / "street")
    zipped, unpacked = (read_street_photos(path, 7, Terminal()) for path in (archive, tmp_path / "street"))
    assert [photo.name for photo in zipped["test"]] == [photo.name for photo in unpacked["test"]]


def test_a_photo_that_cannot_be_read_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = read_street_photos(street_archive(tmp_path / "street.zip", damaged=("0003",)), 7, Terminal())
    assert "0003" not in {photo.name for photos in parts.values() for photo in photos}
    assert "street photo 0003: it cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, "has no items.csv"),
        (f"{HEADER}\n0001,i,shirt,Topwear,0.1,0.2,wide,0.4,0.1\n", "line 2: x0, y0, x1, y1 have to be numbers"),
        ("photo,category\n0001,Topwear\n", "has no column x0, x1, y0, y1"),
        (f"{HEADER}\n", "the training part has no street photo"),
    ],
    ids=["no table", "no number", "no box", "no row"],
)
def test_another_archive_is_one_sentence(tmp_path: Path, table: str | None, message: str) -> None:
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "another archive")
        if table is not None:
            archive.writestr("items.csv", table)
    with pytest.raises(TrainingError, match=message):
        read_street_photos(path, 7, Terminal())


def test_a_path_without_an_archive_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="there are no street photos at"):
        read_street_photos(tmp_path / "missing.zip", 7, Terminal())
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(TrainingError, match="is not a zip archive"):
        read_street_photos(tmp_path / "text.zip", 7, Terminal())
