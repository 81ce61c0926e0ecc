"""Every state of the pages, and how to get there.

A state's function opens the page and makes it so. States that a healthy stack does not show are made by changing
responses on their way to the page. Elements are found by what no language changes.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route

from tools.screenshots import CARD

SEARCH = "**/v1/search"
DETECT = "**/v1/detect"
NO_RESPONSE = """
const send = window.fetch;
window.fetch = (url, ...options) => String(url).includes("/v1/search") ? new Promise(() => {}) : send(url, ...options);
"""
COLOURS = ["Navy Blue", "Red", "Mustard", "White"]
BOXES = [
    ("Topwear", 0.95, {"x": 0.25, "y": 0.1, "width": 0.5, "height": 0.4}),
    ("Bottomwear", 0.9, {"x": 0.3, "y": 0.45, "width": 0.4, "height": 0.4}),
    ("Shoes", 0.8, {"x": 0.35, "y": 0.82, "width": 0.3, "height": 0.16}),
]
GARMENTS = [{"box": box, "category": {"id": 0, "name": name, "probability": p}} for name, p, box in BOXES]
Prepare = Callable[[Page, Path], None]


def choose(page: Page, photo: Path) -> None:
    page.goto("/")
    page.locator("input[type=file]").first.set_input_files(photo)


def start(page: Page, photo: Path) -> None:
    page.goto("/")
    page.locator(".sample").first.wait_for()


def results(page: Page, photo: Path) -> None:
    choose(page, photo)
    page.locator(CARD).first.wait_for()


def scrolled(page: Page, photo: Path) -> None:
    """Scroll to a card: the bar of a phone then lies over the card's picture, and over no part of a button."""
    results(page, photo)
    page.evaluate("document.fonts.ready.then(() => null)")
    page.locator(CARD).nth(6).evaluate(
        "(card) => scrollTo({ top: card.getBoundingClientRect().top + scrollY, behavior: 'instant' })"
    )


def completion(page: Page, photo: Path) -> None:
    more_like_this(page, photo)
    page.locator(".completion-holder").scroll_into_view_if_needed()
    page.locator(f".completion {CARD}").first.wait_for()


def searching(page: Page, photo: Path) -> None:
    page.add_init_script(NO_RESPONSE)
    choose(page, photo)
    page.locator(".skeleton").first.wait_for()


def several_garments(page: Page, photo: Path) -> None:
    detected(page, GARMENTS)
    changed(page, crop=GARMENTS[0])
    results(page, photo)
    page.locator(".garment-chips").wait_for()


def detected(page: Page, garments: list[dict[str, Any]]) -> None:
    """Let the detector find these garments."""
    page.route(DETECT, lambda route: route.fulfill(json={**route.fetch().json(), "garments": garments}))


def adjusting(page: Page, photo: Path) -> None:
    several_garments(page, photo)
    show_photo(page)


def show_photo(page: Page) -> None:
    """Show the photo with its frame, which a phone hides."""
    button = page.locator(".bar-photo")
    if button.is_visible():
        button.click()


def framed(page: Page, photo: Path) -> None:
    detected(page, [])
    results(page, photo)
    show_photo(page)
    with page.expect_response(SEARCH):
        page.locator(".presets button").last.click()
    page.locator(f"[aria-busy=false] {CARD}").first.wait_for()


def all_categories(page: Page, photo: Path) -> None:
    results(page, photo)
    page.locator(".chip.quiet").click()


def camera(page: Page, photo: Path) -> None:
    page.context.grant_permissions(["camera"])
    page.goto("/")
    page.locator(".give-buttons > .button").click()
    page.locator(".camera .primary:enabled").wait_for()


def changed(page: Page, **values: Any) -> None:
    """Change fields of the responses to searches."""

    def change(route: Route) -> None:
        route.fulfill(json={**route.fetch().json(), **values})

    page.route(SEARCH, change)


