"""Composed scenes: what is in them is where they say it is."""

import numpy as np

from tests.support.detector_scenes import scenes
from training.recipes.detector.scenes import OVERLAP, SIZE, Draw, Photos, _covered

APART = Draw(3, empty=0.0, worn=0.0, others=0.0)


def test_a_scene_depends_on_the_seed_and_its_number_alone() -> None:
    one, again, other = scenes()(5), scenes()(5), scenes(Draw(8))(5)
    assert (one.picture == again.picture).all()
    assert one.boxes.tolist() == again.boxes.tolist()
    assert one.picture.tobytes() != other.picture.tobytes()


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
    draw, seen = scenes(APART), 0
    for number in range(20):
        scene = draw(number)
        for (left, top, right, bottom), category in zip(scene.boxes, scene.categories, strict=True):
            column, row = int((left + right) / 2), int((top + bottom) / 2)
            red, green, _ = scene.picture[row, column].astype(int)
            shade = red / max(red + green, 1)
            seen += abs(shade - 25 * category / 240) < 0.25
    assert seen > 30


def test_scenes_with_nothing_are_drawn_too_and_what_is_no_garment_has_no_box() -> None:
    draw = scenes(Draw(1, empty=1.0, worn=0.0, others=1.0))
    counts = {len(draw(number).boxes) for number in range(20)}
    assert counts == {0, 1}


def test_worn_garments_hang_one_above_the_other() -> None:
    draw = scenes(Draw(2, empty=0.0, worn=1.0, others=0.0))
    for number in range(10):
        scene = draw(number)
        worn = [
            (box[1] + box[3]) / 2 for box, kind in zip(scene.boxes, scene.categories, strict=True) if kind in (0, 1, 3)
        ]
        assert len(worn) >= 1


def test_a_picture_that_is_no_square_has_white_beside_it() -> None:
    draw = scenes(APART)
    bars = [(draw(number).picture[:, 0] == 255).all() or (draw(number).picture[0] == 255).all() for number in range(30)]
    assert any(bars)
    assert not all(bars)


def photos() -> Photos:
    """Return two photos, one upright and one lying, padded with white to squares."""
    images = np.full((2, 40, 40, 3), 255, np.uint8)
    images[0, :, 8:32], images[1, 10:30] = (200, 30, 30), (30, 30, 200)
    return Photos(images, np.array([0, 3], np.int32))


def test_a_photo_is_filled_by_its_garment_without_the_white_that_pads_it() -> None:
    draw, singles = scenes(Draw(4, photos=1.0), photos()), 0
    for number in range(20):
        scene = draw(number)
        assert len(scene.boxes) in (1, 2)
        for (left, top, right, bottom), category in zip(scene.boxes.astype(int), scene.categories, strict=True):
            part = scene.picture[top:bottom, left:right].astype(int)
            channel = 0 if category == 0 else 2
            assert (part.argmax(axis=2) == channel).mean() > 0.95
        singles += len(scene.boxes) == 1
    assert 5 < singles < 20
