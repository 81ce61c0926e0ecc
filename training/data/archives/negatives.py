"""Real pictures without clothing: `negatives.csv` (`file`, `kind`, `group`) and the pictures that it names.

Whole kinds are kept apart, so that validation and test show what the network makes of kinds that it never saw. Windows
of street photos are one kind: they are split by the photo, as the garments of the same photos are.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.manifest import InputSize
from training.data.archives.member_files import member_files
from training.data.archives.street import photo_part
from training.data.split import draw_of
from training.errors import TrainingError
from training.progress import Terminal

TABLE = "negatives.csv"
COLUMNS = frozenset({"file", "kind", "group"})
SPLIT_BY_PHOTO = ("street-window", "coco-window", "coco-scene")  # kinds that are in every part
TRAINING_SHARE, VALIDATION_SHARE = 0.65, 0.15  # of the kinds; the test part has the others


@dataclass(frozen=True)
class Negatives:
    """Pictures in the order of the table: uint8 (n, h, w, 3), and the kind, the family and the part of each.

    The family is the first word of a kind, such as `animal`. `unseen` says whether the kind is in one part only.
    """

    name: str
    images: NDArray[np.uint8]
    kinds: NDArray[np.str_]
    families: NDArray[np.str_]
    unseen: NDArray[np.bool_]
    parts: NDArray[np.str_]

    def take(self, positions: NDArray[np.integer | np.bool_]) -> "Negatives":
        """Return the pictures at these positions, or where this mask is true."""
        arrays = (self.images, self.kinds, self.families, self.unseen, self.parts)
        return Negatives(self.name, *(array[positions] for array in arrays))


def negative_part(kind: str, group: str, seed: int) -> str:
    """Return the part of a picture: by its photo for windows of photos, otherwise by its kind alone."""
    family, _, name = kind.partition(":")
    if family in SPLIT_BY_PHOTO:
        return photo_part(group, seed)
    draw = draw_of(f"negative {name or family}", seed)  # `food-shelf:Lime` and `food-iconic:Lime` are one kind
    if draw < TRAINING_SHARE:
        return "training"
    return "validation" if draw < TRAINING_SHARE + VALIDATION_SHARE else "test"


def read_negatives(path: Path, size: InputSize, seed: int, terminal: Terminal) -> Negatives:
    """Read all pictures that can be read.

    Raises:
        TrainingError: the path is not such an archive, or has no usable picture.
    """
    rows, images = [], []
    with member_files(path) as files:
        for row in terminal.track(files.rows(TABLE, COLUMNS), None, "reading negatives"):
            image = files.image(row["file"], size)
            if image is None:
                terminal.line(f"negative {row['file']}: missing or unreadable; rejected")
                continue
            images.append(image)
            rows.append(row)
    if not rows:
        raise TrainingError(f"{path} has no usable picture")
    families = [row["kind"].partition(":")[0] for row in rows]
    return Negatives(
        name=path.resolve().name,
        images=np.stack(images),
        kinds=np.array([row["kind"] for row in rows]),
        families=np.array(families),
        unseen=np.array([family not in SPLIT_BY_PHOTO for family in families]),
        parts=np.array([negative_part(row["kind"], row["group"], seed) for row in rows]),
    )