def vary(page: Page) -> None:
    """Let the first four results be of one style, in four colours, and the next three have the same picture."""

    def change(route: Route) -> None:
        response = route.fetch().json()
        results = response["results"]
        for result, colour in zip(results, COLOURS, strict=False):
            result.update(group="STYLE", attributes={**result["attributes"], "baseColour": colour})
        for result in results[5:7]:
            result["image_url"] = results[4]["image_url"]
        route.fulfill(json=response)

    page.route(SEARCH, change)


def variants(page: Page, photo: Path) -> None:
    vary(page)
    results(page, photo)
    page.locator(".offers summary").click()


def outcome(name: str, **values: Any) -> Prepare:
    def prepare(page: Page, photo: Path) -> None:
        changed(page, outcome=name, **values)
        choose(page, photo)
        page.locator(".notice").wait_for()

    return prepare


def filters_open(page: Page, photo: Path) -> None:
    results(page, photo)
    button = page.locator(".bar-filters")
    if button.is_visible():
        button.click()
        page.locator("dialog .facet").first.wait_for()


def filtered(page: Page, photo: Path) -> None:
    filters_open(page, photo)
    page.locator(".option input:visible, .option:visible input").first.check()
    page.wait_for_function("location.search.includes('filter=')")
    page.locator(".results[aria-busy=false]").wait_for()


def nothing_with_filters(page: Page, photo: Path) -> None:
    results(page, photo)
    page.goto(page.url.replace("/#", '/?filter={"price":{"gte":99999}}#'))
    page.locator(".notice").wait_for()


def failed(status: int, slug: str) -> Prepare:
    def prepare(page: Page, photo: Path) -> None:
        body = {"type": f"/problems/{slug}", "title": slug, "status": status, "detail": f"{slug}: no detail"}
        page.route(SEARCH, lambda route: route.fulfill(status=status, json=body))
        choose(page, photo)
        page.get_by_role("alert").wait_for()

    return prepare


def offline(page: Page, photo: Path) -> None:
    page.route(SEARCH, lambda route: route.abort("internetdisconnected"))
    choose(page, photo)
    page.get_by_role("alert").wait_for()


def not_a_photo(page: Page, photo: Path) -> None:
    path = photo.with_name("scan.jpg")
    path.write_bytes(b"%PDF-1.7" + b"0" * 200)
    choose(page, path)
    page.get_by_role("alert").wait_for()


def more_like_this(page: Page, photo: Path) -> None:
    page.goto("/?like=sample-shoes-001")
    page.locator(CARD).first.wait_for()


def product_gone(page: Page, photo: Path) -> None:
    page.goto("/?like=no-such-product")
    page.get_by_role("alert").wait_for()


def lost_visit(page: Page, photo: Path) -> None:
    page.goto("/#visit=0a1b2c3d")
    page.locator(".sample").first.wait_for()


def catalogue(page: Page, photo: Path) -> None:
    page.goto("/catalogue")
    page.locator(".neighbours").first.wait_for()


def key_form(page: Page, photo: Path) -> None:
    problem = {"type": "/problems/unauthorised", "title": "", "status": 401, "detail": ""}
    page.route("**/v1/catalogue", lambda route: route.fulfill(status=401, json=problem))
    page.goto("/catalogue")
    page.locator("#admin-key").wait_for()


def not_found(page: Page, photo: Path) -> None:
    page.goto("/no/such/page")


def widget_start(page: Page, photo: Path) -> None:
    page.goto("/example-shop")
    page.locator("lookalike-search input[type=file]").wait_for(state="attached")


def choose_in_widget(page: Page, photo: Path) -> None:
    widget_start(page, photo)
    page.locator("lookalike-search input[type=file]").set_input_files(photo)


def widget(page: Page, photo: Path) -> None:
    choose_in_widget(page, photo)
    page.locator(f"lookalike-search {CARD}").first.wait_for()


def widget_garments(page: Page, photo: Path) -> None:
    detected(page, GARMENTS)
    widget(page, photo)
    page.locator("lookalike-search .chip").first.wait_for()


def widget_adjusting(page: Page, photo: Path) -> None:
    widget_garments(page, photo)
    page.locator("lookalike-search .tool").first.click()
    page.locator("lookalike-search .crop-box").wait_for()


