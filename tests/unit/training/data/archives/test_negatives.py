from pathlib import Path

import pytest

from services.contracts.domain.manifest import InputSize
from tests.support.pictures.archives import make_archive
from tests.support.pictures.street import make_negatives
from training.data.archives.negatives import negative_part, read_negatives
from training.data.archives.street import photo_part
from training.errors import TrainingError
from training.progress import Terminal

INPUT = InputSize(height=24, width=24)


def test_whole_kinds_are_kept_apart_and_windows_are_split_by_their_photo(tmp_path: Path) -> None:
    negatives = read_negatives(make_negatives(tmp_path / "negatives.zip"), INPUT, 7, Terminal())
    assert negatives.images.shape == (180, 24, 24, 3)
    assert set(negatives.parts) == {"training", "validation", "test"}
    for kind in {kind for kind in negatives.kinds.tolist() if kind.startswith("animal")}:
        assert len(set(negatives.parts[negatives.kinds == kind])) == 1
    windows = negatives.families == "street-window"
    assert windows.sum() == 60 and set(negatives.parts[windows]) == {"training", "validation", "test"}
    assert (negatives.unseen == ~windows).all()
    assert negative_part("street-window", "ccp-3", 7) == photo_part("ccp-3", 7)


def test_the_same_thing_in_two_families_is_one_kind() -> None:
    things = [f"thing {number}" for number in range(50)]
    parts = [negative_part(f"food-shelf:{thing}", "a", 7) for thing in things]
    assert parts == [negative_part(f"food-iconic:{thing}", "b", 7) for thing in things]
    assert set(parts) == {"training", "validation", "test"}


def test_pictures_that_cannot_be_read_are_rejected(tmp_path: Path) -> None:
    rows = ("images/none.jpg,animal:1,x", "/etc/hostname,animal:1,x")
    assert len(read_negatives(make_negatives(tmp_path / "n.zip", 2, rows), INPUT, 7, Terminal()).kinds) == 64
    with pytest.raises(TrainingError, match=r"has no negatives\.csv"):
        read_negatives(make_archive(tmp_path / "a.zip", 1), INPUT, 7, Terminal())
