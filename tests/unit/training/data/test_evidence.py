from pathlib import Path

import pytest
from PIL import Image

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.manifest import InputSize, Manifest
from tests.support.tiny_network import archives
from training.data.dataset import archive_sha256
from training.data.evidence import DRAWN, Sources, gather, in_part, unseen
from training.data.photos import sender_mark
from training.data.split import part_of
from training.errors import TrainingError
from training.progress import Terminal

SIZE = InputSize(height=24, width=24)


def manifest(**dataset: object) -> Manifest:
    return Manifest(
        name="fashion", version=2, architecture="tiny", input=SIZE, categories=CATEGORIES, dimension=64, unit_length=True,
        parameters=1, dataset=dataset, seed=7, command="x", created="x",
    )  # fmt: skip


def folder(path: Path, count: int = 2) -> Path:
    path.mkdir()
    for number in range(count):
        Image.effect_noise((300, 200), 40 + number).convert("RGB").save(path / f"{number}.png")
    return path


def test_everything_that_is_at_hand_is_gathered(tmp_path: Path) -> None:
    products, photos = archives(tmp_path)
    pictures = folder(tmp_path / "pictures")
    (pictures / "broken.jpg").write_text("no picture")
    sources = Sources(products, photos, pictures, pictures)
    found = gather(sources, SIZE, lambda product: True, lambda sender: True, 7, Terminal())
    assert found.photos is not None
    assert {name: len(images) for name, images in found.nothing.items()} == {
        "other products": 20, "other photos": 12, "drawn": DRAWN, "pictures": 2,
    }  # fmt: skip
    assert all(images.shape[1:] == (24, 24, 3) for images in found.nothing.values())
    assert sorted(found.grounds) == ["drawn", "photos", "pictures"]
    assert all(patches.shape[1:] == (128, 128, 3) for patches in found.grounds.values())
    assert len(found.grounds["photos"]) == 2 * (len(found.photos.images) + 12)


def test_only_the_part_and_the_senders_asked_for_are_taken(tmp_path: Path) -> None:
    products, photos = archives(tmp_path)
    found = gather(Sources(products, photos), SIZE, in_part("test", 7), lambda sender: sender == "3", 7, Terminal())
    wanted = [n for n in range(5000, 5020) if part_of(str(n), 7) == "test"]
    assert len(found.nothing.get("other products", ())) == len(wanted)
    assert found.photos is not None
    assert set(found.photos.senders) == {"3"}
    assert found.photos.senders_left_out == 11


def test_without_photos_and_folders_the_archive_and_drawings_are_left(tmp_path: Path) -> None:
    found = gather(Sources(archives(tmp_path)[0]), SIZE, lambda p: True, lambda s: True, 7, Terminal())
    assert found.photos is None
    assert (sorted(found.nothing), sorted(found.grounds)) == (["drawn", "other products"], ["drawn"])


def test_senders_whom_the_model_has_seen_are_known_by_their_marks() -> None:
    wanted = unseen(manifest(photos={"senders_seen": [sender_mark("5")]}), [sender_mark("8")])
    assert (wanted("5"), wanted("6"), wanted("8")) == (False, True, False)
    assert unseen(manifest())("5")


def test_pictures_that_were_trained_on_are_refused(tmp_path: Path) -> None:
    pictures = folder(tmp_path / "pictures")
    trained_on = manifest(backgrounds={"sha256": archive_sha256(pictures)})
    sources = Sources(tmp_path, negatives=pictures)
    with pytest.raises(TrainingError, match="fashion/2 was trained on the pictures in"):
        sources.refuse_trained_on(trained_on)
    sources.refuse_trained_on(manifest())
    with pytest.raises(TrainingError, match="there is no folder"):
        Sources(tmp_path, backgrounds=tmp_path / "none").refuse_trained_on(manifest())
    with pytest.raises(TrainingError, match="holds no JPEG"):
        Sources(tmp_path, backgrounds=folder(tmp_path / "empty", 0)).refuse_trained_on(manifest())
