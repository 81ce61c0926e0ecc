"""Contact sheets of the catalogue."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from services.sample_shop.catalogue import SampleError
from services.sample_shop.product import SampleProduct

GAP = 6
PAPER = (246, 246, 248)


def contact_sheet(products: Iterable[SampleProduct], columns: int = 12, width: int = 75) -> Image.Image:
    """Return a sheet with one row for each category, or several if it has more products than columns.

    Args:
        products: in the order in which they are to appear.
        columns: pictures a row.
        width: pixels of one picture; its height is a third more.
    """
    rows: list[list[SampleProduct]] = []
    for group in _by_category(products):
        rows.extend(group[start : start + columns] for start in range(0, len(group), columns))
    height = width * 4 // 3
    sheet = Image.new("RGB", (columns * (width + GAP) + GAP, len(rows) * (height + GAP) + GAP), PAPER)
    for y, row in enumerate(rows):
        for x, product in enumerate(row):
            small = product.picture().resize((width, height), Image.Resampling.LANCZOS)
            sheet.paste(small, (GAP + x * (width + GAP), GAP + y * (height + GAP)))
    return sheet


def save_sheet(sheet: Image.Image, path: Path) -> None:
    """Save a sheet in the format of the file's suffix.

    Raises:
        SampleError: the file cannot be written, or its ending names no picture format.
    """
    try:
        sheet.save(path, optimize=True)
    except (OSError, ValueError) as error:
        raise SampleError(f"the contact sheet cannot be saved as {path}: {error}") from None


def _by_category(products: Iterable[SampleProduct]) -> Iterable[list[SampleProduct]]:
    groups: dict[str, list[SampleProduct]] = defaultdict(list)
    for product in products:
        groups[product.category].append(product)
    return groups.values()
