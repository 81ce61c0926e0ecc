"""A headless Chromium, driven by Playwright.

The headless shell, a package of its own, is preferred: the tests of the pages take 0.57 of the processor time with it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, expect, sync_playwright

# CI runs as root, which Chromium's sandbox does not allow. Its own background requests have no network to go to.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome")
# Only against a hang: the machine may be busy with other work.
TIMEOUT_MS = 600_000


def find_chromium() -> str | None:
    """Return the browser's path, or None if there is none."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Run the browser for the length of the block. Playwright's expectations wait TIMEOUT_MS."""
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS), timeout=TIMEOUT_MS)
        try:
            yield browser
        finally:
            browser.close()
