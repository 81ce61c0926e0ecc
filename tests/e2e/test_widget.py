"""The widget in another site's page: another origin, hostile styles, a strict policy."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.steps import with_variants
from tests.e2e.test_accessibility import check
from tests.support.pictures.scenes import table
from tests.support.servers.shop import Shop
from tests.support.web.browser import Watch, watched_page
from tests.support.web.foreign import ForeignSite

CARDS = "lookalike-search .card:not(.skeleton)"
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
    (event,) = page.evaluate("window.events")
    assert event["type"] == "lookalike-search"
    assert event["detail"]["category"] == "Shoes"
    assert event["detail"]["count"] == len(event["detail"]["results"]) == 4
    assert event["detail"]["requestId"]
    image = page.locator(f"{CARDS} img").first
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("image => image.naturalWidth") > 0


def test_a_widget_that_is_moved_keeps_its_results(visit: tuple[Page, Watch], photo: Path) -> None:
    page, _ = visit
    search(page, photo)
    page.evaluate(
        """() => {
          const place = document.body.appendChild(document.createElement("section"));
          place.appendChild(document.querySelector("lookalike-search"));
        }"""
    )
    expect(page.locator(f"section {CARDS}")).to_have_count(4)
    search(page, photo)  # it goes on working
    assert [event["type"] for event in page.evaluate("window.events")] == ["lookalike-search"] * 2


def test_a_search_goes_on_while_the_widget_is_moved(visit: tuple[Page, Watch], photo: Path) -> None:
    page, _ = visit
    page.locator("lookalike-search input[type=file]").set_input_files(photo)
    page.evaluate("document.body.append(document.querySelector('lookalike-search'))")
    expect(page.locator(CARDS)).to_have_count(4)


def test_another_language_after_a_search_keeps_the_results(visit: tuple[Page, Watch], photo: Path) -> None:
    page, _ = visit
    search(page, photo)
    page.evaluate("document.querySelector('lookalike-search').setAttribute('lang', 'en-GB')")
    expect(page.locator(CARDS)).to_have_count(4)
    assert page.locator("lookalike-search section").get_attribute("lang") == "en-GB"
    page.locator("lookalike-search").get_by_role("button", name="Clear").click()
    expect(page.locator(CARDS)).to_have_count(0)
    page.evaluate("document.querySelector('lookalike-search').setAttribute('lang', 'en')")
    expect(page.locator(CARDS)).to_have_count(0)
    assert len(page.evaluate("window.events")) == 1


def test_a_browser_without_recent_abort_signals_searches(
    chromium: Browser, shop: Shop, foreign: ForeignSite, photo: Path
) -> None:
    foreign.gateway, foreign.attributes = shop.url, ATTRIBUTES
    with watched_page(chromium, foreign.url, {shop.url.removeprefix("http://")}) as (page, watch):
        page.add_init_script("delete AbortSignal.any; delete AbortSignal.timeout;")
        page.goto("/")
        search(page, photo)
        assert watch.unexpected == []


def test_a_click_sends_an_event_first_and_leads_where_the_template_says(visit: tuple[Page, Watch], photo: Path) -> None:
    page, _ = visit
    search(page, photo)
    page.locator(f"{CARDS} a").nth(1).click()
    event = page.evaluate("window.events")[-1]
    assert event["type"] == "lookalike-click"
    assert event["detail"]["position"] == 2
    assert event["detail"]["url"] == f"https://elsewhere.example/p/{event['detail']['id']}"


def test_the_shops_styles_do_not_reach_the_widget_nor_the_widgets_the_shop(
    visit: tuple[Page, Watch], photo: Path
) -> None:
    page, _ = visit
    search(page, photo)
    button = page.locator("lookalike-search button").first
    look = """element => {
      const style = getComputedStyle(element);
      return [style.display, style.visibility, style.fontSize, style.color, style.letterSpacing, style.direction];
    }"""
    assert button.evaluate(look) == ["flex", "visible", "16px", "rgb(255, 255, 255)", "normal", "ltr"]
    title = page.locator(f"{CARDS} .title").first.evaluate(look)
    assert title[1:] == ["visible", "14.72px", "rgb(30, 26, 23)", "normal", "ltr"]
    assert page.locator("#own").evaluate("element => getComputedStyle(element).color") == "rgb(255, 0, 255)"


def test_the_shops_variables_change_the_look(visit: tuple[Page, Watch]) -> None:
    page, _ = visit
    page.locator("lookalike-search").evaluate(
        "element => element.style.setProperty('--lookalike-button', 'rgb(1, 2, 3)')"
    )
    button = page.locator("lookalike-search button").first
    assert button.evaluate("element => getComputedStyle(element).backgroundColor") == "rgb(1, 2, 3)"


def test_a_file_that_is_no_photo_has_a_message_and_an_event(visit: tuple[Page, Watch], tmp_path: Path) -> None:
    page, _ = visit
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"%PDF-1.7" + b"0" * 200)
    page.locator("lookalike-search input[type=file]").set_input_files(path)
    expect(page.locator("lookalike-search").get_by_role("alert")).to_contain_text("This is a PDF, not a photo")
    assert page.evaluate("window.events") == [{"type": "lookalike-error", "detail": {"code": "pdf", "requestId": None}}]


@pytest.mark.parametrize(
    ("outcome", "title"),
    [
        ("no_clothing", "We see nothing to wear here"),
        ("other_clothing", "This kind of garment is not in our photo search"),
    ],
)
def test_without_clothing_the_widget_says_so_and_one_click_shows_the_nearest_products(
    visit: tuple[Page, Watch], photo: Path, outcome: str, title: str
) -> None:
    page, _ = visit
    page.route("**/v1/search", lambda route: route.fulfill(json={**route.fetch().json(), "outcome": outcome}))
    page.locator("lookalike-search input[type=file]").set_input_files(photo)
    widget = page.locator("lookalike-search")
    expect(widget.get_by_role("heading", name=title)).to_be_visible()
    expect(page.locator(CARDS)).to_have_count(0)
    widget.get_by_role("button", name="Show the closest anyway").click()
    expect(page.locator(CARDS)).to_have_count(4)
    expect(widget.get_by_role("heading", name="Similar shoes")).to_be_focused()
    assert [event["detail"]["outcome"] for event in page.evaluate("window.events")] == [outcome]


def test_on_an_origin_that_the_gateway_does_not_allow_the_console_names_the_setting(
    chromium: Browser, shop: Shop, photo: Path
) -> None:
    """CORS allows another origin only, so the browser withholds the response."""
    with ForeignSite() as stranger:
        stranger.gateway, stranger.attributes = shop.url, ATTRIBUTES
        with watched_page(chromium, stranger.url, {shop.url.removeprefix("http://")}) as (page, watch):
            watch.expect("CORS policy", "ERR_FAILED", "GATEWAY_CORS_ORIGINS")
            page.goto("/")
            page.locator("lookalike-search input[type=file]").set_input_files(photo)
            expect(page.locator("lookalike-search").get_by_role("alert")).to_contain_text(
                "This page may not search here"
            )
            (sentence,) = [problem for problem in watch.problems if "GATEWAY_CORS_ORIGINS" in problem]
            assert stranger.url in sentence
            assert watch.unexpected == []


@pytest.mark.parametrize("mode", ["icon", "button"])
def test_as_icon_or_button_the_search_opens_a_sheet(visit: tuple[Page, Watch], photo: Path, mode: str) -> None:
    page, _ = visit
    page.evaluate(
        """mode => {
          const search = document.querySelector("lookalike-search");
          search.remove();
          const other = document.createElement("lookalike-search");
          for (const { name, value } of search.attributes) other.setAttribute(name, value);
          other.setAttribute("mode", mode);
          document.querySelector("main").append(other);
        }""",
        mode,
    )
    widget = page.locator("lookalike-search")
    expect(widget.get_by_role("button", name="Search by photo")).to_be_visible()
    search(page, photo)
    sheet = widget.get_by_role("dialog", name="Search by photo")
    expect(sheet).to_be_visible()
    check(page)
    sheet.get_by_role("button", name="Close").click()
    expect(sheet).to_be_hidden()


def test_the_widgets_filters_frame_and_more_like_this(visit: tuple[Page, Watch], photo: Path) -> None:
    page, _ = visit
    search(page, photo)
    widget = page.locator("lookalike-search")
    widget.get_by_role("button", name="Filters").click()
    widget.get_by_role("checkbox").first.check()
    expect(widget.get_by_text("1 filter set")).to_be_visible()
    widget.get_by_role("button", name="Adjust the photo").click()
    edge = widget.get_by_role("slider", name="Left edge")
    with page.expect_request("**/v1/search"):
        edge.press("PageDown")
    expect(widget.get_by_role("slider", name="Left edge")).to_have_attribute("aria-valuenow", "10")
    check(page)
    with page.expect_request("**/similar?*"):
        widget.get_by_role("button", name=re.compile("^More like this")).first.click()
    expect(page.locator(CARDS)).to_have_count(4)


def test_variants_are_one_tile_whose_colours_and_offers_lead_to_their_products(
    visit: tuple[Page, Watch], photo: Path
) -> None:
    page, _ = visit
    with_variants(page)
    page.locator("lookalike-search").evaluate("widget => widget.setAttribute('k', 6)")
    page.locator("lookalike-search input[type=file]").set_input_files(photo)
    expect(page.locator(CARDS)).to_have_count(2)
    offers = page.locator(CARDS).nth(1).locator(".offers")
    expect(offers.locator("summary")).to_have_text("2 offers from €10.00")
    offers.locator("summary").click()
    expect(offers.get_by_role("link")).to_have_count(2)
    check(page)
    dots = page.locator(CARDS).first.get_by_role("list", name="Other colours").get_by_role("link")
    expect(dots).to_have_text(["Navy Blue", "Red", "Sunset"])
    dots.nth(1).click()
    shown, clicked = page.evaluate("window.events")
    red = shown["detail"]["results"][2]["id"]
    assert (clicked["type"], clicked["detail"]["id"], clicked["detail"]["position"]) == ("lookalike-click", red, 3)
    assert clicked["detail"]["url"] == f"https://elsewhere.example/p/{red}"


def test_on_a_phone_the_results_of_a_photo_come_into_view(chromium: Browser, shop: Shop, photo: Path) -> None:
    with watched_page(chromium, shop.url, viewport={"width": 320, "height": 568}, reduced_motion="reduce") as (page, _):
        page.goto("/example-shop")
        page.locator("lookalike-search input[type=file]").set_input_files(photo)
        expect(page.locator(CARDS).first).to_be_in_viewport()


def test_similar_products_stand_under_a_products_page_and_follow_its_product(page: Page) -> None:
    page.goto("/example-shop")
    page.evaluate(
        """() => {
          const similar = document.createElement("lookalike-similar");
          similar.setAttribute("product", "sample-shoes-001");
          document.querySelector("main").append(similar);
        }"""
    )
    cards = page.locator("lookalike-similar .card:not(.skeleton)")
    expect(cards).to_have_count(8)
    assert "sample-shoes-001" not in [card.get_attribute("data-id") for card in cards.all()]
    page.locator("lookalike-similar").evaluate("element => element.setAttribute('product', 'sample-bags-001')")
    expect(cards.first).to_have_attribute("data-id", re.compile("^sample-bags-"))
    check(page)


def test_the_garments_of_an_editorial_picture_are_hot_spots(page: Page) -> None:
    """With the shipped detector: a shirt and a shoe on a table."""
    data, boxes = table()
    page.route("**/look.jpg", lambda route: route.fulfill(body=data, content_type="image/jpeg"))
    page.goto("/example-shop")
    page.evaluate(
        """() => {
          const look = document.createElement("lookalike-look");
          look.setAttribute("src", "/look.jpg");
          document.querySelector("main").append(look);
        }"""
    )
    look = page.locator("lookalike-look")
    spots = look.locator(".spot")
    expect(spots.first).to_be_visible()
    assert spots.count() >= len(boxes)
    look.get_by_role("button", name="Find shoes like these").first.click()
    expect(look.locator(".card:not(.skeleton)")).to_have_count(8)
    expect(look.get_by_role("heading", name="Similar shoes")).to_be_visible()
    check(page)


def test_the_example_shop_works(page: Page, photo: Path) -> None:
    page.goto("/example-shop")
    page.locator("lookalike-search input[type=file]").set_input_files(photo)
    expect(page.locator(CARDS)).to_have_count(8)
    expect(page.locator("#events li").first).to_contain_text("lookalike-search: 8 in Shoes")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(CARDS)).to_have_count(0)
