"""Cut-outs of studio shots: the white around a product becomes transparent."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

NEAR_WHITE = 238  # least of the three channels; studio white is 250 and more, with JPEG noise around edges
LEAST_PRODUCT = 0.04  # share of the picture; if less is left, the product itself is white and stays whole


def alpha_of(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the opacity of each pixel of a studio shot.

    White is background where it is connected with the picture's border. The edge of the product is softened.

    Args:
        image: uint8, shape (height, width, 3).

    Returns:
        uint8, shape (height, width): 0 background, 255 product.
    """
    white = image.min(axis=2) >= NEAR_WHITE
    regions, _ = ndimage.label(white)
    edge = np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]])
    outside = np.isin(regions, np.unique(edge[edge > 0]))
    product = ~outside
    if product.mean() < LEAST_PRODUCT:
        return np.full(white.shape, 255, np.uint8)
    inner = ndimage.binary_erosion(product, border_value=1)
    soft = (ndimage.uniform_filter(inner.astype(np.float32), 3) + inner) / 2
    alpha: NDArray[np.uint8] = (255 * soft).round().astype(np.uint8)
    return alpha
