"""The shopper's page in each language: on the narrowest screen, and from right to left."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from services.gateway.languages import LANGUAGES, direction
from tests.e2e.steps import CARDS, choose_file
from tests.e2e.test_accessibility import check
from tests.support.servers.shop import Shop
from tests.support.web.browser import watched_page

HEADINGS = {
    "en": "Similar shoes",
    "de": "Ähnliche Schuhe",
    "fr": "Chaussures similaires",
    "es": "Zapatos similares",
    "it": "Scarpe simili",
    "el": "Παπούτσια που μοιάζουν",
    "ar": "أحذية مشابهة",
}


@pytest.fixture(params=LANGUAGES)
def foreign_page(request: pytest.FixtureRequest, chromium: Browser, shop: Shop) -> Iterator[tuple[Page, str]]:
    narrow = {"width": 320, "height": 800}
    with watched_page(chromium, shop.url, locale=request.param, viewport=narrow) as (page, watch):
        yield page, request.param
        assert watch.unexpected == []


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_each_language_is_whole_and_fits_the_narrowest_screen(foreign_page: tuple[Page, str], photo: Path) -> None:
    page, language = foreign_page
    page.goto("/")
    expect(page.locator(".sample").first).to_be_visible()
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == [
        language,
        direction(language),
    ]
    assert fits(page)
    choose_file(page, photo)
    expect(page.locator(CARDS).first).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text(HEADINGS[language])
    assert fits(page)
    page.locator(".bar-filters").click()
    expect(page.locator("dialog .facet").first).to_be_visible()
    page.keyboard.press("Escape")

    def refuse(route: Route) -> None:
        route.fulfill(json={**route.fetch().json(), "outcome": "other_clothing"})

    page.route("**/v1/search", refuse)
    choose_file(page, photo)
    expect(page.locator(".notice")).to_be_visible()
    assert fits(page)


def test_filters_of_a_phone_are_a_sheet_that_says_how_many_products_they_leave(
    chromium: Browser, shop: Shop, photo: Path
) -> None:
    with watched_page(chromium, shop.url, viewport={"width": 390, "height": 844}) as (page, watch):
        choose_file(page, photo)
        expect(page.locator(CARDS).first).to_be_in_viewport()
        opener = page.locator(".bar-filters")
        opener.click()
        sheet = page.get_by_role("dialog", name="Filters")
        expect(sheet.get_by_role("button", name="Show 24 results")).to_be_visible()
        box = sheet.get_by_role("checkbox").first
        count = int((box.get_attribute("aria-label") or "").rpartition(", ")[2].split()[0])
        box.check()
        button = sheet.get_by_role("button", name=f"Show {count} result")
        expect(button).to_be_visible()
        expect(box).to_be_focused()
        button.click()
        expect(sheet).to_be_hidden()
        expect(opener).to_be_focused()
        expect(opener).to_contain_text("1")
        assert watch.unexpected == []


def test_forced_colours_and_reduced_motion_keep_the_page_usable(page: Page, photo: Path) -> None:
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    choose_file(page, photo)
    expect(page.locator(CARDS).first).to_be_visible()
    check(page)
    page.unroute_all()
    page.route("**/v1/search", lambda route: None)
    choose_file(page, photo)
    expect(page.locator(".skeleton").first).to_be_visible()
    assert page.locator(".grid").evaluate("element => getComputedStyle(element).animationName") == "none"
