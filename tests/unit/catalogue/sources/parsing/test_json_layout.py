"""Where a JSON file has its products, recognised from its start."""

from pathlib import Path

import pytest

from services.catalogue.sources.parsing.json_layout import JsonLayout, json_layout

PRODUCT = '{"image": "1.jpg", "title": "A"}'


def layout(path: Path, text: str | bytes) -> JsonLayout:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return json_layout(path)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("[]", ()),
        ("[1, 2, ", ()),
        ('[{"id": 1}]', ()),
        ('[1, {"id": 1}]\n', ()),
        ('\xef\xbb\xbf \t\r\n\x1e[{"id": 1}]', ()),
        ('{"products": [', ("products",)),
        ('{"data": {"items": [{"a": 1}]}}', ("data", "items")),
        ('{"id": 1, "items": [', ("items",)),
        ('{"x": {"id": 1, "sku": 2}, "items": [', ("items",)),
        ('{"tags": ["a", ["b"], {"items": [1], "id": 1, "sku": 1}], "items": [', ("items",)),
        ('{"a": {"b": {}}, "c": {"nodes": [', ("c", "nodes")),
    ],
)
def test_a_list_is_found_under_its_names(tmp_path: Path, text: str, names: tuple[str, ...]) -> None:
    assert layout(tmp_path / "feed.json", text.encode("latin-1")) == JsonLayout(names, False, False, False)


@pytest.mark.parametrize(
    ("text", "has_lines"),
    [
        ("", True),
        ("[1, 2]\n[3]", True),
        ('{"a": 1}', True),
        ('\n\n{"a": 1}\n\n{"b": 2}', True),
        ('{"a": 1', True),
        ('{"a": 1}} \n"x"', True),
        ('{"a": 1,\n{"b": 1}', True),
        ('{"a": 1} {"b": 2}', False),
        ('{\n"a": 1}\n{"b": 2}', False),
        ('{"id": 1, "image": "1.jpg", "items": [1]}', True),
        ('{"id": 1, "image": "1.jpg",\n"items": [1]}', False),
        ('{"tags": ["a"]}', True),
        ('{"tags": [1], "n": {"x": 2}}', True),
    ],
)
def test_objects_without_a_list_are_on_one_line_each_or_not(tmp_path: Path, text: str, has_lines: bool) -> None:
    assert layout(tmp_path / "feed.json", text) == JsonLayout(None, has_lines, False, False)


@pytest.mark.parametrize(
    ("text", "is_shopify"),
    [
        ('{"products": [{"handle": "a"}]}', True),
        ('{"products": [{"id": "a"}]}', False),
        ('[{"handle": "a", "variants": []}]', True),
        ('{"items": [{"handle": "a", "src": ""}]}', True),
        ('[{"handle": "a", "body_html": ""}]', True),
        ('[{"handle": "a"}]', False),
        ('[{"variants": []}]', False),
        ('{"handle": "a", "variants": []}', False),
        ('{"products": {"edges": [{"node": {"handle": "a", "variants": []}}]}}', False),
        ('{"products": {"nodes": [{"handle": "a", "variants": []}]}}', False),
    ],
)
def test_products_with_a_handle_in_a_list_are_shopifys(tmp_path: Path, text: str, is_shopify: bool) -> None:
    assert layout(tmp_path / "feed.json", text).is_shopify is is_shopify


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f'{{"7": {PRODUCT}}}', ()),
        (f'{{"7": {PRODUCT}}}\n', ()),
        (f'{{\n"7": {PRODUCT},\n"8": 3}}', ()),
        (f'{{"7": {PRODUCT}, "8": ', ()),
        (f'{{"products": {{"7": {PRODUCT}}}}}', ("products",)),
        (f'{{"total": 3, "data": {{"items": {{"7": {PRODUCT}}}}}, "page": 1}}', ("data", "items")),
        (f'{{"first": {{"7": {{}}}}, "data": {{"7": {PRODUCT}}}, "items": {{"8": {PRODUCT}}}}}', ("data",)),
        (f'{{"id": 1, "data": {{"7": {PRODUCT}}}}}', ("data",)),
        ('{"7": {"pictures": {"a": 1}, "sku": "A"}}', ()),
    ],
)
def test_an_object_may_have_products_under_their_names(tmp_path: Path, text: str, names: tuple[str, ...]) -> None:
    assert layout(tmp_path / "feed.json", text) == JsonLayout(names, False, False, True)


@pytest.mark.parametrize(
    "text",
    [
        f'{{"7": {PRODUCT}}}\n{{"8": {PRODUCT}}}',
        f'{{"7": {PRODUCT}, "sku": "A"}}',
        f'{{"other": {{"7": {PRODUCT}}}}}',
        f'{{"image": {PRODUCT}}}',
        f'{{"node": {PRODUCT}}}',
        '{"7": {"image": "1.jpg"}}',
        '{"7": {"title": "A", "price": 1}}',
        PRODUCT,
    ],
)
def test_an_object_that_is_a_product_or_has_none_is_no_map(tmp_path: Path, text: str) -> None:
    assert layout(tmp_path / "feed.json", text) == JsonLayout(None, True, False, False)


@pytest.mark.parametrize(("size", "names"), [(1 << 16, ("products",)), ((1 << 16) + 1, None)])
def test_a_list_is_searched_in_the_first_64_kib(tmp_path: Path, size: int, names: tuple[str, ...] | None) -> None:
    before, after = '{"note": "', '", "products": ['
    text = before + "x" * (size - len(before) - len(after)) + after + '{"id": 1}]}'
    assert layout(tmp_path / "feed.json", text).names == names
