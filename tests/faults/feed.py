"""A shop's feed with pictures, some rows of which change each time."""

import io
import random
from pathlib import Path

import numpy as np
import orjson
from PIL import Image

from tests.faults.plan import Write, category_of
from tests.support.servers.index import CATEGORIES

CHANGED = 0.3  # of the rows, each time
NEW_PICTURE = 0.3  # of those
FIRST_REVISION = 1 << 40  # the feed's revisions differ from all others


class Feed:
    """A feed file and the revisions of its rows."""

    def __init__(self, folder: Path, rows: int, seed: int) -> None:
        """Write nothing yet. `rows` is the number of rows."""
        self.path = folder / "feed.ndjson"
        self._draw = random.Random(f"feed {seed}")
        self._round = 0
        self._revisions = [0] * rows
        self._pictures = [""] * rows

    def write(self) -> list[Write]:
        """Change some rows, write the file, and return the new state of all its products."""
        self._round += 1
        for row in range(len(self._revisions)):
            if self._round == 1 or self._draw.random() < CHANGED:
                self._change(row)
        self.path.write_bytes(b"".join(map(self._line, range(len(self._revisions)))))
        return [Write(f"feed{row}", revision) for row, revision in enumerate(self._revisions)]

    def _change(self, row: int) -> None:
        self._revisions[row] = FIRST_REVISION + self._round * len(self._revisions) + row
        if self._round == 1 or self._draw.random() < NEW_PICTURE:
            self._pictures[row] = f"{self._revisions[row]}.png"
            (self.path.parent / self._pictures[row]).write_bytes(drawn(self._revisions[row]))

    def _line(self, row: int) -> bytes:
        revision = self._revisions[row]
        shelf = category_of(revision)
        facts = {"id": f"feed{row}", "image": self._pictures[row], "category": CATEGORIES[shelf], "shelf": shelf}
        return orjson.dumps({**facts, "revision": revision, "url": f"https://shop.example/feed/{row}"}) + b"\n"


def drawn(revision: int) -> bytes:
    """Return a picture of a revision's own, as a PNG file."""
    pixels = np.random.default_rng(revision).integers(0, 256, (16, 16, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
