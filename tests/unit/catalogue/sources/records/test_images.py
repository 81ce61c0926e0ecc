"""The images of a record."""

from pathlib import Path
from typing import Any

import pytest

from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow, SourceImageError, SourceRow
from tests.support.feeds.rows import csv_rows, json_rows, product


def test_an_image_url_can_be_in_either_field(tmp_path: Path) -> None:
    for document in ({"id": "1", "image": "https://a.test/1.jpg"}, {"id": "1", "image_url": "https://a.test/1.jpg"}):
        (row,) = json_rows(tmp_path, document)
        assert (product(row).image, product(row).image_url) == ("https://a.test/1.jpg", "https://a.test/1.jpg")


URLS = [f"https://a.test/{number}.jpg" for number in range(30)]


def names(row: SourceRow | RejectedRow) -> list[str]:
    return [image.name for image in product(row).images]


@pytest.mark.parametrize(
    "images",
    [
        [*URLS[1:4]],
        [{"url": URLS[1]}, {"src": URLS[2], "alt": "back"}, f" {URLS[3]} "],
        f"{URLS[1]} | {URLS[2]}|{URLS[3]}",
        f"{URLS[1]},{URLS[2]}, {URLS[3]}",
        f"{URLS[1]} {URLS[2]}\n{URLS[3]}",
        [URLS[0], URLS[1], URLS[2], URLS[2], URLS[3]],
    ],
)
def test_additional_images_have_several_forms_without_duplicates_and_the_main_one(tmp_path: Path, images: Any) -> None:
    for field in ("images", "image_urls", "IMAGES"):
        (row,) = json_rows(tmp_path, {"id": "1", "image": URLS[0], field: images})
        assert (names(row), product(row).attributes) == (URLS[1:4], {})


def test_the_images_of_a_csv_row_are_in_one_or_several_columns(tmp_path: Path) -> None:
    mapping = FeedMapping(columns={"Bild 2": "images", "Bild 3": "images"})
    (row,) = csv_rows(tmp_path, "id,image,Bild 2,Bild 3\n1,1.jpg,a b.jpg|c.jpg,\n", mapping=mapping)
    assert names(row) == ["a b.jpg", "c.jpg"]
    (row,) = csv_rows(tmp_path, f"id;image_url;images;images\n1;{URLS[0]};{URLS[1]},{URLS[2]};{URLS[3]}\n")
    assert names(row) == URLS[1:4]
    assert json_names(tmp_path, image_urls=[URLS[2]], images=[URLS[1]]) == [URLS[2], URLS[1]]


def json_names(folder: Path, **fields: Any) -> list[str]:
    return names(json_rows(folder, {"id": "1", "image": URLS[0], **fields})[0])


def test_without_a_main_image_the_first_image_is_the_main_one(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(b"first")
    linked, local = json_rows(tmp_path, {"id": "1", "images": URLS[:2]}, {"id": "2", "images": ["1.jpg", "2.jpg"]})
    assert (product(linked).image, product(linked).image_url, names(linked)) == (URLS[0], URLS[0], URLS[1:2])
    image = product(local).image
    assert not isinstance(image, str)
    assert (image(), product(local).image_url, names(local)) == (b"first", None, ["2.jpg"])
    (row,) = csv_rows(tmp_path, f"id,images\n1,{URLS[0]} {URLS[1]}\n")
    assert (product(row).image_url, names(row)) == (URLS[0], [URLS[1]])


def test_images_over_the_limit_are_left_out_and_named(tmp_path: Path) -> None:
    (row,) = json_rows(tmp_path, {"id": "1", "images": URLS})
    assert (names(row), product(row).left_out) == (URLS[1:20], ("images",))
    (row,) = json_rows(tmp_path, {"id": "1", "images": URLS[:20]})
    assert (names(row), product(row).left_out) == (URLS[1:20], ())


def test_an_invalid_additional_image_does_not_reject_its_row(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    wrong = [7, {"alt": "x"}, "../secret.jpg", "none.jpg", "https://a.test/" + "x" * 3000, "nul\0.jpg", "", None]
    (row,) = json_rows(tmp_path / "shop", {"id": "1", "image": URLS[0], "images": wrong})
    errors = []
    for image in product(row).images:
        assert image.load is not None
        with pytest.raises(SourceImageError) as caught:
            image.load()
        errors.append(str(caught.value))
    assert [text[:25] for text in errors] == [
        "it is neither a path nor ",
        "it is neither a path nor ",
        "the image ../secret.jpg i",
        "there is no image none.jp",
        "it is not a web address o",
        "the image's path has a NU",
    ]


def test_a_local_image_can_have_another_address_in_results(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(b"local")
    (row,) = json_rows(tmp_path, {"id": "1", "image": "1.jpg", "image_url": "https://a.test/1.jpg"})
    item = product(row)
    assert not isinstance(item.image, str)
    assert (item.image(), item.image_url) == (b"local", "https://a.test/1.jpg")


def test_image_paths_must_not_lead_out_of_the_feeds_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    inside = tmp_path / "shop"
    inside.mkdir()
    (inside / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    paths = ("../secret.jpg", str(tmp_path / "secret.jpg"), "link.jpg", "a/../../secret.jpg")
    for row in json_rows(inside, *({"id": str(n), "image": path} for n, path in enumerate(paths))):
        image = product(row).image
        assert not isinstance(image, str)
        with pytest.raises(SourceImageError, match=r"is outside .* set --images"):
            image()


def test_the_folder_of_the_images_can_be_set(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "1.jpg").write_bytes(b"picture")
    absolute = str(tmp_path / "pictures" / "1.jpg")
    documents = ({"id": "1", "image": "1.jpg"}, {"id": "2", "image": absolute})
    for row in json_rows(tmp_path, *documents, images_root=tmp_path / "pictures"):
        image = product(row).image
        assert not isinstance(image, str)
        assert image() == b"picture"


def test_a_missing_image_and_a_folder_in_its_place_are_errors(tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    for row in json_rows(tmp_path, {"id": "1", "image": "none.jpg"}, {"id": "2", "image": "folder.jpg"}):
        image = product(row).image
        assert not isinstance(image, str)
        with pytest.raises(SourceImageError, match=r"there is no image none\.jpg|folder\.jpg cannot be read"):
            image()


def test_addresses_are_normalised_as_in_browsers_and_duplicates_in_another_form_count_once(tmp_path: Path) -> None:
    images = [
        "//a.test/a b.jpg",
        "https://A.test:443/a%20b.jpg",
        "https://a.test/c.jpg?w=1&amp;h=2",
        "https://a.test/é.jpg",
    ]
    (row,) = json_rows(
        tmp_path, {"id": "1", "image": "https://a.test/é.jpg", "url": "/p/ä 1?a=1&amp;b=2", "images": images}
    )
    assert names(row) == ["https://a.test/a%20b.jpg", "https://a.test/c.jpg?w=1&h=2"]
    assert product(row).image == product(row).image_url == "https://a.test/%C3%A9.jpg"
    assert product(row).url == "/p/%C3%A4%201?a=1&b=2"
    (row,) = json_rows(tmp_path, {"id": "1", "images": r"https:\\a.test\1.jpg, //a.test/2.jpg", "url": "//a.test/p 1"})
    assert (product(row).image, names(row)) == ("https://a.test/1.jpg", ["https://a.test/2.jpg"])
    assert product(row).url == "https://a.test/p%201"
