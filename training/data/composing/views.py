"""Views of a product: the studio shot moved on white, and its cut-out composed onto a background.

One call makes a batch, in TensorFlow's own threads. Random numbers come from NumPy, so a step depends on its number
alone.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Motion:
    """The bounds of random transforms.

    Attributes:
        scale: least and greatest.
        degrees: of rotation, ±.
        shift: as a share of the size, ±.
        stretch: natural logarithm of the aspect ratio, ±.
        mirrored: whether half of the images are mirrored.
    """

    scale: tuple[float, float]
    degrees: float
    shift: float
    stretch: float
    mirrored: bool = True


ON_WHITE = Motion(scale=(0.94, 1.06), degrees=3, shift=0.04, stretch=0.03)
IN_SCENE = Motion(scale=(0.55, 1.15), degrees=22, shift=0.14, stretch=0.08, mirrored=False)
PHOTO = Motion(scale=(0.9, 1.5), degrees=20, shift=0.15, stretch=0.1)
BACKGROUND = Motion(scale=(1.05, 2.2), degrees=180, shift=0.1, stretch=0.2)


def motions(rng: np.random.Generator, count: int, size: int, motion: Motion, source: int | None = None) -> Floats:
    """Draw transforms from output to input pixels, as ImageProjectiveTransformV3 takes them: float32 (count, 8).

    Args:
        rng: of the draws.
        count: how many transforms.
        size: the output's width and height.
        motion: the bounds.
        source: the input's width and height, where they differ from the output's.
    """
    source = source or size
    smallest, largest = (float(np.log(scale)) for scale in motion.scale)
    scale = np.exp(rng.uniform(smallest, largest, count)) * size / source
    stretch = np.exp(rng.uniform(-motion.stretch, motion.stretch, count))
    angle = np.deg2rad(rng.uniform(-motion.degrees, motion.degrees, count))
    flip = rng.choice((-1.0, 1.0), count) if motion.mirrored else np.ones(count)
    shift = rng.uniform(-motion.shift, motion.shift, (count, 2)) * source
    across, down = 1 / (scale * stretch), stretch / scale
    transforms = np.zeros((count, 8), np.float32)
    transforms[:, 0], transforms[:, 1] = flip * across * np.cos(angle), -across * np.sin(angle)
    transforms[:, 3], transforms[:, 4] = flip * down * np.sin(angle), down * np.cos(angle)
    inner, outer = (source - 1) / 2, (size - 1) / 2
    transforms[:, 2] = inner + shift[:, 0] - outer * (transforms[:, 0] + transforms[:, 1])
    transforms[:, 5] = inner + shift[:, 1] - outer * (transforms[:, 3] + transforms[:, 4])
    return transforms


def moved(images: Any, transforms: Any, size: int, fill: float, mode: str = "CONSTANT") -> Any:
    """Return the transformed images, bilinear: float32 (n, size, size, channels)."""
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(images, tf.float32),
        transforms=transforms,
        output_shape=[size, size],
        fill_value=fill,
        interpolation="BILINEAR",
        fill_mode=mode,
    )


@dataclass(frozen=True)
class Light:
    """The effects of light, camera and compression on a batch, each float32 (n, 1, 1, channels)."""

    gain: Floats
    gamma: Floats
    noise: Floats
    blurred: Floats

    @classmethod
    def draw(cls, rng: np.random.Generator, count: int, strength: float) -> "Light":
        """Draw the effects on `count` images. Strength 1 is a bad lamp, 0.3 a studio."""
        brightness = rng.uniform(-0.28, 0.22, (count, 1, 1, 1)) * strength
        cast = rng.normal(0, 0.05, (count, 1, 1, 3)) * strength
        return cls(
            gain=np.exp(brightness + cast).astype(np.float32),
            gamma=np.exp(rng.uniform(-0.25, 0.25, (count, 1, 1, 1)) * strength).astype(np.float32),
            noise=(rng.uniform(0, 9, (count, 1, 1, 1)) * strength).astype(np.float32),
            blurred=(rng.uniform(0, 1, (count, 1, 1, 1)) < 0.35 * strength).astype(np.float32),
        )


def lit(images: Any, light: Light, seed: Any) -> Any:
    """Return the images with these effects, 0 to 255."""
    soft = tf.nn.avg_pool2d(images, 3, 1, "SAME")
    images = images + light.blurred * (soft - images)
    images = 255.0 * tf.pow(tf.clip_by_value(images / 255.0, 0.0, 1.0), light.gamma) * light.gain
    noise = tf.random.stateless_normal(tf.shape(images), seed) * light.noise
    return tf.clip_by_value(images + noise, 0.0, 255.0)


def composed(product: Any, alpha: Any, background: Any, shadow: Any, offset: tuple[int, int]) -> Any:
    """Return the product on the background, with its shadow.

    Args:
        product: float32 (n, h, w, 3), moved, white outside.
        alpha: float32 (n, h, w, 1), 0 to 1, with the same transforms.
        background: float32 (n, h, w, 3).
        shadow: float32 (n, 1, 1, 1), its darkness, 0 to 1.
        offset: of the shadow, pixels down and to the right.
    """
    wide = tf.nn.avg_pool2d(alpha, 9, 1, "SAME")
    cast = tf.roll(wide, offset, axis=(1, 2))
    shaded = background * (1.0 - shadow * cast)
    return shaded + alpha * (product - shaded)
