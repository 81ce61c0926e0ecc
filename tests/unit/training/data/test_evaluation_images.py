from pathlib import Path

import pytest
from PIL import Image

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.manifest import InputSize, Manifest
from tests.support.pictures.street import make_negatives, make_street
from tests.support.pictures.tiny_network import archives
from training.data.archives.dataset import archive_sha256
from training.data.archives.photos import sender_mark
from training.data.evaluation_images import DRAWN, EvaluationSources, ImageChoice, gather, in_part, unseen
from training.data.split import part_of
from training.errors import TrainingError
from training.progress import Terminal

SIZE = InputSize(height=24, width=24)


def manifest(**dataset: object) -> Manifest:
    return Manifest(
        name="fashion", version=2, architecture="tiny", input=SIZE, categories=CATEGORIES, dimension=64,
        unit_length=True,         parameters=1, dataset=dataset, seed=7, command="x", created="x",
    )  # fmt: skip


def folder(path: Path, count: int = 2) -> Path:
    path.mkdir()
    for number in range(count):
        Image.effect_noise((300, 200), 40 + number).convert("RGB").save(path / f"{number}.png")
    return path


def test_the_images_of_all_sources_are_gathered(tmp_path: Path) -> None:
    products, photos = archives(tmp_path)
    pictures = folder(tmp_path / "pictures")
    (pictures / "broken.jpg").write_text("no picture")
    sources = EvaluationSources(products, photos, pictures, pictures)
    images = gather(sources, SIZE, ImageChoice(), 7, Terminal())
    assert images.photos is not None
    assert {name: len(kind) for name, kind in images.no_clothing.items()} == {
        "other products": 20, "other photos": 12, "drawn": DRAWN, "pictures": 2,
    }  # fmt: skip
    assert all(kind.shape[1:] == (24, 24, 3) for kind in images.no_clothing.values())
    assert sorted(images.backgrounds) == ["drawn", "photos", "pictures"]
    assert all(patches.shape[1:] == (128, 128, 3) for patches in images.backgrounds.values())
    assert len(images.backgrounds["photos"]) == 2 * (len(images.photos.images) + 12)


def test_only_the_chosen_products_and_senders_are_used(tmp_path: Path) -> None:
    products, photos = archives(tmp_path)
    choice = ImageChoice(in_part("test", 7), lambda sender: sender == "3")
    images = gather(EvaluationSources(products, photos), SIZE, choice, 7, Terminal())
    test_part = [n for n in range(5000, 5020) if part_of(str(n), 7) == "test"]
    assert len(images.no_clothing.get("other products", ())) == len(test_part)
    assert images.photos is not None
    assert set(images.photos.senders) == {"3"}
    assert images.photos.senders_excluded == 11


def test_without_photos_and_folders_there_are_the_archive_and_drawn_patterns(tmp_path: Path) -> None:
    images = gather(EvaluationSources(archives(tmp_path)[0]), SIZE, ImageChoice(), 7, Terminal())
    assert images.photos is None
    assert (sorted(images.no_clothing), sorted(images.backgrounds)) == (["drawn", "other products"], ["drawn"])


def test_street_garments_and_kinds_of_negatives_are_those_of_their_parts(tmp_path: Path) -> None:
    sources = EvaluationSources(
        archives(tmp_path)[0], negatives=make_negatives(tmp_path / "n.zip"), street=make_street(tmp_path / "s.zip")
    )
    images = gather(sources, SIZE, ImageChoice(street_part="test", negatives_part="test", seed=7), 7, Terminal())
    assert images.street is not None and images.street_chosen is not None
    judged = images.street.take(images.street_chosen)
    assert set(judged.parts) == {"test"} and judged.categories.max() < len(CATEGORIES)
    assert images.unseen_kinds == ("animal",)
    everything = gather(sources, SIZE, ImageChoice(seed=7), 7, Terminal())
    assert everything.street_chosen is not None
    assert everything.street_chosen.sum() == 90 > images.street_chosen.sum()
    assert len(everything.no_clothing["animal"]) == 120 > len(images.no_clothing["animal"])
    assert len(everything.no_clothing["street-window"]) == 60
    assert images.animals is not None and everything.animals is not None
    assert 0 < len(images.animals) == len(everything.animals) < 120  # those of kinds that are trained on are left out
    sources.refuse_trained_on(manifest())  # an archive with kinds is split, not refused


def test_senders_in_the_training_data_are_recognised_by_their_marks() -> None:
    new = unseen(manifest(photos={"senders_seen": [sender_mark("5")]}), [sender_mark("8")])
    assert (new("5"), new("6"), new("8")) == (False, True, False)
    assert unseen(manifest())("5")


def test_pictures_of_the_training_data_are_refused(tmp_path: Path) -> None:
    pictures = folder(tmp_path / "pictures")
    trained_on = manifest(backgrounds={"sha256": archive_sha256(pictures)})
    sources = EvaluationSources(tmp_path, negatives=pictures)
    with pytest.raises(TrainingError, match="fashion/2 was trained on the pictures in"):
        sources.refuse_trained_on(trained_on)
    sources.refuse_trained_on(manifest())
    with pytest.raises(TrainingError, match="there is no folder"):
        EvaluationSources(tmp_path, backgrounds=tmp_path / "none").refuse_trained_on(manifest())
    with pytest.raises(TrainingError, match="holds no JPEG"):
        EvaluationSources(tmp_path, backgrounds=folder(tmp_path / "empty", 0)).refuse_trained_on(manifest())
