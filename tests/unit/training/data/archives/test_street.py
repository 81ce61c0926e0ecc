import zipfile
from pathlib import Path

import numpy as np
import pytest

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.manifest import InputSize
from tests.support.pictures.archives import make_archive
from tests.support.pictures.street import make_street
from training.data.archives.street import photo_part, read_street
from training.data.contents import OTHER_CLOTHING
from training.errors import TrainingError
from training.progress import Terminal

INPUT = InputSize(height=24, width=24)


def test_garments_are_read_with_their_cutouts_categories_and_labels(tmp_path: Path) -> None:
    street = read_street(make_street(tmp_path / "street.zip"), INPUT, 7, Terminal())
    assert street.crops.shape == street.cutouts.shape == (120, 24, 24, 3)
    assert list(street.has_cutout[:4]) == [True, False, True, False]
    np.testing.assert_array_equal(street.cutouts[0], street.crops[0])
    assert (street.cutouts[1] == 255).all()
    jeans, belt = street.labels == "jeans", street.labels == "belt"
    assert (street.categories[jeans] == CATEGORIES.index("Bottomwear")).all()
    assert (street.categories[belt] == OTHER_CLOTHING).all()
    assert len(set(street.items.tolist())) == 120


def test_all_pieces_of_a_photo_are_in_the_same_part(tmp_path: Path) -> None:
    street = read_street(make_street(tmp_path / "street.zip"), INPUT, 7, Terminal())
    assert set(street.parts) == {"training", "validation", "test"}
    for photo in set(street.photos.tolist()):
        assert set(street.parts[street.photos == photo]) == {photo_part(photo, 7)}
    taken = street.take(street.parts == "test")
    assert set(taken.parts) == {"test"} and len(taken.crops) == (street.parts == "test").sum()


def test_an_unpacked_archive_gives_the_same_garments(tmp_path: Path) -> None:
    archive = make_street(tmp_path / "street.zip", photos=3)
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path / "folder")
    zipped = read_street(archive, INPUT, 7, Terminal())
    folder = read_street(tmp_path / "folder", INPUT, 7, Terminal())
    np.testing.assert_array_equal(zipped.crops, folder.crops)
    np.testing.assert_array_equal(zipped.has_cutout, folder.has_cutout)


def test_garments_without_a_readable_crop_are_rejected_and_counted(tmp_path: Path) -> None:
    rows = ("photos/none.jpg,,item,jeans,Bottomwear,ccp-1", "../secret.jpg,,item,jeans,Bottomwear,ccp-1", ",,,,,")
    street = read_street(make_street(tmp_path / "street.zip", 3, rows), INPUT, 7, Terminal())
    assert (len(street.crops), street.unreadable) == (6, 3)


def test_other_archives_are_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"has no garments\.csv"):
        read_street(make_archive(tmp_path / "a.zip", 1), INPUT, 7, Terminal())
    with pytest.raises(TrainingError, match="there is no archive at"):
        read_street(tmp_path / "none.zip", INPUT, 7, Terminal())
    (tmp_path / "broken.zip").write_bytes(b"PK")
    with pytest.raises(TrainingError, match="is not a zip archive"):
        read_street(tmp_path / "broken.zip", INPUT, 7, Terminal())
    with pytest.raises(TrainingError, match="has no usable street garment"):
        read_street(make_street(tmp_path / "empty.zip", 0), INPUT, 7, Terminal())
    with zipfile.ZipFile(tmp_path / "columns.zip", "w") as archive:
        archive.writestr("garments.csv", "file,label\n")
    with pytest.raises(TrainingError, match="has no column category, cutout, item, photo"):
        read_street(tmp_path / "columns.zip", INPUT, 7, Terminal())
