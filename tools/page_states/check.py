"""Runs axe in every state of the pages, in every language.

    .venv/bin/python -m tools.page_states.check [GATEWAY_URL] [--languages de ar] [--states start results]

It prints what breaks a rule, and exits with 1 if anything does. Without an address it starts a stack with drawn
products in a temporary folder. It needs Chromium.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route

from services.gateway.languages import LANGUAGES, direction
from tools.chromium import TIMEOUT_MS, running_chromium
from tools.page_states.stack import drawn_photo, gateway_url
from tools.page_states.states import ENGLISH, STATES
from tools.screenshots import PHONE

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
MAX_HTML = 200  # characters of an element that are printed


def wait_for_animations(page: Page) -> None:
    """Wait until every animation and transition that ends has ended."""
    page.evaluate(
        """() => Promise.all(
          document.getAnimations()
            .filter((animation) => animation.effect.getComputedTiming().endTime !== Infinity)
            .map((animation) => animation.finished.catch(() => null)),
        )"""
    )


def violations(page: Page) -> list[str]:
    """Return what axe finds once the animations have ended: each rule with an element that breaks it."""
    wait_for_animations(page)
    rules = Axe().run(page, options=OPTIONS).response["violations"]
    return [f"{rule['id']}: {node['html'][:MAX_HTML]}" for rule in rules for node in rule["nodes"]]


@contextmanager
def open_page(browser: Browser, url: str, language: str, **options: Any) -> Iterator[Page]:
    """Open a page in a context of its own, whose browser has a language; the example shop has it too."""
    context = browser.new_context(base_url=url, locale=language, **options)
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    page.route("**/example-shop", lambda route: _answer_in(language, route))
    try:
        yield page
    finally:
        page.unroute_all(behavior="ignoreErrors")
        context.close()


def _answer_in(language: str, route: Route) -> None:
    response = route.fetch()
    body = response.text().replace('lang="en"', f'lang="{language}" dir="{direction(language)}"')
    route.fulfill(response=response, body=body)


def broken_rules(browser: Browser, url: str, state: str, language: str, photo: Path) -> list[str]:
    """Return what axe finds in a state of a phone's page in a language.

    Raises:
        RuntimeError: the page is in another language.
    """
    with open_page(browser, url, language, viewport=PHONE, reduced_motion="reduce") as page:
        STATES[state](page, photo)
        shown = page.evaluate("document.documentElement.lang")
        if shown != ("en" if state in ENGLISH else language):
            raise RuntimeError(f"the state {state!r} in {language!r} is shown in {shown!r}")
        return violations(page)


def main() -> None:
    """Check the states."""
    parser = argparse.ArgumentParser(prog="tools.page_states.check", description="Run axe in every state.")
    parser.add_argument("url", nargs="?", help="address of a gateway; default: a stack of its own")
    parser.add_argument("--languages", nargs="*", choices=LANGUAGES, default=list(LANGUAGES), help="default: all")
    parser.add_argument("--states", nargs="*", choices=STATES, default=list(STATES), help="default: all")
    options = parser.parse_args()
    pairs = [(state, language) for state in options.states for language in options.languages]
    pairs = [pair for pair in pairs if pair[0] not in ENGLISH or pair[1] == "en"]
    problems = 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(gateway_url(options.url, folder))
        browser = stack.enter_context(running_chromium())
        for state, language in pairs:
            broken = broken_rules(browser, url, state, language, drawn_photo(folder))
            problems += len(broken)
            for line in broken:
                sys.stdout.write(f"{state}, {language}: {line}\n")
    sys.stdout.write(f"{len(pairs)} states of pages checked, {problems} broken rules\n")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
