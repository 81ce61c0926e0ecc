"""Takes a picture of every state of the pages, on screens from a narrow phone to 4K, to be looked at.

    .venv/bin/python -m tools.page_states FOLDER [GATEWAY_URL] [--photo PHOTO] [--language de] [--scheme dark]

Without an address it starts a stack with drawn products in a temporary folder. It needs Chromium.
"""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize

from tools.chromium import running_chromium
from tools.page_states.check import open_page
from tools.page_states.stack import drawn_photo, gateway_url
from tools.page_states.states import STATES
from tools.screenshots import DESKTOP, PHONE, settle

SCREENS: dict[str, ViewportSize] = {
    "desktop": DESKTOP,
    "phone": PHONE,
    "small": {"width": 360, "height": 740},
    "narrow": {"width": 320, "height": 568},
    "4k": {"width": 3840, "height": 2160},
}


def take(browser: Browser, url: str, state: str, screen: str, options: argparse.Namespace) -> bytes:
    """Return the picture of a state as PNG."""
    scheme = {"viewport": SCREENS[screen], "color_scheme": options.scheme}
    with open_page(browser, url, options.language, **scheme) as page:
        STATES[state](page, options.photo)
        if state != "searching":
            settle(page)
        return page.screenshot()


def parsed() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(prog="tools.page_states", description="Take a picture of every state.")
    parser.add_argument("folder", type=Path, help="folder for the pictures")
    parser.add_argument("url", nargs="?", help="address of a gateway; default: a stack of its own")
    parser.add_argument("--photo", type=Path, help="the photo to search with; default: a drawn one")
    parser.add_argument("--language", default="en-GB", help="language of the browser (default: en-GB)")
    parser.add_argument("--scheme", choices=["light", "dark"], default="light", help="colours (default: light)")
    parser.add_argument("--states", nargs="*", choices=STATES, default=list(STATES), help="default: all")
    parser.add_argument("--screens", nargs="*", choices=SCREENS, default=["desktop", "phone"], help="default: two")
    return parser.parse_args()


def main() -> None:
    """Take the pictures."""
    options = parsed()
    options.folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        options.photo = options.photo or drawn_photo(folder)
        url = stack.enter_context(gateway_url(options.url, folder))
        browser = stack.enter_context(running_chromium())
        for state in options.states:
            for screen in options.screens:
                path = options.folder / f"{state}-{screen}.png"
                path.write_bytes(take(browser, url, state, screen, options))
                sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
