"""Composed scenes: the garments are where the boxes say."""

import numpy as np

from tests.support.pictures.detector_scenes import scenes
from training.data.composing.scenes import OVERLAP, SIZE, SceneOptions, ScenePhotos, _covered

APART = SceneOptions(3, empty=0.0, worn=0.0, others=0.0)


def test_a_scene_depends_on_the_seed_and_its_number_alone() -> None:
    first, again, other = scenes()(5), scenes()(5), scenes(SceneOptions(8))(5)
    assert (first.picture == again.picture).all()
    assert first.boxes.tolist() == again.boxes.tolist()
    assert first.picture.tobytes() != other.picture.tobytes()


def test_two_to_four_garments_stand_apart_within_the_picture() -> None:
    draw = scenes(APART)
    for number in range(40):
        scene = draw(number)
        assert 1 <= len(scene.boxes) <= 4
        assert len(scene.boxes) == len(scene.categories)
        assert (scene.boxes >= 0).all()
        assert (scene.boxes <= SIZE).all()
        assert (scene.boxes[:, 2:] > scene.boxes[:, :2]).all()
        covered = [
            _covered(tuple(a), tuple(b)) for a in scene.boxes for b in scene.boxes if a is not b and (a != b).any()
        ]
        assert all(share <= OVERLAP + 1e-6 for share in covered)
    counts = [len(draw(number).boxes) for number in range(40)]
    assert np.mean(counts) > 2


def test_a_garments_colour_is_found_in_its_box() -> None:
    draw, matches = scenes(APART), 0
    for number in range(20):
        scene = draw(number)
        for (left, top, right, bottom), category in zip(scene.boxes, scene.categories, strict=True):
            column, row = int((left + right) / 2), int((top + bottom) / 2)
            red, green, _ = scene.picture[row, column].astype(int)
            shade = red / max(red + green, 1)
            matches += abs(shade - 25 * category / 240) < 0.25
    assert matches > 30


def test_scenes_may_be_empty_and_other_things_have_no_box() -> None:
    draw = scenes(SceneOptions(1, empty=1.0, worn=0.0, others=1.0))
    counts = {len(draw(number).boxes) for number in range(20)}
    assert counts == {0, 1}


def test_worn_garments_are_one_above_the_other() -> None:
    draw = scenes(SceneOptions(2, empty=0.0, worn=1.0, others=0.0))
    for number in range(10):
        scene = draw(number)
        worn = [
            (box[1] + box[3]) / 2 for box, kind in zip(scene.boxes, scene.categories, strict=True) if kind in (0, 1, 3)
        ]
        assert len(worn) >= 1


def test_a_picture_that_is_not_square_is_padded_with_white() -> None:
    draw = scenes(APART)
    bars = [(draw(number).picture[:, 0] == 255).all() or (draw(number).picture[0] == 255).all() for number in range(30)]
    assert any(bars)
    assert not all(bars)


def test_a_resized_scene_has_its_boxes_in_the_new_pixels() -> None:
    scene = scenes(APART)(1)
    larger = scene.resized(288)
    assert larger.picture.shape == (288, 288, 3)
    np.testing.assert_allclose(larger.boxes, scene.boxes * 1.5)
    assert scene.resized(SIZE) is scene


def photos() -> ScenePhotos:
    """Return an upright and a wide photo, padded with white to squares."""
    images = np.full((2, 40, 40, 3), 255, np.uint8)
    images[0, :, 8:32], images[1, 10:30] = (200, 30, 30), (30, 30, 200)
    return ScenePhotos(images, np.array([0, 3], np.int32))


def test_the_box_of_a_photo_is_nearly_the_photo_without_its_padding() -> None:
    draw, singles = scenes(SceneOptions(4, photos=1.0), photos()), 0
    for number in range(20):
        scene = draw(number)
        assert len(scene.boxes) in (1, 2)
        for (left, top, right, bottom), category in zip(scene.boxes.astype(int), scene.categories, strict=True):
            part = scene.picture[top:bottom, left:right].astype(int)
            channel = 0 if category == 0 else 2
            assert (part.argmax(axis=2) == channel).mean() > 0.95
        singles += len(scene.boxes) == 1
    assert 5 < singles < 20
