from pathlib import Path

import numpy as np
import pytest

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.manifest import InputSize
from tests.support.pictures.archives import jpeg, make_archive, make_photos
from tests.support.pictures.tiny_network import SIZE, archives
from training.data.archives.photos import sender_mark
from training.data.archives.training_images import read_people, read_studio, sender_part, senders_seen
from training.data.contents import NONE, UNKNOWN
from training.data.split import part_of
from training.errors import TrainingError
from training.progress import Terminal

INPUT = InputSize(height=SIZE, width=SIZE)


def test_all_rows_with_an_image_are_read_and_those_outside_the_nine_are_none(tmp_path: Path) -> None:
    studio = read_studio(archives(tmp_path)[0], INPUT, 7, Terminal())
    assert len(studio.ids) == 12 * 9 + 20
    assert (studio.categories == NONE).sum() == 20
    assert studio.images.shape == (128, SIZE, SIZE, 3)
    assert studio.alphas.shape == (128, SIZE, SIZE)
    assert list(studio.ids) == sorted(studio.ids, key=int)
    assert list(studio.parts) == [part_of(product, 7) for product in studio.ids]
    position = list(studio.ids).index("1002")
    assert studio.categories[position] == CATEGORIES.index("Bags")


def test_the_classes_of_attributes_are_those_of_the_training_part(tmp_path: Path) -> None:
    studio = read_studio(archives(tmp_path)[0], INPUT, 7, Terminal())
    training = studio.parts == "training"
    assert studio.classes()["kinds"] == len(np.unique(studio.kinds[training]))
    assert studio.classes()["colours"] == 3
    assert set(studio.pairs) >= {UNKNOWN}
    for pair in range(studio.classes()["pairs"]):
        assert (studio.pairs[training] == pair).sum() >= 4
        assert len(np.unique(studio.kinds[studio.pairs == pair])) == 1


def test_an_attribute_without_values_has_one_class_without_products(tmp_path: Path) -> None:
    lines = tuple(f"{n},,,Shirts,,,,,," for n in (1, 2))
    pictures = {str(n): jpeg("Topwear", "Red", np.random.default_rng(n)) for n in (1, 2)}
    studio = read_studio(make_archive(tmp_path / "a.zip", 0, lines, extra_pictures=pictures), INPUT, 7, Terminal())
    assert studio.classes() == {"kinds": 1, "colours": 1, "pairs": 1, "genders": 1}
    assert (studio.kinds == UNKNOWN).all()


def test_photos_are_split_by_sender_and_unclear_labels_are_left_out(tmp_path: Path) -> None:
    people = read_people(archives(tmp_path)[1], INPUT, 7, Terminal())
    assert len(people.images) == 60
    assert (people.categories == NONE).sum() == 12
    for sender in set(people.senders):
        assert set(people.parts[people.senders == sender]) == {sender_part(sender, 7)}


def test_the_senders_of_the_training_data_are_recorded_by_marks(tmp_path: Path) -> None:
    path = archives(tmp_path)[1]
    marks = senders_seen(path, 7)
    test_part = [str(n) for n in range(12) if sender_part(str(n), 7) == "test"]
    assert len(marks) == 12 - len(test_part)
    assert not {sender_mark(sender) for sender in test_part} & set(marks)


def test_archives_without_usable_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="has no usable image"):
        read_studio(make_archive(tmp_path / "a.zip", 0), INPUT, 7, Terminal())
    with pytest.raises(TrainingError, match="has no usable photo"):
        read_people(make_photos(tmp_path / "p.zip", ("x,1,T-Shirt,False",), {}), INPUT, 7, Terminal())
