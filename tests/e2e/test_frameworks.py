"""The widget in React and in Vue: the examples of docs/widget.md as they are."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.servers.stack import ROOT
from tools.javascript.__main__ import MODULES, NOT_INSTALLED, install

EXAMPLES = {
    "react": ("react/umd/react.production.min.js", "react-dom/umd/react-dom.production.min.js"),
    "vue": ("vue/dist/vue.runtime.global.prod.js",),
}
HTML = '<!doctype html><html lang="en"><title>Shop</title><div id="app"></div>{}</html>'


@pytest.mark.parametrize("framework", EXAMPLES)
def test_the_example_searches_and_shows_products_similar_to_the_first_result(
    page: Page, photo: Path, framework: str
) -> None:
    if not install():
        pytest.skip(NOT_INSTALLED)
    files = {Path(name).name: MODULES / name for name in EXAMPLES[framework]}
    files["app.js"] = ROOT / "docs" / "examples" / f"widget-{framework}.js"
    scripts = "".join(f'<script src="/framework/{name}"></script>' for name in files)
    html = HTML.format('<script type="module" src="/widget.js"></script>' + scripts)

    def fulfil(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        if name in files:
            route.fulfill(body=files[name].read_text(), content_type="text/javascript")
        else:
            route.fulfill(body=html, content_type="text/html")

    page.route("**/framework/*", fulfil)
    page.goto("/framework/index.html")
    page.locator("lookalike-search input[type=file]").set_input_files(photo)
    expect(page.locator("#summary")).to_have_text("8 in Shoes")
    expect(page.locator("lookalike-search .card:not(.skeleton)")).to_have_count(8)
    expect(page.locator("lookalike-similar .card:not(.skeleton)")).to_have_count(4)
