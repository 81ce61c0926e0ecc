"""Scenes of street photos: the garments are where the boxes say."""

from dataclasses import replace

import numpy as np

from training.data.archives.street_photos import StreetPhoto
from training.data.composing.street_scenes import LEAST_VISIBLE, StreetScenes, whole_scene

SIDE = 64
BOXES = np.array([[10, 10, 30, 40], [12, 45, 28, 75]], np.float32)


def photo() -> StreetPhoto:
    """Return an upright photo, 40×80: a red garment above a blue one."""
    picture = np.full((80, 40, 3), 120, np.uint8)
    picture[10:40, 10:30] = (220, 20, 20)
    picture[45:75, 12:28] = (20, 20, 220)
    return StreetPhoto("0001", picture, BOXES, np.array([0, 3], np.int32))


def test_a_whole_scene_is_centred_on_white_and_its_boxes_are_in_pixels() -> None:
    scene = whole_scene(photo(), SIDE)
    assert scene.picture.shape == (SIDE, SIDE, 3)
    assert (scene.picture[:, :15] == 255).all()
    assert (scene.picture[:, 49:] == 255).all()
    np.testing.assert_allclose(scene.boxes, BOXES * 0.8 + (16, 0, 16, 0), atol=1e-4)
    assert scene.categories.tolist() == [0, 3]


def test_a_whole_scene_has_the_smallest_garments_too() -> None:
    tiny = StreetPhoto("0003", photo().picture, np.array([[10, 10, 12, 11]], np.float32), np.array([4], np.int32))
    assert len(whole_scene(tiny, SIDE).boxes) == 1


def test_a_scene_depends_on_the_seed_and_its_number_alone() -> None:
    first, again, other = (StreetScenes([photo()], SIDE, seed)(3) for seed in (7, 7, 8))
    assert (first.picture == again.picture).all()
    assert first.boxes.tolist() == again.boxes.tolist()
    assert first.picture.tobytes() != other.picture.tobytes()


def test_a_garments_colour_is_found_in_its_box() -> None:
    draw, view = StreetScenes([photo()], SIDE, 7), {0: 0, 3: 0}
    for number in range(60):
        scene = draw(number)
        assert scene.picture.shape == (SIDE, SIDE, 3)
        assert (scene.boxes >= 0).all()
        assert (scene.boxes <= SIDE).all()
        for (left, top, right, bottom), category in zip(scene.boxes, scene.categories.tolist(), strict=True):
            red, _, blue = scene.picture[int((top + bottom) / 2), int((left + right) / 2)].astype(int)
            assert (red > blue) == (category == 0)
            view[category] += 1
    assert min(view.values()) > 15


def test_parts_show_garments_larger_and_drop_those_that_are_mostly_outside() -> None:
    draw = StreetScenes([photo()], SIDE, 7)
    scenes = [draw(number) for number in range(60)]
    counts = {len(scene.boxes) for scene in scenes}
    assert counts == {1, 2}
    widths = [float(box[2] - box[0]) for scene in scenes for box in scene.boxes]
    assert max(widths) > 1.5 * 16
    assert 0 < LEAST_VISIBLE < 1


def test_garments_of_other_photos_are_pasted_where_there_are_masks() -> None:
    plain = photo()
    mask = np.zeros((80, 40), np.uint8)
    mask[10:40, 10:30] = 1
    masked = replace(plain, mask=mask, values=np.array([1, 0], np.uint8))
    counts = {len(StreetScenes([masked], SIDE, 7)(number).boxes) for number in range(30)}
    assert max(counts) > 2


def test_the_labels_of_a_scene_are_where_its_garments_are() -> None:
    mask = np.zeros((40, 20), np.uint8)
    mask[5:20, 5:15], mask[22:38, 6:14] = 1, 2
    masked = replace(photo(), mask=mask, values=np.array([0, 0], np.uint8))  # without values, nothing is pasted
    for number in range(20):
        scene = StreetScenes([masked], SIDE, 7)(number)
        assert scene.labels is not None
        assert scene.labels.shape == (SIDE, SIDE)
        for (left, top, right, bottom), category in zip(scene.boxes, scene.categories.tolist(), strict=True):
            middle = scene.labels[int((top + bottom) / 2), int((left + right) / 2)]
            assert middle == {0: 1, 3: 2}[category]
    assert StreetScenes([photo()], SIDE, 7)(0).labels is None


def test_parts_show_rare_categories_more_often_than_common_ones() -> None:
    boxes = np.concatenate([np.repeat(BOXES[:1], 9, 0), BOXES[1:]])
    common = replace(photo(), boxes=boxes, categories=np.array([0] * 9 + [3], np.int32))
    scenes = [StreetScenes([common], SIDE, 7)(number) for number in range(80)]
    alone = [set(scene.categories.tolist()) for scene in scenes]
    assert alone.count({3}) > 80 * 0.45 * 0.1


def test_half_of_the_scenes_are_mirrored() -> None:
    lopsided = photo()
    lopsided.picture[:, :5] = 0
    draw = StreetScenes([lopsided], SIDE, 7)
    dark = [scene.picture[:, :32].mean() < scene.picture[:, 32:].mean() for scene in map(draw, range(60))]
    assert 10 < sum(dark) < 50


def test_a_photo_without_garments_is_a_scene_without_boxes() -> None:
    empty = StreetPhoto("0002", photo().picture, np.zeros((0, 4), np.float32), np.zeros(0, np.int32))
    draw = StreetScenes([empty], SIDE, 7)
    assert all(len(draw(number).boxes) == 0 for number in range(12))
