"""What several tests of the pages do."""

import base64
from pathlib import Path

from playwright.sync_api import Page, expect

CARDS = ".card:not(.ghost)"


def choose(page: Page, photo: Path) -> None:
    """Open the page, choose a photo, wait for results."""
    give(page, photo)
    expect(page.locator(CARDS).first).to_be_visible()


def give(page: Page, photo: Path) -> None:
    """Open the page and choose a file."""
    page.goto("/")
    page.locator("input[type=file]").first.set_input_files(photo)


def titles(page: Page) -> list[str]:
    """Return the results' titles."""
    return page.locator(f"{CARDS} .card-title").all_inner_texts()


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