def widget_filters(page: Page, photo: Path) -> None:
    widget(page, photo)
    page.locator("lookalike-search .tool").nth(1).click()
    page.locator("lookalike-search .facet").first.wait_for()


def widget_variants(page: Page, photo: Path) -> None:
    vary(page)
    widget(page, photo)
    page.locator("lookalike-search .offers summary").click()


def widget_refused(page: Page, photo: Path) -> None:
    changed(page, outcome="no_clothing")
    choose_in_widget(page, photo)
    page.locator("lookalike-search .notice").wait_for()


def widget_failed(page: Page, photo: Path) -> None:
    page.route(SEARCH, lambda route: route.abort("internetdisconnected"))
    choose_in_widget(page, photo)
    page.locator("lookalike-search").get_by_role("alert").wait_for()


def in_shop(page: Page, element: str, **attributes: str) -> None:
    """Open the example shop with another element of the widget."""
    page.goto("/example-shop")
    page.evaluate(
        """([name, attributes]) => {
          const element = document.createElement(name);
          for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
          document.querySelector("lookalike-search").replaceWith(element);
        }""",
        [element, attributes],
    )


def widget_sheet(page: Page, photo: Path) -> None:
    in_shop(page, "lookalike-search", mode="button", currency="EUR")
    page.locator("lookalike-search input[type=file]").set_input_files(photo)
    page.locator(f"lookalike-search {CARD}").first.wait_for()


def widget_similar(page: Page, photo: Path) -> None:
    in_shop(page, "lookalike-similar", product="sample-shoes-001", currency="EUR")
    page.locator(f"lookalike-similar {CARD}").first.wait_for()


def widget_completion(page: Page, photo: Path) -> None:
    in_shop(page, "lookalike-similar", product="sample-shoes-001", currency="EUR", complete="")
    page.locator(f"lookalike-similar {CARD}").first.wait_for()
    page.locator("lookalike-similar .completion").scroll_into_view_if_needed()
    page.locator(f"lookalike-similar .completion {CARD}").first.wait_for()


def widget_look(page: Page, photo: Path) -> None:
    detected(page, GARMENTS)
    changed(page, outcome="ok")
    in_shop(page, "lookalike-look", src="/v1/products/sample-bags-001/image", alt="A bag", currency="EUR")
    page.locator("lookalike-look .spot").first.click()
    page.locator(f"lookalike-look {CARD}").first.wait_for()


STATES: dict[str, Prepare] = {
    "start": start,
    "camera": camera,
    "searching": searching,
    "results": results,
    "scrolled": scrolled,
    "several-garments": several_garments,
    "adjusting": adjusting,
    "variants": variants,
    "framed": framed,
    "all-categories": all_categories,
    "filters": filters_open,
    "filtered": filtered,
    "nothing-with-filters": nothing_with_filters,
    "no-clothing": outcome("no_clothing"),
    "other-clothing": outcome("other_clothing"),
    "no-close-match": outcome("no_close_match"),
    "nothing": outcome("no_close_match", results=[], facets=[]),
    "unavailable": failed(503, "embedding-unavailable"),
    "busy": failed(429, "too-many-requests"),
    "offline": offline,
    "not-a-photo": not_a_photo,
    "more-like-this": more_like_this,
    "completion": completion,
    "product-gone": product_gone,
    "lost-visit": lost_visit,
    "not-found": not_found,
    "key": key_form,
    "catalogue": catalogue,
    "widget-start": widget_start,
    "widget": widget,
    "widget-garments": widget_garments,
    "widget-adjusting": widget_adjusting,
    "widget-filters": widget_filters,
    "widget-variants": widget_variants,
    "widget-refused": widget_refused,
    "widget-failed": widget_failed,
    "widget-sheet": widget_sheet,
    "widget-similar": widget_similar,
    "widget-completion": widget_completion,
    "widget-look": widget_look,
}
# Pages for engineers, in English only.
ENGLISH = frozenset({"not-found", "key", "catalogue"})
