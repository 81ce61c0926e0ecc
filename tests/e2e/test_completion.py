"""Complete the look: the row below the results of the page and of the widget."""

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.e2e.steps import choose
from tests.e2e.test_accessibility import check
from tests.support.servers.shop import Shop
from tests.support.web.browser import Watch, watched_page
from tests.support.web.foreign import ForeignSite

PIECES = ".completion .card"
PRODUCT = "sample-shoes-001"


def kinds(page: Page) -> list[str]:
    return page.locator(".completion .card-kind").all_inner_texts()


def come_near(page: Page) -> None:
    expect(page.locator(".card:not(.skeleton)").first).to_be_visible()
    page.locator(".completion-holder").scroll_into_view_if_needed()
    expect(page.locator(PIECES).first).to_be_visible()


def test_a_product_has_the_best_product_of_each_other_category_below_its_neighbours(page: Page, shop: Shop) -> None:
    page.goto(f"/?like={PRODUCT}")
    come_near(page)
    expect(page.get_by_role("region", name="Complete the look").get_by_role("heading", level=2)).to_be_visible()
    look = shop.api.get(f"/v1/products/{PRODUCT}/look").json()
    ids = [part["results"][0]["id"] for part in look["look"]]
    assert len(ids) > 1
    shown = page.locator(PIECES)
    assert [shown.nth(at).get_attribute("data-id") for at in range(shown.count())] == ids
    assert len(set(kinds(page))) == len(ids)
    assert "Shoes" not in kinds(page)
    check(page)
    link = page.locator(f"{PIECES} a.card-link").first
    link.focus()
    page.keyboard.press("Tab")
    expect(page.locator(f"{PIECES} .card-like").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{shop.url}/?like={ids[0]}")


def test_a_photo_has_it_too_and_it_is_loaded_when_the_shopper_comes_near(page: Page, photo: Path) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/v1/look") else None)
    choose(page, photo)
    assert sent == []
    come_near(page)
    assert len(sent) == 1
    assert "Shoes" not in kinds(page)


def test_results_stand_without_a_look_that_fails(page: Page, watch: Watch) -> None:
    watch.expect("503")
    page.route("**/look?*", lambda route: route.fulfill(status=503, json={"type": "/problems/index-not-ready"}))
    page.goto(f"/?like={PRODUCT}")
    expect(page.locator(".card:not(.skeleton)").first).to_be_visible()
    with page.expect_response("**/look?*"):
        page.locator(".completion-holder").scroll_into_view_if_needed()
    expect(page.locator(".card:not(.skeleton)").first).to_be_visible()
    expect(page.locator(".completion-holder")).to_be_empty()


def test_the_widget_completes_looks_if_the_shop_says_so(
    chromium: Browser, shop: Shop, foreign: ForeignSite, photo: Path
) -> None:
    foreign.gateway, own = shop.url, {shop.url.removeprefix("http://")}
    link = 'k="4" link-template="https://elsewhere.example/p/{id}"'
    for complete in ("complete", ""):
        foreign.attributes = f"{link} {complete}"
        with watched_page(chromium, foreign.url, own) as (page, watch):
            page.goto("/")
            page.locator("lookalike-search input[type=file]").set_input_files(photo)
            expect(page.locator("lookalike-search .results > .grid .card:not(.skeleton)")).to_have_count(4)
            if not complete:
                expect(page.locator("lookalike-search .completion")).to_have_count(0)
                assert watch.unexpected == []
                continue
            page.locator("lookalike-search .completion").scroll_into_view_if_needed()
            expect(page.locator(f"lookalike-search {PIECES}").first).to_be_visible()
            expect(page.locator("lookalike-search .completion h3")).to_have_text("Complete the look")
            page.locator(f"lookalike-search {PIECES} a").nth(1).click()
            event = page.evaluate("window.events")[-1]
            detail = event["detail"]
            assert (event["type"], detail["position"], detail["score"]) == ("lookalike-click", 2, None)
            assert detail["url"] == f"https://elsewhere.example/p/{detail['id']}"
            assert watch.unexpected == []
