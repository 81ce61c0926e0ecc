"""The pages and the widget of one catalogue among several, and of all catalogues."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from services.sample_shop.catalogue import sample_query
from tests.e2e.steps import CARDS, base64_query, choose, titles
from tests.support.servers.shop import Shop
from tests.support.waiting import eventually
from tests.support.web.browser import watched_page
from tests.support.web.foreign import ForeignSite

TITLES = {f"Outlet shoe {number}" for number in range(3)}


@pytest.fixture(scope="module", autouse=True)
def outlet(shop: Shop) -> None:
    """Three shoes in the catalogue `outlet`. The image of one is the photo that the tests search with."""
    for number in range(3):
        body = {
            "title": f"Outlet shoe {number}",
            "image_base64": base64_query(3 + number, "Shoes"),
            "category": "Shoes",
        }
        shop.api.put(f"/catalogues/outlet/v1/products/outlet-{number}", json=body).raise_for_status()
    eventually(lambda: shop.api.get("/catalogues/outlet/v1/stats").json()["products"] == len(TITLES))


def search(page: Page, path: str, photo: Path) -> None:
    page.goto(path)
    page.locator("input[type=file]").first.set_input_files(photo)
    expect(page.locator(CARDS).first).to_be_visible()


def test_a_catalogues_page_searches_that_catalogue_and_its_addresses_stay_below_it(page: Page, photo: Path) -> None:
    search(page, "/catalogues/outlet/", photo)
    assert set(titles(page)) == TITLES
    assert "/catalogues/outlet/#visit=" in page.url
    image = page.locator(f"{CARDS} img").first
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("image => image.naturalWidth") == 240
    page.locator(f"{CARDS} .card-like").first.click()
    expect(page).to_have_url(re.compile(r"/catalogues/outlet/\?like=outlet-\d$"))
    expect(page.locator(CARDS)).to_have_count(2)
    page.goto("/catalogues/outlet/catalogue")
    expect(page.get_by_text("Outlet shoe 0").first).to_be_visible()


def test_the_default_catalogues_page_shows_nothing_of_the_others(page: Page, photo: Path) -> None:
    choose(page, photo)
    expect(page.locator(CARDS)).to_have_count(20)
    assert not TITLES & set(titles(page))
    assert "/catalogues/" not in page.content()


def test_the_page_of_all_catalogues_shows_the_nearest_of_all_and_leads_to_their_catalogue(
    page: Page, photo: Path
) -> None:
    search(page, "/catalogues/all/", photo)
    first = page.locator(CARDS).first
    expect(first.locator(".card-title")).to_have_text("Outlet shoe 0")  # it is the photo itself
    expect(first).to_contain_text("outlet")
    assert len(set(titles(page)) - TITLES) > 10
    first.locator(".card-like").click()
    expect(page).to_have_url(re.compile(r"/catalogues/outlet/\?like=outlet-0$"))
    expect(page.locator(CARDS)).to_have_count(2)


def test_the_widget_searches_the_catalogue_of_its_attribute(
    chromium: Browser, shop: Shop, foreign: ForeignSite, tmp_path: Path
) -> None:
    foreign.gateway, foreign.attributes = shop.url, 'catalogue="outlet"'
    photo = tmp_path / "shoe.jpg"
    photo.write_bytes(sample_query(3, "Shoes"))
    cards = "lookalike-search .card:not(.skeleton)"
    with watched_page(chromium, foreign.url, {shop.url.removeprefix("http://")}) as (page, watch):
        page.goto("/")
        page.locator("lookalike-search input[type=file]").set_input_files(photo)
        expect(page.locator(cards)).to_have_count(len(TITLES))
        (event,) = page.evaluate("window.events")
        assert {result["title"] for result in event["detail"]["results"]} == TITLES
        image = page.locator(f"{cards} img").first
        expect(image).to_have_js_property("complete", True)
        assert image.evaluate("image => image.naturalWidth") > 0
        assert watch.unexpected == []
