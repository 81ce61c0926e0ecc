"""The image operations of a scene: cut a product out, paste it with its shadow, and imitate a camera."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

SOLID = 100  # opacity, of 255, from which on a pixel belongs to the product
WHITE = 250  # least of a padding pixel's channels
CROPPED = 0.08  # greatest share of a photo that is cropped at a side
LEAST_SIDE = 14  # pixels; smaller garments are left out
Alpha = NDArray[np.uint8]


def cut_out(
    picture: NDArray[np.uint8],
    alpha: Alpha,
    longest: float,
    degrees: float,
    rng: np.random.Generator,
    least: int = LEAST_SIDE,
) -> Image.Image | None:
    """Return a product with its opacity, cropped to its own edges; None if it is too small.

    Args:
        picture: uint8 (h, w, 3).
        alpha: uint8 (h, w).
        longest: of its sides before the rotation, in pixels.
        degrees: standard deviation of the rotation. Half of the products are mirrored.
        rng: of the draws.
        least: the shorter side of the smallest product, in pixels.
    """
    product = Image.fromarray(picture)
    product.putalpha(Image.fromarray(alpha))
    product = product.crop(_edges(product) or (0, 0, *product.size))
    if rng.random() < 0.5:
        product = product.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    stretch = float(np.exp(rng.normal(0, 0.06)))
    scale = longest / max(product.width * stretch, product.height)
    size = (max(1, round(product.width * stretch * scale)), max(1, round(product.height * scale)))
    product = product.resize(size, Image.Resampling.BICUBIC)
    product = product.rotate(float(rng.normal(0, degrees)), Image.Resampling.BILINEAR, expand=True)
    box = _edges(product)
    if box is None or min(box[2] - box[0], box[3] - box[1]) < least:
        return None
    return product.crop(box)


def _edges(product: Image.Image) -> tuple[int, int, int, int] | None:
    return product.getchannel("A").point(lambda value: 255 if value > SOLID else 0).getbbox()


def framed(padded: NDArray[np.uint8], size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Return a photo without its white padding, cropped a little and fitted into a size; half are mirrored."""
    inside = np.argwhere(padded.min(axis=2) < WHITE)
    (top, left), (bottom, right) = (
        (inside.min(axis=0), inside.max(axis=0) + 1) if len(inside) else ((0, 0), padded.shape[:2])
    )
    cropped = rng.uniform(0, CROPPED, 4) * np.array([right - left, bottom - top] * 2)
    photo = Image.fromarray(padded).crop(
        (int(left + cropped[0]), int(top + cropped[1]), int(right - cropped[2]), int(bottom - cropped[3]))
    )
    if rng.random() < 0.5:
        photo = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    scale = min(size[0] / photo.width, size[1] / photo.height)
    fitted = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    return photo.resize(fitted, Image.Resampling.BICUBIC)


def paste(picture: Image.Image, product: Image.Image, left: int, top: int, rng: np.random.Generator) -> None:
    """Paste a product on the picture, and darken the background around its lower edge."""
    strength, offset = float(rng.uniform(0, 0.6)), int(rng.integers(1, 5))
    shape = product.getchannel("A").filter(ImageFilter.GaussianBlur(3)).point(lambda value: int(value * strength))
    picture.paste((0, 0, 0), (left + int(rng.integers(-offset, offset + 1)), top + offset), shape)
    picture.paste(product, (left, top), product)


def photographed(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the picture as a telephone's camera might take it: light, colour, blur, noise."""
    picture = ImageEnhance.Brightness(picture).enhance(float(rng.uniform(0.7, 1.2)))
    picture = ImageEnhance.Color(picture).enhance(float(rng.uniform(0.75, 1.2)))
    if rng.random() < 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 0.9))))
    noise = rng.normal(0, rng.uniform(0, 7), (picture.height, picture.width, 1))
    return Image.fromarray((np.asarray(picture, np.float32) + noise).clip(0, 255).astype(np.uint8))
