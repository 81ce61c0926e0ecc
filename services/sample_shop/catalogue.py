"""The sample catalogue: all products in order, written to a folder as images and an NDJSON feed."""

import hashlib
import json
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from PIL import Image

from services.sample_shop.families import (
    bags,
    bottomwear,
    eyewear,
    innerwear,
    jewellery,
    shoes,
    socks,
    topwear,
    watches,
)
from services.sample_shop.product import SampleProduct, jpeg, make_product
from services.sample_shop.recipe import Family

# One family for each category, in the order of the category ids.
FAMILIES: tuple[Family, ...] = (
    topwear.FAMILY,
    shoes.FAMILY,
    bags.FAMILY,
    bottomwear.FAMILY,
    watches.FAMILY,
    innerwear.FAMILY,
    jewellery.FAMILY,
    eyewear.FAMILY,
    socks.FAMILY,
)
SEED = 7
PER_CATEGORY = 40
FEED = "catalogue.ndjson"
IMAGES = "images"
MARKER = ".sample.json"
# The numbers of query products; products of the catalogue have lower numbers.
QUERY_NUMBERS = range(100_000, 200_000)


class SampleError(Exception):
    """The sample catalogue cannot be created. The text is a sentence for the user."""


def sample_products(seed: int = SEED, per_category: int = PER_CATEGORY) -> Iterator[SampleProduct]:
    """Yield the products by category, in the order of the ids, without drawing them.

    Raises:
        SampleError: per_category is not from 1 to 999.
    """
    if not 1 <= per_category <= 999:
        raise SampleError(f"a category can have 1 to 999 sample products, not {per_category}")
    return (make_product(family, number, seed) for family in FAMILIES for number in range(per_category))


def sample_query_product(seed: int, category: str | None = None) -> SampleProduct:
    """Return a product that is not in the catalogue of any seed, as the subject of a query.

    Raises:
        SampleError: the category does not exist.
    """
    rng = random.Random(f"shopper {seed}")
    family = rng.choice(FAMILIES)
    if category is not None:
        named = [f for f in FAMILIES if f.category.casefold() == category.strip().casefold()]
        if not named:
            raise SampleError(
                f"there is no category {category!r}: use one of {', '.join(f.category for f in FAMILIES)}"
            )
        family = named[0]
    return make_product(family, rng.choice(QUERY_NUMBERS), seed)


def sample_query(seed: int, category: str | None = None) -> bytes:
    """Return a JPEG photo of a query product, with slightly different framing and exposure."""
    rng = random.Random(f"shopper {seed}'s camera")
    zoom = rng.uniform(1.0, 1.06)
    whole = sample_query_product(seed, category).picture()
    large = whole.resize((round(450 * zoom), round(600 * zoom)), Image.Resampling.LANCZOS)
    left, top = rng.randint(0, large.width - 450), rng.randint(0, large.height - 600)
    exposure = rng.uniform(0.97, 1.0)
    photo = large.crop((left, top, left + 450, top + 600))
    return jpeg(photo.point([round(value * exposure) for value in range(256)] * 3), quality=79)


def feed_line(product: SampleProduct) -> dict[str, Any]:
    """Return the feed's record of a product; the image path is relative to the feed."""
    return {
        "id": product.id,
        "title": product.title,
        "category": product.category,
        "url": product.url,
        "image": f"{IMAGES}/{product.id}.jpg",
        "price": product.price,
        "currency": product.currency,
        "attributes": product.attributes,
    }


def write_sample(folder: Path, per_category: int = PER_CATEGORY, seed: int = SEED) -> Path:
    """Write the images and the feed to a folder, unless it already contains them, and return the feed's path.

    The files are written to a temporary folder, which then replaces the folder in one step.

    Raises:
        SampleError: the folder contains other files, or cannot be written.
    """
    products = list(sample_products(seed, per_category))
    stamp = {"source": _source_hash(), "seed": seed, "per_category": per_category}
    if _is_complete(folder, stamp):
        return folder / FEED
    _check_foreign_files(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as temporary:
            fresh = Path(temporary) / "fresh"
            _write_all(fresh, products, stamp)
            _swap(fresh, folder, Path(temporary) / "old")
    except OSError as error:
        raise SampleError(f"the sample catalogue cannot be written to {folder}: {error.strerror or error}") from None
    return folder / FEED


def _write_all(folder: Path, products: list[SampleProduct], stamp: dict[str, Any]) -> None:
    images = folder / IMAGES
    images.mkdir(parents=True)

    def write(product: SampleProduct) -> int:
        return (images / f"{product.id}.jpg").write_bytes(product.jpeg())

    # Pillow and NumPy release the GIL for most of the work.
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        size = sum(pool.map(write, products))
    feed = "".join(json.dumps(feed_line(product), ensure_ascii=False) + "\n" for product in products)
    (folder / FEED).write_text(feed, encoding="utf-8")
    (folder / MARKER).write_text(json.dumps({**stamp, "images": len(products), "bytes": size}) + "\n", encoding="utf-8")


def _swap(fresh: Path, folder: Path, old: Path) -> None:
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _is_complete(folder: Path, stamp: dict[str, Any]) -> bool:
    """Return whether the folder is complete, by its marker and by the number and size of the images."""
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        sizes = [entry.stat().st_size for entry in os.scandir(folder / IMAGES)]
        feed_lines = (folder / FEED).read_bytes().count(b"\n")
    except (OSError, ValueError):
        return False
    facts = {"images": len(sizes), "bytes": sum(sizes)}
    return bool(marker == {**stamp, **facts}) and feed_lines == len(sizes)


def _check_foreign_files(folder: Path) -> None:
    """Raise SampleError if the folder contains files of other origin."""
    if folder.exists() and not folder.is_dir():
        raise SampleError(f"{folder} is a file: give a folder for the sample catalogue")
    foreign = sorted({p.name for p in folder.iterdir()} - {FEED, IMAGES, MARKER}) if folder.exists() else []
    if foreign:
        raise SampleError(f"{folder} contains other files ({foreign[0]}, …): give an empty or a new folder")


def _source_hash() -> str:
    """Return a hash of this package's source code: the catalogue is drawn again when it changes."""
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
