"""Shopify's products.json."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.importing.description import Placer
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import SourceError
from tests.support.feeds.rows import outcomes, product, shopify_rows
from tests.support.feeds.shopify_exports import ATTRIBUTES, CDN, SECOND, SHIRT, table
from tests.support.feeds.shopify_products import ADMIN, STOREFRONT, page


@pytest.mark.parametrize("document", [STOREFRONT, ADMIN], ids=["storefront", "Admin API"])
def test_products_json_has_the_same_product_as_the_csv(tmp_path: Path, document: dict[str, Any]) -> None:
    item = product(shopify_rows(tmp_path, page(document), "products.json")[0])
    csv_row = product(shopify_rows(tmp_path, table(SHIRT, SECOND))[0])
    assert (item.key, item.title, item.image_url) == (csv_row.key, csv_row.title, csv_row.image_url)
    assert item.attributes == {name: value for name, value in ATTRIBUTES.items() if name != "product_category"}
    assert item.category_words == ("Shirts",)
    assert [image.name for image in item.images] == [f"{CDN}/back.jpg"]
    assert set(item.left_out) == {"body_html"}


@pytest.mark.parametrize(
    ("quantity", "policy", "expected"),
    [(0, "deny", "out_of_stock"), (1, "deny", "in_stock"), (0, "continue", "in_stock")],
)
def test_availability_depends_on_the_stock_of_the_variants(
    tmp_path: Path, quantity: int, policy: str, expected: str
) -> None:
    stock = {"inventory_quantity": quantity, "inventory_policy": policy}
    variants = [{**variant, **stock} for variant in ADMIN["variants"]]
    (row,) = shopify_rows(tmp_path, page(ADMIN | {"variants": variants}), "products.json")
    assert product(row).attributes["availability"] == expected


def test_a_draft_and_an_unpublished_product_are_skipped(tmp_path: Path) -> None:
    rows = shopify_rows(
        tmp_path, page(ADMIN | {"status": "draft"}, ADMIN | {"handle": "b", "published_at": None}), "p.json"
    )
    assert [Placer(("Shirts",), FeedMapping()).place(product(row)) for row in rows] == [None, None]


@pytest.mark.parametrize("name", ["Größe", "GRÖẞE", "Maßstab", "Couleur", "Ölung"])
def test_an_option_is_an_attribute_of_its_name_in_lower_case(tmp_path: Path, name: str) -> None:
    document = STOREFRONT | {"options": [{"name": name}], "variants": [{"option1": "S"}, {"option1": "M"}]}
    attributes = product(shopify_rows(tmp_path, page(document), "products.json")[0]).attributes
    assert attributes[name.lower()] == ["S", "M"]
    columns = f"Handle,Title,Image Src,Option1 Name,Option1 Value,{name} (product.metafields.a.b)"
    csv_text = f"{columns}\n1,x,{CDN}/1.jpg,{name}s,S,M\n"
    assert (
        product(shopify_rows(tmp_path, csv_text)[0]).attributes.items()
        >= {name.lower(): "M", f"{name}s".lower(): "S"}.items()
    )


@pytest.mark.parametrize("name", ["Title", "Status", "Published", "Image", "Group"])
def test_an_option_with_the_name_of_a_field_replaces_nothing(tmp_path: Path, name: str) -> None:
    document = STOREFRONT | {"options": [{"name": name}], "variants": [STOREFRONT["variants"][0] | {"option1": "Pink"}]}
    (row,) = shopify_rows(tmp_path, page(document), "products.json")
    item = product(row)
    assert (item.title, item.group, item.hidden) == (STOREFRONT["title"], STOREFRONT["handle"], False)
    assert item.attributes[f"attribute_{name.lower()}"] == "Pink"


def test_a_file_can_have_several_pages(tmp_path: Path) -> None:
    other = [STOREFRONT | {"handle": name} for name in ("a", "b", "a", "")]
    text = (
        b'{"x": [{"handle": "no"}], "products" : [' + orjson.dumps(other[0]) + b",\n" + orjson.dumps(other[1]) + b"]}\n"
    )
    rows = outcomes(shopify_rows(tmp_path, text + page(STOREFRONT, *other[2:]), "products.json"))
    assert rows == [
        (1, "a", ""),
        (2, "b", ""),
        (3, "linen-shirt", ""),
        (3, "a", "the handle a is already on line 1"),
        (3, None, "the id is missing"),
    ]


def test_an_object_that_is_not_json_is_rejected_and_the_others_are_read(tmp_path: Path) -> None:
    text = b'{"products": [\n{"handle": nonsense},\n' + orjson.dumps(STOREFRONT) + b"\n]}"
    rows = outcomes(shopify_rows(tmp_path, text, "products.json"))
    assert [(line, key) for line, key, _ in rows] == [(2, None), (3, "linen-shirt")]
    assert rows[0][2].startswith("not JSON: ")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"products": [{"handle": "a"}, ' + b"[" * 2000, "nested more than 1000 levels deep"),
        (page(STOREFRONT)[:-40], "is truncated at line 1"),
        (page(STOREFRONT)[:-2], "is truncated at line 1"),
    ],
)
def test_a_truncated_or_deeply_nested_file_is_an_error(tmp_path: Path, text: bytes, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        shopify_rows(tmp_path, text, "products.json")


@given(
    titles=st.lists(
        st.text(
            st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n", exclude_characters="&"),
            max_size=20,
        ),
        max_size=6,
    ),
    size=st.integers(1, 40),
)
def test_objects_do_not_depend_on_the_chunks_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, titles: list[str], size: int
) -> None:
    folder = tmp_path_factory.mktemp("chunks")
    image = {"src": f"{CDN}/a.jpg", "note": '\\"{['}
    products = [{"handle": f"p{n}", "title": title, "images": [image]} for n, title in enumerate(titles)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.catalogue.sources.parsing.json_items.CHUNK", size)
        rows = [product(row) for row in shopify_rows(folder, page(*products), "products.json")]
    assert [(row.key, row.title) for row in rows] == [(f"p{n}", t.strip() or None) for n, t in enumerate(titles)]
