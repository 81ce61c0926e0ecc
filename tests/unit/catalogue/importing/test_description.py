"""The description of a row and its hash, which decides whether a product has changed."""

import hashlib
from typing import Any

import pytest

from services.catalogue.importing.description import Placement, describe
from services.catalogue.sources.records.rows import RowImage
from tests.support.fakes.import_fakes import row

NETWORK = Placement(None, "network")


def sha256(*facts: bytes) -> str:
    return hashlib.sha256(b"[" + b",".join(facts) + b"]").hexdigest()


def test_without_further_images_and_a_group_the_hash_is_that_of_earlier_versions() -> None:
    given = row("A", title="T", url="https://a/", image_url="https://a/1", attributes={"b": 2, "a": [1]})
    facts = (b'"T"', b'"https://a/"', b'"https://a/1"', b"null", b'"network"', b'{"a":[1],"b":2}')
    assert describe(given, NETWORK).feed_sha256 == sha256(*facts)


@pytest.mark.parametrize(
    ("facts", "more"),
    [
        ({"group": "G"}, [b'{"group":"G"}']),
        ({"images": (RowImage("b.png"), RowImage("https://a/2"))}, [b'["b.png","https://a/2"]']),
        ({"images": (RowImage("b.png"),), "group": ""}, [b'["b.png"]', b'{"group":""}']),
    ],
)
def test_a_group_and_the_names_of_further_images_are_in_the_hash(facts: dict[str, Any], more: list[bytes]) -> None:
    plain = (b"null", b"null", b"null", b"1", b'"feed"', b"{}")
    assert describe(row("A", **facts), Placement(1, "feed")).feed_sha256 == sha256(*plain, *more)


@pytest.mark.parametrize(
    ("image", "image_url", "stores"),
    [(b"\x00file", None, True), (b"\x00file", "https://a/1", False), ("https://a/1", None, False)],
)
def test_a_picture_is_stored_that_comes_from_a_file_and_has_no_address(
    image: bytes | str, image_url: str | None, stores: bool
) -> None:
    assert describe(row("A", image, image_url=image_url), NETWORK).stores_image is stores


@pytest.mark.parametrize(
    ("url", "template", "expected"),
    [
        (None, None, None),
        (None, "https://a/{id}", "https://a/x%2Fy"),
        ("https://own/", "https://a/{id}", "https://own/"),
        ("https://own/", None, "https://own/"),
    ],
)
def test_the_page_of_a_product_is_its_own_or_that_of_the_template(
    url: str | None, template: str | None, expected: str | None
) -> None:
    assert describe(row("x/y", url=url), NETWORK, template).url == expected
