"""A page in a real Chromium that sends requests to nobody but the servers of a test."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from tools.chromium import TIMEOUT_MS, find_chromium, running_chromium

__all__ = ["NO_BROWSER", "Watch", "find_chromium", "running_chromium", "watched_page"]

NO_BROWSER = (
    "Chromium is not installed: the tests of the pages are skipped (apt-get install chromium-headless-shell, or set "
    "CHROMIUM to the path of another)"
)


@dataclass
class Watch:
    """What goes wrong in a page: errors and warnings in the console, and requests to other hosts.

    Attributes:
        hosts: hosts that the page may send requests to.
        problems: what went wrong, in order.
        requests: addresses of all requests.
        expected: parts of problems that the test is about. The machine's own network changes while containers start.
    """

    hosts: set[str]
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=lambda: ["ERR_NETWORK_CHANGED"])

    def listen(self, page: Page) -> None:
        """Watch a page."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))
        page.on("request", self._request)

    def expect(self, *texts: str) -> None:
        """Expect problems with one of these texts."""
        self.expected.extend(texts)

    @property
    def unexpected(self) -> list[str]:
        """The problems that no test expects."""
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
    """Open a page in a context of its own. It may send requests to `hosts` as well as to its own host."""
    context = browser.new_context(base_url=url, **options)
    context.set_default_timeout(TIMEOUT_MS)
    context.add_init_script(
        "AbortSignal.timeout = () => new AbortController().signal"
    )  # the page waits for slow services
    watch = Watch({urlsplit(url).netloc, *(hosts or ())})
    page = context.new_page()
    watch.listen(page)
    try:
        yield page, watch
    finally:
        page.unroute_all(behavior="ignoreErrors")
        context.close()
