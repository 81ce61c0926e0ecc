"""Takes the pictures of the pages in docs/images, from a stack of its own with the sample catalogue.

    .venv/bin/python -m tools.screenshots [GATEWAY_URL]

Without an address it starts a stack in a temporary folder. Needs Chromium.
"""

import io
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page

from services.sample_shop.catalogue import sample_query
from tests.support.browser import running_chromium, watched_page
from tests.support.shop import running_shop

IMAGES = Path("docs/images")
MOST_BYTES = 400_000
DESKTOP = {"width": 1440, "height": 960}
PHONE = {"width": 390, "height": 844}
CARD = ".card:not(.ghost)"


def settled(page: Page) -> None:
    """Wait until the pictures that can be seen are there."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)


def start(page: Page, photo: Path) -> None:
    page.goto("/")
    page.locator(".sample").first.wait_for()
    settled(page)


def results(page: Page, photo: Path) -> None:
    page.goto("/")
    page.locator("input[type=file]").first.set_input_files(photo)
    page.locator(CARD).first.wait_for()
    settled(page)


def more_like_this(page: Page, photo: Path) -> None:
    results(page, photo)
    page.locator(f"{CARD} .card-like").nth(1).click()
    page.locator(".product-panel").wait_for()
    page.locator(CARD).first.wait_for()
    page.mouse.move(0, 0)
    settled(page)


def widget(page: Page, photo: Path) -> None:
    page.goto("/example-shop")
    page.locator("lookalike-search input[type=file]").set_input_files(photo)
    page.locator(f"lookalike-search {CARD}").first.wait_for()
    page.locator("lookalike-search img").last.scroll_into_view_if_needed()
    page.evaluate("scrollTo(0, 0)")
    settled(page)


def catalogue(page: Page, photo: Path) -> None:
    page.goto("/catalogue")
    page.locator(".neighbours").first.wait_for()
    page.locator(".row-of-products").last.scroll_into_view_if_needed()
    settled(page)
    page.evaluate("scrollTo(0, 0)")


SHOP: dict[str, Any] = {"most": 40, "few": 40, "GATEWAY_CURRENCY": "EUR", "GATEWAY_FETCH_ENABLED": "true"}
SHOTS: dict[str, tuple[Callable[[Page, Path], None], dict[str, int], str]] = {
    "start": (start, DESKTOP, "light"),
    "desktop": (results, DESKTOP, "light"),
    "dark": (more_like_this, DESKTOP, "dark"),
    "phone": (results, PHONE, "light"),
    "widget": (widget, {"width": 1200, "height": 1000}, "light"),
    "catalogue": (catalogue, {"width": 1440, "height": 1600}, "light"),
}


def small_png(data: bytes) -> bytes:
    """Return the picture with at most 256 colours, which flat pages hardly need more than."""
    file = io.BytesIO()
    Image.open(io.BytesIO(data)).convert("RGB").quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(
        file, "PNG", optimize=True
    )
    return file.getvalue()


def take(browser: Browser, url: str, name: str, photo: Path) -> None:
    """Take one picture and write it, if it is within the bound."""
    prepare, viewport, scheme = SHOTS[name]
    scale = 2 if viewport is PHONE else 1
    options = {"viewport": viewport, "color_scheme": scheme, "device_scale_factor": scale, "locale": "en-GB"}
    with watched_page(browser, url, **options) as (page, _):
        prepare(page, photo)
        picture = small_png(page.screenshot())
    if len(picture) > MOST_BYTES:
        raise SystemExit(f"page-{name}.png has {len(picture):,} bytes: at most {MOST_BYTES:,} are wanted")
    (IMAGES / f"page-{name}.png").write_bytes(picture)
    sys.stdout.write(f"docs/images/page-{name}.png  {len(picture):,} bytes\n")


def main() -> None:
    """Take all pictures."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        photo = folder / "photo.jpg"
        photo.write_bytes(sample_query(77, "Bags"))
        url = sys.argv[1] if len(sys.argv) > 1 else stack.enter_context(running_shop(folder / "stack", **SHOP)).url
        browser = stack.enter_context(running_chromium())
        with watched_page(browser, url) as (page, _):
            results(page, photo)  # so that the pictures tell an ordinary search's time
        for name in SHOTS:
            take(browser, url, name, photo)


if __name__ == "__main__":
    main()
