"""The sample catalogue: what is in it, that it is the same each time, and how it is written."""

import io
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.sample_shop import catalogue
from services.sample_shop.catalogue import (
    FAMILIES,
    SampleError,
    feed_line,
    sample_products,
    sample_query,
    sample_query_product,
    write_sample,
)
from services.sample_shop.drawing.palette import COLOURS
from services.sample_shop.drawing.patterns import PATTERNS
from services.sample_shop.product import ADJECTIVES

CATEGORIES = ["Topwear", "Shoes", "Bags", "Bottomwear", "Watches", "Innerwear", "Jewellery", "Eyewear", "Socks"]


def test_the_categories_are_in_the_order_of_their_ids() -> None:
    assert [family.category for family in FAMILIES] == CATEGORIES


def test_each_category_has_forty_products_with_unique_ids_and_urls() -> None:
    products = list(sample_products())

    assert Counter(p.category for p in products) == dict.fromkeys(CATEGORIES, 40)
    assert len({p.id for p in products}) == len({p.url for p in products}) == 360
    assert products[6].id == "sample-topwear-007"
    assert products[6].url == "https://shop.example/products/sample-topwear-007"


def test_a_category_has_many_cuts_colours_and_patterns() -> None:
    for category in CATEGORIES:
        attributes = [p.attributes for p in sample_products() if p.category == category]
        assert len({a["baseColour"] for a in attributes}) >= 4, category
        assert all(a["baseColour"] in COLOURS and a["pattern"] in ADJECTIVES for a in attributes), category
    titles = Counter(p.title for p in sample_products())
    assert len(titles) > 300
    assert {p.attributes["pattern"] for p in sample_products()} > {
        "stripes",
        "argyle",
        "floral",
        "dots",
        "tartan",
        "print",
    }


def test_the_colours_and_patterns_of_every_cut_exist() -> None:
    for cut in (cut for family in FAMILIES for cut in family.cuts):
        assert set(cut.colours) | set(cut.accents) <= set(COLOURS), cut.noun
        assert set(cut.patterns) <= {*PATTERNS, "print"}, cut.noun
        assert set(cut.patterns) <= set(ADJECTIVES), cut.noun


def test_the_pixels_depend_only_on_the_seed() -> None:
    def pixels(seed: int) -> list[bytes]:
        return [p.picture().tobytes() for p in sample_products(seed, 2)]

    first = pixels(7)
    assert first == pixels(7)
    assert all(a != b for a, b in zip(first, pixels(8), strict=True))


def test_all_products_look_different_and_are_on_white() -> None:
    thumbnails = []
    for product in sample_products(per_category=12):
        picture = Image.open(io.BytesIO(product.jpeg()))
        assert picture.size == (360, 480), product.id
        pixels = np.asarray(picture.resize((45, 60)), np.int16)
        assert (pixels > 240).all(axis=2).mean() > 0.15, product.id
        assert (pixels < 225).any(axis=2).mean() > 0.008, product.id
        thumbnails.append(pixels.ravel())
    stack = np.stack(thumbnails)
    nearest = min(float(np.abs(stack[i + 1 :] - stack[i]).mean()) for i in range(len(stack) - 1))
    assert nearest > 0.1


def test_a_title_has_the_pattern_the_colour_and_the_cut() -> None:
    products = list(sample_products())
    striped = next(
        p for p in products if p.attributes["pattern"] == "stripes" and p.attributes["articleType"] == "Tshirts"
    )

    assert striped.title.startswith(f"Striped {striped.attributes['baseColour'].lower()} ")
    assert all(p.title[0].isupper() and "  " not in p.title for p in products)
    assert all(p.price > 0 and p.currency == "EUR" for p in products)


@pytest.mark.parametrize("count", [0, -1, 1000])
def test_an_invalid_number_of_products_is_an_error(count: int) -> None:
    with pytest.raises(SampleError, match="1 to 999"):
        sample_products(per_category=count)


def test_the_folder_contains_a_feed_and_its_images(tmp_path: Path) -> None:
    feed = write_sample(tmp_path / "sample", per_category=1)

    rows = [json.loads(line) for line in feed.read_text(encoding="utf-8").splitlines()]
    assert rows == [feed_line(p) for p in sample_products(per_category=1)]
    assert [row["category"] for row in rows] == CATEGORIES
    for row in rows:
        with Image.open(feed.parent / row["image"]) as image:
            image.load()
            assert (image.format, image.size, image.mode) == ("JPEG", (360, 480), "RGB")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["sample"]


def test_a_complete_folder_is_not_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = write_sample(tmp_path / "sample", per_category=1)
    monkeypatch.setattr(catalogue, "_write_all", lambda *_: pytest.fail("the images were drawn again"))

    assert write_sample(tmp_path / "sample", per_category=1) == feed


@pytest.mark.parametrize(
    "damage", ["missing image", "truncated image", "truncated feed", "missing marker", "other seed"]
)
def test_an_incomplete_or_different_catalogue_is_replaced(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "sample"
    original = write_sample(folder, per_category=1, seed=3 if damage == "other seed" else 7).read_bytes()
    image = folder / "images" / "sample-bags-001.jpg"
    if damage == "missing image":
        image.unlink()
    if damage == "truncated image":
        image.write_bytes(image.read_bytes()[:100])
    if damage == "truncated feed":
        (folder / "catalogue.ndjson").write_bytes(original[:200])
    if damage == "missing marker":
        (folder / ".sample.json").unlink()

    rewritten = write_sample(folder, per_category=1)

    assert (rewritten.read_bytes() == original) is (damage != "other seed")
    assert len(list((folder / "images").iterdir())) == 9
    assert all(Image.open(path).size == (360, 480) for path in (folder / "images").iterdir())


def test_a_folder_with_other_files_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"holiday")

    with pytest.raises(SampleError, match=r"holiday\.jpg"):
        write_sample(tmp_path, per_category=1)
    assert [p.name for p in tmp_path.iterdir()] == ["holiday.jpg"]


def test_a_file_instead_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "sample").write_bytes(b"")

    with pytest.raises(SampleError, match="is a file"):
        write_sample(tmp_path / "sample", per_category=1)


def test_a_query_is_a_photo_of_a_product_outside_the_catalogue() -> None:
    photo = sample_query(5)

    assert photo == sample_query(5) != sample_query(6)
    assert Image.open(io.BytesIO(photo)).size == (450, 600)
    assert sample_query_product(5).id not in {p.id for p in sample_products()}


def test_a_query_can_be_of_one_category() -> None:
    assert sample_query_product(1, "watches").category == "Watches"
    with pytest.raises(SampleError, match="use one of Topwear, Shoes"):
        sample_query_product(1, "Hats")
