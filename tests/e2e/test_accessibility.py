"""Accessibility: axe in every state, a whole search by keyboard, and every width from 320 pixels to 4K."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FileChooser, Page, expect

from services.gateway.languages import LANGUAGES
from tests.e2e.steps import CARDS, choose, wait_for_first
from tests.support.servers.shop import Shop, second_gateway
from tests.support.web.browser import Watch, watched_page
from tools.page_states.check import broken_rules, violations
from tools.page_states.states import ENGLISH, STATES

# Each state in one language: `make page-check` tries all of them.
PAIRS = [(state, LANGUAGES[0 if state in ENGLISH else at % len(LANGUAGES)]) for at, state in enumerate(STATES)]


def check(page: Page) -> None:
    """Run axe once the animations have ended."""
    assert violations(page) == []


@pytest.mark.parametrize(("state", "language"), PAIRS)
def test_axe_finds_nothing_in_any_state(chromium: Browser, shop: Shop, photo: Path, state: str, language: str) -> None:
    assert broken_rules(chromium, shop.url, state, language, photo) == []


@pytest.mark.parametrize("state", ["start", "results", "unavailable", "catalogue"])
def test_axe_finds_nothing_in_the_dark(page: Page, watch: Watch, photo: Path, state: str) -> None:
    watch.expect("503")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 844})
    STATES[state](page, photo)
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
