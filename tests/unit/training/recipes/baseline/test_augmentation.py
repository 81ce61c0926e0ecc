import numpy as np

from training.recipes.baseline.augmentation import SHIFT, ZOOM, apply, random_transforms

IDENTITY = np.array([1, 0, 0, 0, 1, 0, 0, 0], np.float32)


def pictures(count: int, height: int = 8, width: int = 8) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 255, (count, height, width, 3), np.uint8)


def test_the_identity_changes_nothing() -> None:
    images = pictures(3)
    assert (apply(images, np.tile(IDENTITY, (3, 1))).numpy() == images).all()


def test_the_flip_mirrors_from_left_to_right() -> None:
    images = pictures(1)
    flip = np.array([[-1, 0, 7, 0, 1, 0, 0, 0]], np.float32)
    assert (apply(images, flip).numpy() == images[:, :, ::-1]).all()


def test_the_area_outside_the_frame_is_white() -> None:
    shift = np.array([[1, 0, 3, 0, 1, 0, 0, 0]], np.float32)
    moved = apply(np.zeros((1, 8, 8, 3), np.uint8), shift).numpy()
    assert (moved[:, :, 5:] == 255).all()
    assert (moved[:, :, :5] == 0).all()


def test_the_same_generator_draws_the_same_transforms() -> None:
    a, b = (random_transforms(np.random.default_rng([7, 3]), 16, 80, 80) for _ in range(2))
    assert (a == b).all()
    assert (a != random_transforms(np.random.default_rng([7, 4]), 16, 80, 80)).any()


def test_zoom_shift_and_flip_stay_within_their_bounds_and_all_occur() -> None:
    transforms = random_transforms(np.random.default_rng(1), 5_000, 60, 40)
    centre = np.array([(40 - 1) / 2, (60 - 1) / 2])
    scale, flip = transforms[:, 4], np.sign(transforms[:, 0])
    # The source of the image's centre, less the centre, is the shift alone.
    shift = transforms[:, [0, 4]] * centre + transforms[:, [2, 5]] - centre
    assert scale.min() >= 1 - ZOOM - 1e-6
    assert scale.max() <= 1 + ZOOM + 1e-6
    assert np.ptp(scale) > 1.9 * ZOOM
    assert (np.abs(shift) <= np.array([40, 60]) * SHIFT + 1e-3).all()
    assert 0.45 < (flip < 0).mean() < 0.55
