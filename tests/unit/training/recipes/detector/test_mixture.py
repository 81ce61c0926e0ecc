"""The mixture of composed scenes and street photos."""

import numpy as np

from training.data.composing.scenes import Scene
from training.recipes.detector.mixture import mixed
from training.recipes.detector.plan import DetectorPlan

PLAN = DetectorPlan(steps=1, street=0.7, side=48)


def scene(side: int, grey: int) -> Scene:
    boxes = np.array([[0, 0, side / 2, side]], np.float32)
    return Scene(np.full((side, side, 3), grey, np.uint8), boxes, np.zeros(1, np.int32))


def test_the_share_of_street_photos_is_that_of_the_plan() -> None:
    draw = mixed(lambda number: scene(24, 0), lambda number: scene(48, 1), PLAN)
    share = sum(int(draw(number).picture[0, 0, 0]) for number in range(400)) / 400
    assert 0.6 < share < 0.8


def test_composed_scenes_are_resized_with_their_boxes() -> None:
    drawn = mixed(lambda number: scene(24, 0), None, PLAN)(0)
    assert drawn.picture.shape == (48, 48, 3)
    assert drawn.boxes.tolist() == [[0, 0, 24, 48]]
