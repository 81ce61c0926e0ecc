"""What several tests of the pages do."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from services.sample_shop.catalogue import sample_query
from tests.support.shop import Shop
from tests.support.stack import eventually

CARDS = ".card:not(.ghost)"


def choose(page: Page, photo: Path) -> None:
    """Open the page, choose a photo, wait for results."""
    give(page, photo)
    expect(page.locator(CARDS).first).to_be_visible()


def give(page: Page, photo: Path) -> None:
    """Open the page and choose a file."""
    page.goto("/")
    page.locator("input[type=file]").first.set_input_files(photo)


def rest(page: Page) -> None:
    """Wait until every animation and transition that has an end has come to it."""
    page.evaluate(
        """() => Promise.all(document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime !== Infinity)
          .map((one) => one.finished.catch(() => null)))"""
    )


def titles(page: Page) -> list[str]:
    """Return the results' titles."""
    return page.locator(f"{CARDS} .card-title").all_inner_texts()


def base64_query(number: int, category: str) -> str:
    """Return a drawn photo as the API takes it in JSON."""
    return base64.b64encode(sample_query(number, category)).decode()


@contextmanager
def product(shop: Shop, key: str, **body: Any) -> Iterator[None]:
    """Keep one more product in the shop, found by searches, for as long as the block."""
    shop.api.put(f"/v1/products/{key}", json=body).raise_for_status()
    try:
        eventually(lambda: shop.api.get(f"/v1/products/{key}/similar").status_code == 200)
        yield
    finally:
        shop.api.delete(f"/v1/products/{key}").raise_for_status()


def hand_over(page: Page, event: str, data: bytes, kind: str = "image/jpeg", name: str = "photo.jpg") -> None:
    """Drop or paste a file on the page, as the browser does it."""
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
