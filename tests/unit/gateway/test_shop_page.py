import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from services.gateway.app import create_app
from services.gateway.settings import GatewaySettings
from services.gateway.shop_page import MAX_BYTES, ShopPage

PAGE = {
    "name": "Nordlicht & Söhne",
    "logo": "https://shop.example/logo.svg",
    "colours": {"accent": "light-dark(#12665a, #8fd6c8)"},
    "links": [{"text": "Sale", "url": "https://shop.example/sale"}],
    "starters": ["a1", "a2"],
    "strings": {"en": {"start": {"title": "Snap it"}}, "de": {"start": {"title": "Knips es"}}},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "page.json"
    path.write_text(json.dumps(PAGE))
    return path


def test_without_a_file_the_page_has_its_defaults() -> None:
    assert ShopPage.load(None) == ShopPage()
    assert ShopPage().links == []


def test_a_shop_sets_name_logo_colours_links_and_starters(file: Path) -> None:
    page = ShopPage.load(file)
    assert (page.name, page.starters) == ("Nordlicht & Söhne", ["a1", "a2"])
    assert page.links[0].url == "https://shop.example/sale"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"nane": "x"}, "nane: "),
        ({"name": ""}, "name: "),
        ({"colours": {"acent": "red"}}, "there is no colour 'acent'"),
        ({"colours": {"accent": "red; background: url(//evil)"}}, "colours.accent: "),
        ({"links": [{"text": "x", "url": "javascript:alert(1)"}]}, "links.0.url: "),
        ({"logo": "data:image/svg+xml,x"}, "logo: "),
        ({"language": "tlh"}, "there is no language 'tlh'"),
        ({"strings": {"xx": {}}}, "there is no language 'xx'"),
        ({"strings": {"en": {"start": {"title": 5}}}}, "en.start.title is not a text"),
        ({"starters": ["x"] * 9}, "starters: "),
    ],
)
def test_a_wrong_value_is_an_error_that_names_file_and_place(file: Path, change: dict[str, Any], text: str) -> None:
    file.write_text(json.dumps({**PAGE, **change}))
    with pytest.raises(ValueError, match=r"page\.json: ") as error:
        ShopPage.load(file)
    assert text in str(error.value)


@pytest.mark.parametrize(("body", "text"), [(b"{", "page.json: Invalid JSON"), (b" " * (MAX_BYTES + 1), "at most")])
def test_a_file_that_is_no_page_is_an_error(file: Path, body: bytes, text: str) -> None:
    file.write_bytes(body)
    with pytest.raises(ValueError, match=text):
        ShopPage.load(file)


def test_a_missing_file_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        GatewaySettings(page_file=tmp_path / "none.json")


def test_the_page_has_the_shops_name_and_the_texts_of_its_language_only(file: Path) -> None:
    with TestClient(create_app(GatewaySettings(page_file=file, index_urls=("http://127.0.0.1:9",)))) as client:
        german = client.get("/", headers={"Accept-Language": "de-AT"})
        arabic = client.get("/", headers={"Accept-Language": "ar"})
    assert "<title>Nordlicht &amp; Söhne</title>" in german.text
    assert '<html lang="de-AT" dir="ltr">' in german.text
    assert "Knips es" in german.text
    assert "Snap it" not in german.text
    assert "strings/de.js" in german.text
    assert "strings/en.js" not in german.text
    assert german.headers["vary"] == "Accept-Encoding, Accept-Language"
    assert '<html lang="ar" dir="rtl">' in arabic.text
    assert "__" not in arabic.text.replace("__proto__", "")


def test_the_shop_may_fix_the_language(file: Path) -> None:
    file.write_text(json.dumps({**PAGE, "language": "it"}))
    with TestClient(create_app(GatewaySettings(page_file=file, index_urls=("http://127.0.0.1:9",)))) as client:
        assert '<html lang="it" dir="ltr">' in client.get("/", headers={"Accept-Language": "de"}).text


@pytest.mark.parametrize(("size", "is_read"), [(256 * 1024, True), (256 * 1024 + 1, False)])
def test_a_page_file_has_a_bound(file: Path, size: int, is_read: bool) -> None:
    file.write_text(json.dumps(PAGE).ljust(size))
    if is_read:
        assert ShopPage.load(file).name == PAGE["name"]
    else:
        with pytest.raises(ValueError, match="has 262,145 bytes: at most 262,144 are accepted"):
            ShopPage.load(file)


def test_a_page_keeps_texts_at_any_depth_and_its_own_colours(file: Path) -> None:
    strings = {"de": {"a": {"b": {"c": "d"}}, "e": "f"}}
    file.write_text(json.dumps({**PAGE, "strings": strings, "colours": {"accent": "red", "bg": "#fff"}, "look": False}))
    page = ShopPage.load(file)
    assert (page.strings, page.colours, page.look) == (strings, {"accent": "red", "bg": "#fff"}, False)
    file.write_text(json.dumps({**PAGE, "strings": {"de": {"a": {"b": {"c": 5}}}}}))
    with pytest.raises(ValueError, match=r"de\.a\.b\.c is not a text"):
        ShopPage.load(file)
    file.write_text("[]")
    with pytest.raises(ValueError, match=r"page\.json: Input should be an object"):
        ShopPage.load(file)
