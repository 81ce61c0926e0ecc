"""The page in a real browser: how soon a 3 MB photo shows its first result, and what the pages weigh.

The time runs in the browser, from the file input's `change` to the frame after the first result's picture is complete;
the stack holds drawn products. Weights are compressed, with headers, without products' pictures, from an empty cache.
"""

import io
import re
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Request
from rich.console import Console
from rich.table import Table

from services.sample_shop.catalogue import sample_query
from tests.support.servers.shop import running_shop
from tests.support.web.browser import NO_BROWSER, find_chromium, running_chromium, watched_page

REPEATS = 7
PHOTO_BYTES = 3_000_000
CLOCK = """
addEventListener("change", () => {
  window.started = performance.now();
  window.firstResult = new Promise((resolve) => {
    const look = () => {
      const image = document.querySelector(".card:not(.skeleton) img");
      const isShown = image?.complete && image.naturalWidth > 0;
      requestAnimationFrame(isShown ? () => resolve(performance.now() - window.started) : look);
    };
    look();
  });
}, { capture: true });
"""
SHIFTS = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


def large_photo() -> bytes:
    """Return a JPEG of 12 megapixels and about 3 MB: a drawn shoe with a camera's noise."""
    shoe = Image.open(io.BytesIO(sample_query(3, "Shoes"))).resize((3000, 4000))
    noise = np.random.default_rng(7).normal(0, 9, (4000, 3000, 1))
    picture = Image.fromarray((np.asarray(shoe) + noise).clip(0, 255).astype(np.uint8))
    for quality in range(95, 30, -3):
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality)
        if len(file.getvalue()) <= PHOTO_BYTES * 1.05:
            break
    return file.getvalue()


def time_to_first_result(browser: Browser, url: str, photo: Path) -> list[float]:
    """Return milliseconds from choosing the photo to its first result, each time in a new tab."""
    times = []
    for _ in range(REPEATS):
        with watched_page(browser, url, viewport={"width": 1280, "height": 900}) as (page, _):
            page.add_init_script(CLOCK)
            page.goto("/", wait_until="networkidle")
            page.locator("input[type=file]").first.set_input_files(photo)
            page.wait_for_function("window.firstResult")
            times.append(float(page.evaluate("window.firstResult")))
    return times


def time_to_decode(browser: Browser, url: str, photo: Path) -> float:
    """Return the median of milliseconds that the browser takes to decode the photo and nothing else."""
    with watched_page(browser, url) as (page, _):
        page.add_init_script("addEventListener('change', (event) => (window.photo = event.target.files[0]), true)")
        page.goto("/", wait_until="networkidle")
        page.locator("input[type=file]").first.set_input_files(photo)
        page.wait_for_timeout(2000)
        script = (
            "async () => { const t = performance.now(); await createImageBitmap(photo); return performance.now() - t }"
        )
        return statistics.median(float(page.evaluate(script)) for _ in range(REPEATS))


def layout_shift(browser: Browser, url: str, photo: Path, width: int) -> float:
    """Return the layout shift of opening the page, a search, and scrolling through its results; 0 if nothing jumps.

    It is the sum that browsers report as CLS: shifts within half a second of the visitor's own input do not count.
    """
    with watched_page(browser, url, viewport={"width": width, "height": 844}) as (page, _):
        page.add_init_script(SHIFTS)
        page.goto("/", wait_until="networkidle")
        page.locator("input[type=file]").first.set_input_files(photo)
        page.locator(".card:not(.skeleton)").first.wait_for()
        page.wait_for_load_state("networkidle")
        page.mouse.wheel(0, 3000)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(500)
        return float(page.evaluate("window.shift"))


def weight(browser: Browser, url: str, path: str, only: str = "") -> int:
    """Return the bytes on the wire of a page and its files; with `only`, of the files whose address matches it."""
    finished: list[Request] = []
    with watched_page(browser, url) as (page, _):
        page.on("requestfinished", lambda request: finished.append(request))
        page.goto(path, wait_until="networkidle")
        ours = [request for request in finished if "/v1/" not in request.url and re.search(only, request.url)]
        sizes = [request.sizes() for request in ours]
    return sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes)


def main() -> dict[str, Any]:
    """Measure, print a table, return the figures."""
    if find_chromium() is None:
        Console().print(NO_BROWSER)
        return {"skipped": NO_BROWSER}
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.jpg"
        photo.write_bytes(large_photo())
        with running_shop(Path(folder) / "stack") as shop, running_chromium() as browser:
            times = time_to_first_result(browser, shop.url, photo)
            decoding = time_to_decode(browser, shop.url, photo)
            weights = {path: weight(browser, shop.url, path) for path in ("/", "/catalogue")}
            widget = weight(browser, shop.url, "/example-shop", r"/widget|/shared/.*\.js")
            shifts = [layout_shift(browser, shop.url, photo, width) for width in (390, 1280)]
        size = photo.stat().st_size
    figures = {
        "photo_bytes": size,
        "first_result_ms": [round(t) for t in times],
        "first_result_median_ms": round(statistics.median(times)),
        "first_result_worst_ms": round(max(times)),
        "decoding_alone_ms": round(decoding),
        "search_page_bytes": weights["/"],
        "catalogue_page_bytes": weights["/catalogue"],
        "widget_bytes": widget,
        "layout_shift_phone": round(shifts[0], 4),
        "layout_shift_desktop": round(shifts[1], 4),
    }
    show(figures)
    return figures


def show(figures: dict[str, Any]) -> None:
    """Print the figures with their bounds."""
    table = Table("in a headless Chromium", "measured", "bound")
    photo = f"first result after choosing a {figures['photo_bytes'] / 1e6:.1f} MB photo"
    table.add_row(f"{photo}, median of {REPEATS}", f"{figures['first_result_median_ms']} ms", "600 ms")
    table.add_row(f"{photo}, slowest", f"{figures['first_result_worst_ms']} ms", "")
    table.add_row("of that, the browser's decoding of the photo", f"{figures['decoding_alone_ms']} ms", "")
    table.add_row("search page, compressed", f"{figures['search_page_bytes'] / 1000:.1f} kB", "60 kB")
    table.add_row("catalogue page, compressed", f"{figures['catalogue_page_bytes'] / 1000:.1f} kB", "60 kB")
    table.add_row("widget, compressed", f"{figures['widget_bytes'] / 1000:.1f} kB", "25 kB")
    table.add_row("layout shift on a phone", f"{figures['layout_shift_phone']:.3f}", "0.05")
    table.add_row("layout shift on a desktop", f"{figures['layout_shift_desktop']:.3f}", "0.05")
    Console().print(table)


if __name__ == "__main__":
    main()
