"""A drawn photo of two garments on a table, with their boxes."""

import io

import numpy as np
from PIL import Image

from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import prepare_image
from services.sample_shop.catalogue import sample_query_product
from training.data.cutouts import alpha_of

SIZE = (640, 480)
SHOT = InputSize(height=400, width=400)
# Category, number of the drawn product, left and top edge in pixels.
GARMENTS = (("Topwear", 8, 60, 40), ("Shoes", 8, 330, 220))
Boxes = dict[str, tuple[float, float, float, float]]


def table(kind: str = "JPEG", orientation: int = 1) -> tuple[bytes, Boxes]:
    """Return the photo and the box of each garment: left, top, right and bottom, in fractions of the upright picture.

    `orientation`: the EXIF orientation of the file, 1 or 6 (rotated).
    """
    across, down = np.meshgrid(np.linspace(0, 1, SIZE[0]), np.linspace(0, 1, SIZE[1]))
    wood = np.stack([150 + 40 * across, 110 + 30 * down, 70 + 20 * across], -1)
    photo = Image.fromarray(wood.astype(np.uint8))
    boxes: Boxes = {}
    for category, number, left, top in GARMENTS:
        shot = prepare_image(sample_query_product(number, category).jpeg(), SHOT)[0]
        garment = Image.fromarray(shot)
        garment.putalpha(Image.fromarray(alpha_of(shot)))
        cut = garment.crop(garment.getchannel("A").point(lambda value: 255 if value > 100 else 0).getbbox())
        photo.paste(cut, (left, top), cut)
        right, bottom = left + cut.width, top + cut.height
        boxes[category] = (left / SIZE[0], top / SIZE[1], right / SIZE[0], bottom / SIZE[1])
    exif = Image.Exif()
    exif[0x0112] = orientation
    file, stored = io.BytesIO(), photo.transpose(Image.Transpose.ROTATE_90) if orientation == 6 else photo
    stored.save(file, kind, exif=exif.tobytes(), quality=92)
    return file.getvalue(), boxes
