"""Steps that several tests of the pages take."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from playwright.sync_api import Page, Route, expect

from services.sample_shop.catalogue import sample_query
from tests.support.servers.shop import Shop
from tests.support.waiting import eventually

T = TypeVar("T")

CARDS = ".grid .card:not(.skeleton)"


def choose(page: Page, photo: Path) -> None:
    """Open the page, choose a photo, wait for results."""
    choose_file(page, photo)
    expect(page.locator(CARDS).first).to_be_visible()


def choose_file(page: Page, photo: Path) -> None:
    """Open the page and choose a file."""
    page.goto("/")
    page.locator("input[type=file]").first.set_input_files(photo)


def without_garments(page: Page) -> None:
    """Let the detector find nothing."""
    page.route("**/v1/detect", lambda route: route.fulfill(json={**route.fetch().json(), "garments": []}))


def with_variants(page: Page) -> None:
    """Let the first four results be variants of a style, in three colours, and the next two show the same picture."""

    def change(route: Route) -> None:
        response = route.fetch().json()
        results = response["results"]
        for result, colour in zip(results[:4], ["Navy Blue", "navy blue", "Red", "Sunset"], strict=True):
            result.update(group="STYLE", attributes={**result["attributes"], "baseColour": colour})
        for result, price in zip(results[4:6], [20, 10], strict=True):
            result.update(image_url=results[4]["image_url"], attributes={"price": price, "currency": "EUR"})
        route.fulfill(json=response)

    page.route("**/v1/search", change)


def wait_for_first(page: Page, items: list[T]) -> T:
    """Return the first item of a list that the page's listeners fill. Playwright runs them only while it waits."""
    return eventually(lambda: items, lambda seconds: page.wait_for_timeout(1000 * seconds))[0]


def titles(page: Page) -> list[str]:
    """Return the results' titles."""
    return page.locator(f"{CARDS} .card-title").all_inner_texts()


def base64_query(number: int, category: str) -> str:
    """Return a drawn photo in base64, for the API's JSON."""
    return base64.b64encode(sample_query(number, category)).decode()


@contextmanager
def product(shop: Shop, key: str, **body: Any) -> Iterator[None]:
    """Keep another product in the shop, where searches find it, for the length of the block and no longer."""
    shop.api.put(f"/v1/products/{key}", json=body).raise_for_status()
    try:
        eventually(lambda: shop.api.get(f"/v1/products/{key}/similar").status_code == 200)
        yield
    finally:
        shop.api.delete(f"/v1/products/{key}").raise_for_status()
        eventually(lambda: shop.api.get(f"/v1/products/{key}/similar").status_code == 404)


def deliver(page: Page, event: str, data: bytes, kind: str = "image/jpeg", name: str = "photo.jpg") -> None:
    """Drop or paste a file on the page, as a browser does."""
    page.evaluate(
        """([event, text, kind, name]) => {
          const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], name, { type: kind, lastModified: 1 }));
          const options = { bubbles: true, cancelable: true };
          document.body.dispatchEvent(event === "paste"
            ? new ClipboardEvent("paste", { ...options, clipboardData: transfer })
            : new DragEvent("drop", { ...options, dataTransfer: transfer }));
        }""",
        [event, base64.b64encode(data).decode(), kind, name],
    )
