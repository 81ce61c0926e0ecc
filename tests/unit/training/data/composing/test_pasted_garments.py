"""Garments pasted onto street photos: their pixels are where their boxes say."""

import numpy as np

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from training.data.archives.street_photos import StreetPhoto
from training.data.composing.pasted_garments import COVERED, MOST_PASTED, PastedGarments
from training.data.composing.scenes import UNKNOWN

BAGS = CATEGORIES.index("Bags")
BAG = np.array([[10, 20, 22, 32]], np.float32)


def source(values: tuple[int, ...] = (4,)) -> StreetPhoto:
    """Return a photo, 60×80, with a red bag, whose mask has half the size."""
    picture = np.full((80, 60, 3), 120, np.uint8)
    picture[20:32, 10:22] = (220, 20, 20)
    mask = np.zeros((40, 30), np.uint8)
    mask[10:16, 5:11] = 4
    return StreetPhoto("0001", picture, BAG, np.array([BAGS], np.int32), mask, np.array(values, np.uint8))


def street() -> StreetPhoto:
    boxes = np.array([[5, 5, 55, 40]], np.float32)
    return StreetPhoto("0002", np.full((80, 60, 3), 60, np.uint8), boxes, np.zeros(1, np.int32))


def test_pasted_garments_have_boxes_around_their_pixels() -> None:
    paste, pasted = PastedGarments([source()]), 0
    for seed in range(30):
        photo = paste.onto(street(), np.random.default_rng(seed))
        assert len(photo.boxes) == len(photo.categories) <= 1 + MOST_PASTED
        assert photo.categories.tolist() == [0] + [BAGS] * (len(photo.boxes) - 1)
        for left, top, right, bottom in photo.boxes[1:]:
            pasted += 1
            inside = photo.picture[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))]
            assert (inside[..., 0].astype(int) - inside[..., 1] > 60).mean() > 0.5
        red = np.argwhere(photo.picture[..., 0].astype(int) - photo.picture[..., 1] > 100)
        assert all(_within(photo.boxes[1:], column, row) for row, column in red)
    assert pasted > 15


def test_a_pasted_garment_leaves_others_visible() -> None:
    small = np.array([[25, 30, 35, 40]], np.float32)
    crowded = StreetPhoto("0003", street().picture, small, np.zeros(1, np.int32))
    paste = PastedGarments([source()])
    for seed in range(40):
        for box in paste.onto(crowded, np.random.default_rng(seed)).boxes[1:]:
            common = (np.minimum(small[0, 2:], box[2:]) - np.maximum(small[0, :2], box[:2])).clip(0).prod()
            assert common / 100 <= COVERED + 1e-6


def test_products_take_the_place_of_some_garments() -> None:
    green = np.zeros((30, 30, 3), np.uint8)
    green[..., 1] = 200
    paste = PastedGarments([source()], lambda category, rng: (green, np.full((30, 30), 255, np.uint8)))
    pictures = [paste.onto(street(), np.random.default_rng(seed)).picture.astype(int) for seed in range(40)]
    products = sum(bool((picture[..., 1] - picture[..., 0] > 100).any()) for picture in pictures)
    garments = sum(bool((picture[..., 0] - picture[..., 1] > 100).any()) for picture in pictures)
    assert min(products, garments) > 5
    none = PastedGarments([source()], lambda category, rng: None)
    assert any(len(none.onto(street(), np.random.default_rng(seed)).boxes) > 1 for seed in range(10))


def test_the_photo_itself_stays_as_it_is() -> None:
    photo = street()
    pasted = PastedGarments([source()]).onto(photo, np.random.default_rng(1))
    assert len(pasted.boxes) > 1
    assert (photo.picture == 60).all()
    assert len(photo.boxes) == 1


def test_the_mask_is_unknown_where_something_is_pasted() -> None:
    masked = source()
    pasted = PastedGarments([masked]).onto(masked, np.random.default_rng(1))
    assert len(pasted.boxes) > 1
    expected = np.zeros((80, 60), bool)
    for left, top, right, bottom in pasted.boxes[1:].astype(int):
        expected[top:bottom, left:right] = True
    unknown = np.kron(pasted.mask == UNKNOWN, np.ones((2, 2), bool))
    assert (unknown >= expected).all()
    assert unknown.sum() <= expected.sum() + 8 * (len(pasted.boxes) - 1) * 40
    assert UNKNOWN not in masked.mask


def test_without_masks_nothing_is_pasted() -> None:
    paste = PastedGarments([street(), source(values=(0,))])
    photo = street()
    assert paste.onto(photo, np.random.default_rng(1)) is photo


def _within(boxes: np.ndarray, column: int, row: int) -> bool:
    inside = (boxes[:, 0] - 1 <= column) & (column <= boxes[:, 2]) & (boxes[:, 1] - 1 <= row) & (row <= boxes[:, 3])
    return bool(inside.any())
