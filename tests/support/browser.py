"""A real Chromium, driven by Playwright, that talks to nobody but the servers of a test."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

# The system's Chromium runs as root in CI, and its own background requests have nowhere to go.
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
PATIENCE_MS = 30_000  # for anything a page is waited for: a machine may be busy with other things
NO_BROWSER = "no Chromium here: the tests of the pages are left out (apt-get install chromium, or CHROMIUM=/path/to/it)"


def find_chromium() -> str | None:
    """Return the browser's path, or None."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Run the browser, without a window, for as long as the block."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        yield browser
        browser.close()


@dataclass
class Watch:
    """What went wrong in a page without being asked for: errors in the console, and requests to other hosts."""

    hosts: set[str]
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    # The machine's own network coming and going (containers being started, say) is not the page's doing.
    expected: list[str] = field(default_factory=lambda: ["ERR_NETWORK_CHANGED"])

    def listen(self, page: Page) -> None:
        """Watch a page."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))
        page.on("request", self._request)

    def expect(self, *texts: str) -> None:
        """Take problems with one of these texts as what the test is about."""
        self.expected.extend(texts)

    @property
    def unexpected(self) -> list[str]:
        """The problems that no test is about."""
        return [problem for problem in self.problems if not any(text in problem for text in self.expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        self.requests.append(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc not in self.hosts:
            self.problems.append(f"request to another host: {request.url}")


@contextmanager
def watched_page(
    browser: Browser, url: str, hosts: set[str] | None = None, **options: Any
) -> Iterator[tuple[Page, Watch]]:
    """Open a page of its own; `hosts` may be asked beside its own."""
    context = browser.new_context(base_url=url, **options)
    context.set_default_timeout(PATIENCE_MS)
    watch = Watch({urlsplit(url).netloc, *(hosts or ())})
    page = context.new_page()
    watch.listen(page)
    try:
        yield page, watch
    finally:
        page.unroute_all(behavior="ignoreErrors")
        context.close()
