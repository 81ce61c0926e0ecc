import numpy as np
import pytest

from training.data.composing.views import BACKGROUND, IN_SCENE, Light, Motion, composed, lit, motions, moved

STILL = Motion(scale=(1.0, 1.0), degrees=0, shift=0, stretch=0)


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def test_without_motion_a_picture_stays_or_is_mirrored() -> None:
    images = rng().integers(0, 256, (20, 12, 12, 3), np.uint8)
    after = moved(images, motions(rng(), 20, 12, STILL), 12, 255.0).numpy()
    same = [np.allclose(a, b, atol=1e-2) for a, b in zip(after, images.astype(float), strict=True)]
    replica_of = [np.allclose(a, b[:, ::-1], atol=1e-2) for a, b in zip(after, images.astype(float), strict=True)]
    assert all(a or b for a, b in zip(same, replica_of, strict=True))
    assert 0 < sum(same) < 20


def test_a_smaller_output_shows_the_whole_picture() -> None:
    image = np.zeros((1, 32, 32, 1), np.uint8)
    image[:, 8:24, 8:24] = 255
    after = moved(image, motions(rng(), 1, 16, STILL, source=32), 16, 0.0).numpy()[0, :, :, 0]
    assert (after[5:11, 5:11] > 250).all()
    assert (after[[0, -1]] < 5).all()


@pytest.mark.parametrize("motion", [IN_SCENE, BACKGROUND])
def test_transforms_depend_on_the_seed_alone(motion: Motion) -> None:
    first, again = motions(rng(), 6, 24, motion), motions(rng(), 6, 24, motion)
    np.testing.assert_array_equal(first, again)
    assert len(np.unique(first[:, 0])) == 6


def test_a_product_covers_its_background_where_it_is_opaque_and_darkens_what_lies_around() -> None:
    product, background = np.full((1, 24, 24, 3), 50.0, np.float32), np.full((1, 24, 24, 3), 200.0, np.float32)
    alpha = np.zeros((1, 24, 24, 1), np.float32)
    alpha[:, 8:16, 8:16] = 1
    scene = composed(product, alpha, background, np.full((1, 1, 1, 1), 0.5, np.float32), (2, 2)).numpy()[0, :, :, 0]
    assert (scene[8:16, 8:16] == 50).all()
    assert scene[16, 16] < 180
    assert scene[0, 0] == 200
    bare = composed(product, alpha, background, np.zeros((1, 1, 1, 1), np.float32), (2, 2)).numpy()[0, :, :, 0]
    assert (np.unique(bare) == [50, 200]).all()


def test_light_keeps_images_within_bounds_and_does_not_change_them_at_strength_zero() -> None:
    pictures = rng().uniform(0, 255, (8, 12, 12, 3)).astype(np.float32)
    bright = lit(pictures, Light.draw(rng(), 8, 1.0), [1, 2]).numpy()
    assert bright.min() >= 0
    assert bright.max() <= 255
    assert np.abs(bright - pictures).mean() > 3
    np.testing.assert_allclose(lit(pictures, Light.draw(rng(), 8, 0.0), [1, 2]), pictures, atol=1e-2)
    np.testing.assert_array_equal(bright, lit(pictures, Light.draw(rng(), 8, 1.0), [1, 2]))
