"""Takes a picture of every state of the pages, on a desktop and on a phone, to be looked at.

    .venv/bin/python -m tools.page_states FOLDER [GATEWAY_URL] [--photo PHOTO] [--language de] [--scheme dark]

Without an address it starts a stack with drawn products in a temporary folder. It needs Chromium. States that a healthy
stack does not show are made by changing responses on their way to the page.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route, ViewportSize

from services.sample_shop.catalogue import sample_query
from tools.chromium import TIMEOUT_MS, running_chromium
from tools.sample_stack import running_shop
from tools.screenshots import CARD, DESKTOP, PHONE, PRODUCTS_PER_CATEGORY, VARIABLES, settle, stack_settings

SCREENS: dict[str, ViewportSize] = {"desktop": DESKTOP, "phone": PHONE}
SEARCH = "**/v1/search"
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
    results(page, photo)
    page.mouse.wheel(0, 900)


def searching(page: Page, photo: Path) -> None:
    page.route(SEARCH, lambda route: None)
    choose(page, photo)
    page.locator(".skeleton").first.wait_for()


def several_garments(page: Page, photo: Path) -> None:
    page.route("**/v1/detect", lambda route: route.fulfill(json={**route.fetch().json(), "garments": GARMENTS}))
    changed(page, crop=GARMENTS[0])
    results(page, photo)


def adjusting(page: Page, photo: Path) -> None:
    several_garments(page, photo)
    button = page.locator(".bar-photo")
    if button.is_visible():
        button.click()


def changed(page: Page, **values: Any) -> None:
    """Change fields of the responses to searches."""

    def change(route: Route) -> None:
        route.fulfill(json={**route.fetch().json(), **values})

    page.route(SEARCH, change)


def variants(page: Page, photo: Path) -> None:
    """The second to fourth result are of the first one's style, the sixth and seventh have the fifth one's picture."""

    def change(route: Route) -> None:
        response = route.fetch().json()
        results = response["results"]
        for result in results[:4]:
            result["group"] = "STYLE"
        for result in results[5:7]:
            result["image_url"] = results[4]["image_url"]
        route.fulfill(json=response)

    page.route(SEARCH, change)
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


def widget(page: Page, photo: Path) -> None:
    page.goto("/example-shop")
    page.locator("lookalike-search input[type=file]").first.set_input_files(photo)
    page.locator(f"lookalike-search {CARD}").first.wait_for()


STATES: dict[str, Prepare] = {
    "start": start,
    "searching": searching,
    "results": results,
    "scrolled": scrolled,
    "several-garments": several_garments,
    "adjusting": adjusting,
    "variants": variants,
    "filters": filters_open,
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
    "product-gone": product_gone,
    "lost-visit": lost_visit,
    "not-found": not_found,
    "key": key_form,
    "catalogue": catalogue,
    "widget": widget,
}


def take(browser: Browser, url: str, state: str, screen: str, options: argparse.Namespace) -> bytes:
    """Return the picture of a state as PNG."""
    context = browser.new_context(
        base_url=url, viewport=SCREENS[screen], locale=options.language, color_scheme=options.scheme
    )
    context.set_default_timeout(TIMEOUT_MS)
    try:
        page = context.new_page()
        STATES[state](page, options.photo)
        if state != "searching":
            settle(page)
        return page.screenshot()
    finally:
        context.close()


def parsed() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(prog="tools.page_states", description="Take a picture of every state.")
    parser.add_argument("folder", type=Path, help="folder for the pictures")
    parser.add_argument("url", nargs="?", help="address of a gateway; default: a stack of its own")
    parser.add_argument("--photo", type=Path, help="the photo to search with; default: a drawn one")
    parser.add_argument("--language", default="en-GB", help="language of the browser (default: en-GB)")
    parser.add_argument("--scheme", choices=["light", "dark"], default="light", help="colours (default: light)")
    parser.add_argument("--states", nargs="*", choices=STATES, default=list(STATES), help="default: all")
    return parser.parse_args()


def main() -> None:
    """Take the pictures."""
    options = parsed()
    options.folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if options.photo is None:
            options.photo = temporary / "photo.jpg"
            options.photo.write_bytes(sample_query(77, "Bags"))
        url = options.url
        if url is None:
            count = PRODUCTS_PER_CATEGORY
            settings = stack_settings(temporary / "stack")
            shop = running_shop(settings, shoes=count, others=count, variables=VARIABLES)
            url = stack.enter_context(shop).url
        browser = stack.enter_context(running_chromium())
        for state in options.states:
            for screen in SCREENS:
                path = options.folder / f"{state}-{screen}.png"
                path.write_bytes(take(browser, url, state, screen, options))
                sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
