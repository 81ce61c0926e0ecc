import numpy as np

from training.data.cutouts import alpha_of


def shot() -> np.ndarray:
    image = np.full((40, 30, 3), 252, np.uint8)
    image[10:30, 8:22] = (200, 30, 30)
    return image


def test_the_white_around_a_product_is_transparent_and_the_product_is_not() -> None:
    alpha = alpha_of(shot())
    assert (alpha[:8] == 0).all()
    assert (alpha[13:27, 11:19] == 255).all()
    edge = alpha[20, 6:12]
    assert (np.diff(edge.astype(int)) >= 0).all()
    assert 0 < edge[3] < 255


def test_white_inside_a_product_stays() -> None:
    image = shot()
    image[18:22, 13:17] = 255
    assert (alpha_of(image)[18:22, 13:17] == 255).all()


def test_a_white_product_that_would_disappear_stays_whole() -> None:
    assert (alpha_of(np.full((40, 30, 3), 250, np.uint8)) == 255).all()


def test_a_picture_without_white_is_all_product() -> None:
    dark = alpha_of(np.zeros((40, 30, 3), np.uint8))
    assert (dark[1:-1, 1:-1] == 255).all()
