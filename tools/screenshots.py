"""Takes the pictures of the pages in docs/images, from a stack with the sample catalogue.

    .venv/bin/python -m tools.screenshots [GATEWAY_URL]

Without an address it starts a stack in a temporary folder. It needs Chromium.
"""

import io
import socket
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize

from services.local.settings import StackSettings
from services.sample_shop.catalogue import sample_query
from tools.chromium import TIMEOUT_MS, running_chromium
from tools.sample_stack import running_shop

IMAGES = Path("docs/images")
MODEL_DIR = Path("models/fashion/3")
MAX_BYTES = 400_000
PRODUCTS_PER_CATEGORY = 40
VARIABLES = {"GATEWAY_CURRENCY": "EUR", "GATEWAY_FETCH_ENABLED": "true"}
CARD = ".card:not(.skeleton)"
# After the network is idle, fonts and transitions still take a moment.
SETTLE_MS = 400


@dataclass(frozen=True)
class Shot:
    """One picture: how to reach the page's state, and the screen it is taken on."""

    prepare: Callable[[Page, Path], None]
    viewport: ViewportSize
    scheme: Literal["light", "dark"] = "light"
    scale: int = 1


def settle(page: Page) -> None:
    """Wait until the visible images are loaded."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(SETTLE_MS)


def start(page: Page, photo: Path) -> None:
    page.goto("/")
    page.locator(".sample").first.wait_for()
    settle(page)


def results(page: Page, photo: Path) -> None:
    page.goto("/")
    page.locator("input[type=file]").first.set_input_files(photo)
    page.locator(CARD).first.wait_for()
    settle(page)


def more_like_this(page: Page, photo: Path) -> None:
    results(page, photo)
    page.locator(f"{CARD} .card-like").nth(1).click()
    page.locator(".product-panel").wait_for()
    page.locator(CARD).first.wait_for()
    page.mouse.move(0, 0)
    settle(page)


def widget(page: Page, photo: Path) -> None:
    page.goto("/example-shop")
    page.locator("lookalike-search input[type=file]").set_input_files(photo)
    page.locator(f"lookalike-search {CARD}").first.wait_for()
    page.locator("lookalike-search img").last.scroll_into_view_if_needed()
    page.evaluate("scrollTo(0, 0)")
    settle(page)


def catalogue(page: Page, photo: Path) -> None:
    page.goto("/catalogue")
    page.locator(".neighbours").first.wait_for()
    page.locator(".row-of-products").last.scroll_into_view_if_needed()
    settle(page)
    page.evaluate("scrollTo(0, 0)")


DESKTOP: ViewportSize = {"width": 1440, "height": 960}
PHONE: ViewportSize = {"width": 390, "height": 844}
SHOTS = {
    "start": Shot(start, DESKTOP),
    "desktop": Shot(results, DESKTOP),
    "dark": Shot(more_like_this, DESKTOP, scheme="dark"),
    "phone": Shot(results, PHONE, scale=2),
    "widget": Shot(widget, {"width": 1200, "height": 1000}),
    "catalogue": Shot(catalogue, {"width": 1440, "height": 1600}),
}


def small_png(data: bytes) -> bytes:
    """Return the picture with at most 256 colours: flat pages need hardly more."""
    file = io.BytesIO()
    palette = Image.open(io.BytesIO(data)).convert("RGB").quantize(256, dither=Image.Dither.FLOYDSTEINBERG)
    palette.save(file, "PNG", optimize=True)
    return file.getvalue()


def take(browser: Browser, url: str, shot: Shot, photo: Path) -> bytes:
    """Return one picture as PNG."""
    context = browser.new_context(
        base_url=url,
        viewport=shot.viewport,
        color_scheme=shot.scheme,
        device_scale_factor=shot.scale,
        locale="en-GB",
    )
    context.set_default_timeout(TIMEOUT_MS)
    with closing(context):
        page = context.new_page()
        shot.prepare(page, photo)
        return small_png(page.screenshot())


def write(name: str, picture: bytes) -> None:
    """Write one picture.

    Raises:
        SystemExit: it is larger than MAX_BYTES.
    """
    if len(picture) > MAX_BYTES:
        raise SystemExit(f"page-{name}.png has {len(picture):,} bytes: the limit is {MAX_BYTES:,}")
    (IMAGES / f"page-{name}.png").write_bytes(picture)
    sys.stdout.write(f"docs/images/page-{name}.png  {len(picture):,} bytes\n")


def stack_settings(folder: Path) -> StackSettings:
    """Return settings of a stack on free ports. Another process may take a port before the stack does: run again."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(5)]
        for listener in sockets:
            listener.bind(("127.0.0.1", 0))
        gateway, embedding, index, tfs, mongo = (listener.getsockname()[1] for listener in sockets)
    return StackSettings(
        gateway_port=gateway,
        embedding_port=embedding,
        index_port=index,
        tfs_port=tfs,
        mongo_port=mongo,
        state_dir=folder,
        model_dir=MODEL_DIR,
    )


def main() -> None:
    """Take all pictures."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        photo = folder / "photo.jpg"
        photo.write_bytes(sample_query(77, "Bags"))
        if len(sys.argv) > 1:
            url = sys.argv[1]
        else:
            shop = running_shop(
                stack_settings(folder / "stack"),
                shoes=PRODUCTS_PER_CATEGORY,
                others=PRODUCTS_PER_CATEGORY,
                variables=VARIABLES,
            )
            url = stack.enter_context(shop).url
        browser = stack.enter_context(running_chromium())
        take(browser, url, SHOTS["desktop"], photo)  # warms up the stack: the pictures show an ordinary search's time
        for name, shot in SHOTS.items():
            write(name, take(browser, url, shot, photo))


if __name__ == "__main__":
    main()
