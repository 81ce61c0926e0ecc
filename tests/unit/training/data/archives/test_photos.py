import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.manifest import InputSize
from tests.support.pictures.archives import jpeg, make_photos
from training.data.archives.photos import LABELS, read_photos
from training.errors import TrainingError
from training.progress import Terminal

SIZE = InputSize(height=32, width=32)
PICTURE = jpeg("Topwear", "Red", np.random.default_rng(1))


def test_labels_become_categories_and_other_photos_are_counted(tmp_path: Path) -> None:
    lines = ("a,1,T-Shirt,False", "b,1,Pants,True", "c,2,Dress,False", "d,3,Shoes,False", "e,3,Undershirt,False")
    path = make_photos(tmp_path / "p.zip", lines, dict.fromkeys("abcde", PICTURE))
    photos = read_photos(path, SIZE, CATEGORIES, Terminal(Console(file=io.StringIO())))
    assert [CATEGORIES[label] for label in photos.labels] == ["Topwear", "Bottomwear", "Shoes", "Innerwear"]
    assert photos.senders.tolist() == ["1", "1", "3", "3"]
    assert photos.images.shape == (4, 32, 32, 3)
    assert photos.skipped == 1
    assert photos.others.shape == (1, 32, 32, 3)


def test_photos_with_unclear_labels_are_only_counted(tmp_path: Path) -> None:
    lines = ("a,1,T-Shirt,False", "b,1,Not sure,False", "c,2,Other,False", "d,2,Hat,False")
    path = make_photos(tmp_path / "p.zip", lines, dict.fromkeys("abcd", PICTURE))
    photos = read_photos(path, SIZE, CATEGORIES, Terminal(Console(file=io.StringIO())))
    assert (len(photos.images), len(photos.others), photos.skipped) == (1, 1, 3)


def test_only_wanted_senders_are_read(tmp_path: Path) -> None:
    path = make_photos(tmp_path / "p.zip", ("a,1,T-Shirt,False", "b,2,Pants,True"), dict.fromkeys("ab", PICTURE))
    quiet = Terminal(Console(file=io.StringIO()))
    photos = read_photos(path, SIZE, CATEGORIES, quiet, lambda sender: sender == "2")
    assert (photos.senders.tolist(), photos.senders_excluded) == (["2"], 1)
    with pytest.raises(TrainingError, match="of a sender that the model has not seen"):
        read_photos(path, SIZE, CATEGORIES, quiet, lambda sender: False)


def test_missing_and_broken_photos_are_reported_and_left_out(tmp_path: Path) -> None:
    output = io.StringIO()
    lines = ("a,1,T-Shirt,False", "gone,1,Pants,True", "broken,2,Shirt,False")
    path = make_photos(tmp_path / "p.zip", lines, {"a": PICTURE, "broken": b"no picture"})
    photos = read_photos(path, SIZE, CATEGORIES, Terminal(Console(file=output, soft_wrap=True)))
    assert (len(photos.labels), photos.unreadable) == (1, 2)
    assert "photo gone: missing" in output.getvalue()
    assert "photo broken:" in output.getvalue()


def test_every_mapped_category_is_one_of_the_nine() -> None:
    assert set(LABELS.values()) <= set(CATEGORIES)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "there are no photos"), (b"text", "not a zip"), (b"PK\5\6" + b"\0" * 18, "images.csv")],
)
def test_a_path_that_is_not_a_photo_archive_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "p.zip").write_bytes(content)
    with pytest.raises(TrainingError, match=message):
        read_photos(tmp_path / "p.zip", SIZE, CATEGORIES, Terminal(Console(file=io.StringIO())))
