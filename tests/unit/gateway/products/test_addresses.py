"""Addresses of products in requests: http and https only."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.gateway.products.body import ProductBody

REFUSED = [
    "javascript:alert(1)", " JavaScript:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "vbscript:x",
    "ftp://a/b", "file:///etc/passwd", "blob:https://a/b", "shop.example/p", "https://", "https://user:pass@a/",
    "\\\\a\\b",
]  # fmt: skip


@pytest.mark.parametrize("field", ["url", "image_url"])
@pytest.mark.parametrize("text", REFUSED)
def test_an_address_that_is_not_a_web_address_is_refused(field: str, text: str) -> None:
    values: dict[str, Any] = {field: text}
    with pytest.raises(ValidationError, match=field):
        ProductBody(**values)


@pytest.mark.parametrize("field", ["url", "image_url"])
def test_a_web_address_is_taken_as_browsers_normalise_it(field: str) -> None:
    for text, stored in [
        ("https://shop.example/p/1", "https://shop.example/p/1"),
        ("HTTP://Shop.example/a b?c=ü", "http://shop.example/a%20b?c=%C3%BC"),
        ("//shop.example/p", "https://shop.example/p"),
    ]:
        values: dict[str, Any] = {field: text}
        assert getattr(ProductBody(**values), field) == stored


def test_the_address_of_a_page_may_be_a_path_of_the_shop() -> None:
    assert ProductBody(url="/p/1").url == "/p/1"
    for text in ("/\\evil.example", "/" + "x" * 3000):
        with pytest.raises(ValidationError, match="url"):
            ProductBody(url=text)
    with pytest.raises(ValidationError, match="image_url"):
        ProductBody(image_url="/i/1.jpg")
