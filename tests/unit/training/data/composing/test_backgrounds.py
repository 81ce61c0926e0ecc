from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.pictures.tiny_network import people
from training.data.composing import backgrounds
from training.data.composing.backgrounds import PATCH, corners, drawn, patches_of, pictures_in, read_backgrounds
from training.errors import TrainingError
from training.progress import Terminal


def picture(path: Path, width: int, height: int) -> Path:
    path.parent.mkdir(exist_ok=True)
    Image.effect_noise((width, height), 60).convert("RGB").save(path)
    return path


def test_drawn_patterns_depend_on_the_seed_and_differ() -> None:
    first, again = (np.stack(list(drawn(np.random.default_rng(5), 20))) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (20, PATCH, PATCH, 3)
    assert len(np.unique(first.reshape(20, -1), axis=0)) == 20


def test_a_large_picture_gives_more_patches_than_a_small_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    counts = {size: len(patches_of(picture(tmp_path / f"{size}.png", size, size), rng)) for size in (20, 100, 600)}
    assert counts == {20: 0, 100: 2, 600: 30}
    assert len(patches_of(tmp_path / "600.png", rng, at_most=4)) == 4
    assert all(patch.shape == (PATCH, PATCH, 3) for patch in patches_of(tmp_path / "600.png", rng))


def test_a_file_that_is_not_a_picture_gives_no_patches(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    assert patches_of(tmp_path / "text.jpg", np.random.default_rng(1)) == []


def test_corners_are_of_the_photo_and_not_of_its_white_padding() -> None:
    padded = np.full((30, 30, 3), 255, np.uint8)
    padded[:, 8:22] = (10, 20, 30)
    patches = list(corners([padded, np.full((30, 30, 3), 255, np.uint8)]))
    assert len(patches) == 2
    assert all((patch == (10, 20, 30)).all() for patch in patches)


def test_backgrounds_come_from_drawings_training_photos_and_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backgrounds, "DRAWN", 6)
    picture(tmp_path / "a" / "one.png", 300, 300)
    (tmp_path / "a" / "note.txt").write_text("not a picture")
    bare = read_backgrounds(None, people(12), 7, Terminal())
    assert len(bare) == 6 + 24
    assert len(read_backgrounds(None, people(12, "test"), 7, Terminal())) == 6
    assert len(read_backgrounds(tmp_path, people(12), 7, Terminal())) == 6 + 24 + 7


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="holds no JPEG, PNG or WebP picture"):
        pictures_in(tmp_path)
