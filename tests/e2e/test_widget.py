"""The widget in somebody else's page: another origin, hostile styles, a strict policy."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import Watch, watched_page
from tests.support.foreign import ForeignSite
from tests.support.shop import Shop

CARDS = "lookalike-search .card:not(.ghost)"
ATTRIBUTES = 'k="4" currency="EUR" link-template="https://elsewhere.example/p/{id}"'


@pytest.fixture
def visit(chromium: Browser, shop: Shop, foreign: ForeignSite) -> Iterator[tuple[Page, Watch]]:
    foreign.gateway, foreign.attributes = shop.url, ATTRIBUTES
    with watched_page(chromium, foreign.url, {shop.url.removeprefix("http://")}) as (page, watch):
        page.goto("/")
        yield page, watch
        assert watch.unexpected == []


def search(page: Page, photo: Path) -> None:
    page.locator("lookalike-search input[type=file]").set_input_files(photo)
    expect(page.locator(CARDS)).to_have_count(4)


def test_a_search_in_a_foreign_page_brings_results_and_an_event(visit: tuple[Page, Watch], photo: Path) -> None:
    page, _ = visit
    search(page, photo)
    (heard,) = page.evaluate("window.heard")
    assert heard["type"] == "lookalike-search"
    assert heard["detail"]["category"] == "Shoes"
    assert heard["detail"]["count"] == len(heard["detail"]["results"]) == 4
    assert heard["detail"]["requestId"]
    image = page.locator(f"{CARDS} img").first
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("image => image.naturalWidth") > 0


def test_a_click_is_told_before_it_is_followed_and_leads_where_the_template_says(
    visit: tuple[Page, Watch], photo: Path
) -> None:
    page, _ = visit
    search(page, photo)
    page.locator(f"{CARDS} a").nth(1).click()
    heard = page.evaluate("window.heard")[-1]
    assert heard["type"] == "lookalike-click"
    assert heard["detail"]["position"] == 2
    assert heard["detail"]["url"] == f"https://elsewhere.example/p/{heard['detail']['id']}"


def test_the_shops_styles_do_not_reach_the_widget_nor_its_own_the_shop(visit: tuple[Page, Watch], photo: Path) -> None:
    page, _ = visit
    search(page, photo)
    button = page.locator("lookalike-search button").first
    look = "element => { const s = getComputedStyle(element); return [s.display, s.visibility, s.fontSize, s.color, s.letterSpacing, s.direction] }"
    assert button.evaluate(look) == ["flex", "visible", "16px", "rgb(255, 255, 255)", "normal", "ltr"]
    title = page.locator(f"{CARDS} .title").first.evaluate(look)
    assert title[1:] == ["visible", "14.72px", "rgb(30, 26, 23)", "normal", "ltr"]
    assert page.locator("#own").evaluate("element => getComputedStyle(element).color") == "rgb(255, 0, 255)"


def test_variables_of_the_shop_change_the_look(visit: tuple[Page, Watch]) -> None:
    page, _ = visit
    page.locator("lookalike-search").evaluate(
        "element => element.style.setProperty('--lookalike-button', 'rgb(1, 2, 3)')"
    )
    button = page.locator("lookalike-search button").first
    assert button.evaluate("element => getComputedStyle(element).backgroundColor") == "rgb(1, 2, 3)"


def test_a_file_that_is_no_photo_has_its_words_and_event(visit: tuple[Page, Watch], tmp_path: Path) -> None:
    page, _ = visit
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"%PDF-1.7" + b"0" * 200)
    page.locator("lookalike-search input[type=file]").set_input_files(path)
    expect(page.locator("lookalike-search").get_by_role("alert")).to_contain_text("This is a PDF, not a photo")
    assert page.evaluate("window.heard") == [{"type": "lookalike-error", "detail": {"code": "pdf", "requestId": None}}]


def test_a_photo_without_clothing_is_told_so_and_the_closest_are_one_click_away(
    visit: tuple[Page, Watch], photo: Path
) -> None:
    page, _ = visit
    page.route("**/v1/search", lambda route: route.fulfill(json={**route.fetch().json(), "outcome": "no_clothing"}))
    page.locator("lookalike-search input[type=file]").set_input_files(photo)
    widget = page.locator("lookalike-search")
    expect(widget.get_by_role("heading", name="We see no clothing here")).to_be_visible()
    expect(page.locator(CARDS)).to_have_count(0)
    widget.get_by_role("button", name="Show the closest in Shoes anyway").click()
    expect(page.locator(CARDS)).to_have_count(4)
    expect(widget.get_by_role("heading", name="Products that look like it")).to_be_focused()
    assert [heard["detail"]["outcome"] for heard in page.evaluate("window.heard")] == ["no_clothing"]


def test_without_leave_of_the_gateway_the_widget_says_that_it_cannot_be_reached(
    chromium: Browser, shop: Shop, photo: Path
) -> None:
    """The gateway knows this origin's neighbour only: the browser withholds the answer."""
    with ForeignSite() as stranger:
        stranger.gateway, stranger.attributes = shop.url, ATTRIBUTES
        with watched_page(chromium, stranger.url, {shop.url.removeprefix("http://")}) as (page, watch):
            watch.expect("CORS policy", "ERR_FAILED")
            page.goto("/")
            page.locator("lookalike-search input[type=file]").set_input_files(photo)
            expect(page.locator("lookalike-search").get_by_role("alert")).to_contain_text("The connection was lost")
            assert watch.unexpected == []


def test_the_example_shop_works(page: Page, photo: Path) -> None:
    page.goto("/example-shop")
    page.locator("lookalike-search input[type=file]").set_input_files(photo)
    expect(page.locator(CARDS)).to_have_count(8)
    expect(page.locator("#events li").first).to_contain_text("lookalike-search: 8 in Shoes")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(CARDS)).to_have_count(0)
