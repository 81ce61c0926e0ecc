"""Views of a product: the studio shot moved about on white, and its cut-out composed onto a background.

One call makes a batch, in TensorFlow's own threads. Randomness comes from NumPy, so that a step depends on its number alone.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Motion:
    """How far a picture may be moved: all as ± around nothing, `scale` from the least to the greatest.

    `mirrored`: half of the pictures, left for right.
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
        rng: where the draws come from.
        count: how many.
        size: the output's width and height.
        motion: bounds of the draws.
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
    """Return float32 pictures (n, size, size, channels): the transformed input, bilinear."""
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
    """Draws of one batch, each float32 (n, 1, 1, channels): what light, camera and compression do to a picture."""

    gain: Floats
    gamma: Floats
    noise: Floats
    blurred: Floats

    @classmethod
    def draw(cls, rng: np.random.Generator, count: int, strength: float) -> "Light":
        """Draw for `count` pictures; strength 1 is a bad lamp, 0.3 a studio."""
        brightness = rng.uniform(-0.28, 0.22, (count, 1, 1, 1)) * strength
        cast = rng.normal(0, 0.05, (count, 1, 1, 3)) * strength
        return cls(
            gain=np.exp(brightness + cast).astype(np.float32),
            gamma=np.exp(rng.uniform(-0.25, 0.25, (count, 1, 1, 1)) * strength).astype(np.float32),
            noise=(rng.uniform(0, 9, (count, 1, 1, 1)) * strength).astype(np.float32),
            blurred=(rng.uniform(0, 1, (count, 1, 1, 1)) < 0.35 * strength).astype(np.float32),
        )


def lit(pictures: Any, light: Light, seed: Any) -> Any:
    """Return the pictures under that light, 0 to 255."""
    soft = tf.nn.avg_pool2d(pictures, 3, 1, "SAME")
    pictures = pictures + light.blurred * (soft - pictures)
    pictures = 255.0 * tf.pow(tf.clip_by_value(pictures / 255.0, 0.0, 1.0), light.gamma) * light.gain
    noise = tf.random.stateless_normal(tf.shape(pictures), seed) * light.noise
    return tf.clip_by_value(pictures + noise, 0.0, 255.0)


def composed(product: Any, alpha: Any, background: Any, shadow: Any, offset: tuple[int, int]) -> Any:
    """Return the product on the background, with the shadow it throws.

    Args:
        product: float32 (n, h, w, 3), moved, white outside.
        alpha: float32 (n, h, w, 1), 0 to 1, moved alike.
        background: float32 (n, h, w, 3).
        shadow: float32 (n, 1, 1, 1), how dark it is, 0 to 1.
        offset: pixels down and to the right.
    """
    wide = tf.nn.avg_pool2d(alpha, 9, 1, "SAME")
    cast = tf.roll(wide, offset, axis=(1, 2))
    ground = background * (1.0 - shadow * cast)
    return ground + alpha * (product - ground)
