"""Accessibility: axe in every state, a whole search by keyboard, and every width from 320 pixels to 4K."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FileChooser, Page, expect

from tests.e2e.steps import CARDS, choose, choose_file, wait_for_animations, wait_for_first, without_garments
from tests.support.browser import Watch, watched_page
from tests.support.shop import Shop, second_gateway

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def check(page: Page) -> None:
    """Run axe once the animations have ended."""
    wait_for_animations(page)
    report = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
    assert report.violations_count == 0, report.generate_report()


def results(page: Page, photo: Path) -> None:
    choose(page, photo)


def all_categories(page: Page, photo: Path) -> None:
    choose(page, photo)
    page.get_by_role("button", name="All categories").click()


def cropped(page: Page, photo: Path) -> None:
    without_garments(page)
    choose(page, photo)
    page.get_by_role("button", name="Middle").click()
    expect(page.locator(".results")).to_have_attribute("aria-busy", "false")


def filtered(page: Page, photo: Path) -> None:
    choose(page, photo)
    page.locator(".facet").get_by_role("checkbox").first.check()
    expect(page.get_by_text("1 filter set")).to_be_visible()


def nothing_left(page: Page, photo: Path) -> None:
    choose(page, photo)
    page.get_by_label("From", exact=True).fill("99999")
    page.get_by_label("From", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="Nothing like it with these filters")).to_be_visible()


def no_clothing(page: Page, photo: Path) -> None:
    page.route("**/v1/search", lambda route: route.fulfill(json={**route.fetch().json(), "outcome": "no_clothing"}))
    choose_file(page, photo)
    expect(page.get_by_role("heading", name="We see nothing to wear here")).to_be_visible()


def failed(page: Page, photo: Path) -> None:
    page.route("**/v1/search", lambda route: route.abort("connectionreset"))
    choose_file(page, photo)
    expect(page.get_by_role("alert")).to_be_visible()


def waiting(page: Page, photo: Path) -> None:
    page.route("**/v1/search", lambda route: None)
    choose_file(page, photo)
    expect(page.locator(".skeleton").first).to_be_visible()


def more_like_this(page: Page, photo: Path) -> None:
    page.goto("/?like=sample-shoes-001")
    expect(page.locator(CARDS)).to_have_count(20)


def camera(page: Page, photo: Path) -> None:
    page.context.grant_permissions(["camera"])
    page.goto("/")
    page.get_by_role("button", name="Take a photo").click()
    expect(page.get_by_role("button", name="Take the photo")).to_be_enabled()


def start(page: Page, photo: Path) -> None:
    page.goto("/")
    expect(page.locator(".sample").first).to_be_visible()


def catalogue(page: Page, photo: Path) -> None:
    page.goto("/catalogue")
    expect(page.locator(".neighbours").first).to_be_visible()


def example_shop(page: Page, photo: Path) -> None:
    page.goto("/example-shop")
    page.locator("lookalike-search input[type=file]").set_input_files(photo)
    expect(page.locator("lookalike-search .card:not(.skeleton)")).to_have_count(8)


STATES = [start, results, all_categories, cropped, filtered, nothing_left, no_clothing, failed, waiting, more_like_this]
STATES += [camera, catalogue, example_shop]


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(page: Page, watch: Watch, photo: Path, state: Callable[[Page, Path], None]) -> None:
    watch.expect("ERR_CONNECTION_RESET")
    state(page, photo)
    check(page)


@pytest.mark.parametrize("state", [start, results, failed, catalogue])
def test_axe_finds_nothing_in_the_dark_on_a_phone(
    page: Page, watch: Watch, photo: Path, state: Callable[[Page, Path], None]
) -> None:
    watch.expect("ERR_CONNECTION_RESET")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 844})
    state(page, photo)
    check(page)


def test_axe_finds_nothing_in_the_form_for_the_key(chromium: Browser, shop: Shop, tmp_path: Path) -> None:
    with (
        second_gateway(shop, tmp_path / "gateway.log", GATEWAY_ADMIN_KEY="open sesame") as url,
        watched_page(chromium, url) as (page, _),
    ):
        page.goto("/catalogue")
        page.get_by_label("Admin key").fill("wrong")
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_role("alert")).to_be_visible()
        check(page)


def tab_to(page: Page, name: str, max_tabs: int = 80) -> None:
    """Press Tab until an element with this name has the focus."""
    for _ in range(max_tabs):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
        )
        if re.match(name, (focused or "").strip()):
            return
    raise AssertionError(f"{max_tabs} Tab keys do not reach {name!r}")


def test_a_whole_search_by_keyboard_alone(page: Page, photo: Path) -> None:
    # Listening from the start: Playwright intercepts the dialog only some time after the listener is added.
    dialogs: list[FileChooser] = []
    page.on("filechooser", lambda dialog: dialogs.append(dialog))
    page.goto("/")
    expect(page.locator(".sample").first).to_be_visible()
    tab_to(page, "Choose a photo")
    page.keyboard.press("Enter")
    wait_for_first(page, dialogs).set_files(photo)
    expect(page.locator(CARDS)).to_have_count(20)
    expect(page.get_by_role("status").last).to_have_text("20 products found: Similar shoes, closest first.")

    tab_to(page, "Left edge")
    with page.expect_request("**/v1/search"):
        for _ in range(5):
            page.keyboard.press("ArrowRight")
    expect(page.get_by_role("slider", name="Left edge")).to_have_attribute("aria-valuenow", "10")
    expect(page.get_by_role("slider", name="Left edge")).to_be_focused()

    tab_to(page, "Trousers|Socks|Bags|Watches|Jewellery")
    chosen = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Similar {chosen.lower()}")

    tab_to(page, "More like this")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page.locator(".product-title")).to_be_visible()
    tab_to(page, "")
    assert page.evaluate("document.activeElement.closest('.card, .chips') !== null")


def test_the_first_tab_skips_to_the_results(page: Page, photo: Path) -> None:
    choose(page, photo)
    page.evaluate("document.body.tabIndex = -1; document.body.focus()")  # Tab goes on from the page's beginning
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the results")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize(("width", "columns"), [(320, 2), (390, 2), (768, 3), (1440, 4), (3840, 8)])
def test_every_width_shows_the_results_without_scrolling_sideways(
    page: Page, photo: Path, width: int, columns: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    choose(page, photo)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tops = page.evaluate("[...document.querySelectorAll('.card')].map((card) => card.offsetTop)")
    assert tops.count(tops[0]) >= columns
    page.goto("/")
    expect(page.locator(".sample").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto("/catalogue")
    expect(page.locator(".neighbours").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_controls_are_large_enough_to_hit(page: Page, photo: Path) -> None:
    """WCAG 2.2, 2.5.8: at least 24 by 24 pixels."""
    page.set_viewport_size({"width": 320, "height": 800})
    choose(page, photo)
    small = page.evaluate(
        """[...document.querySelectorAll("button, a, input, summary, [role=slider]")]
          .filter((element) => element.checkVisibility() && !element.closest(".option, .visually-hidden") &&
            !element.classList.contains("visually-hidden") && !element.classList.contains("skip"))
          .map((element) => [element.getBoundingClientRect(), element.className || element.tagName])
          .filter(([box]) => box.width > 0 && (box.width < 23.9 || box.height < 23.9))
          .map(([box, name]) => `${name} ${box.width}x${box.height}`)"""
    )
    assert small == []
