"""The original authors' augmentation: zoom, shift and flip, in one resampling of the batch."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

WHITE = 255.0  # studio shots are on white, so what moves in from outside the frame is white too
ZOOM = 0.1  # the scale is drawn from 0.9 to 1.1
SHIFT = 0.1  # of the image's width and height, to either side


def random_transforms(rng: np.random.Generator, count: int, height: int, width: int) -> NDArray[np.float32]:
    """Draw one zoom, shift and horizontal flip per image.

    Returns:
        shape (count, 8), float32: projective transforms from output to input pixels, as TensorFlow's
        ImageProjectiveTransformV3 takes them: x_in = a0·x + a1·y + a2, y_in = b0·x + b1·y + b2.
    """
    zoom = rng.uniform(1 - ZOOM, 1 + ZOOM, count)
    flip = rng.choice((-1.0, 1.0), count)
    shift = rng.uniform(-SHIFT, SHIFT, (count, 2)) * (width, height)
    centre = (width - 1) / 2, (height - 1) / 2
    transforms = np.zeros((count, 8), np.float32)
    transforms[:, 0] = flip * zoom
    transforms[:, 2] = centre[0] * (1 - flip * zoom) + shift[:, 0]
    transforms[:, 4] = zoom
    transforms[:, 5] = centre[1] * (1 - zoom) + shift[:, 1]
    return transforms


def apply(images: NDArray[np.uint8], transforms: NDArray[np.float32]) -> Any:
    """Return the transformed images: uint8 tensor of shape (n, height, width, 3), bilinear, white outside the frame."""
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=transforms,
        output_shape=images.shape[1:3],
        fill_value=WHITE,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
