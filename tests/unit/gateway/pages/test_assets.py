import gzip
import posixpath
import re

import pytest

from services.gateway.pages.assets import Assets
from services.gateway.routes.pages import ASSETS

FILES = {
    "search/index.html": b'<meta content="__CONFIG__"><script src="__ASSETS__/search/app.js"></script>__PRELOADS__',
    "search/app.js": b'import { a } from "./grid.js";\na();\n',
    "search/grid.js": b"export const a = () => 1;\n",
    "widget/widget.js": b"export const VERSION = 1;\n",
}


def test_the_digest_changes_with_any_file() -> None:
    assert Assets(FILES).digest == Assets(dict(reversed(FILES.items()))).digest
    assert Assets(FILES).digest != Assets({**FILES, "search/grid.js": b"export const a = () => 2;\n"}).digest
    assert Assets(FILES).digest != Assets({**FILES, "search/other.js": b""}).digest


def test_a_file_is_held_plain_and_compressed() -> None:
    asset = Assets(FILES).find("search/app.js")
    assert asset is not None
    assert gzip.decompress(asset.compressed) == asset.body == FILES["search/app.js"]
    assert asset.media_type.startswith("text/javascript")


def test_a_script_is_served_without_the_comments_on_lines_of_their_own() -> None:
    comment = b"  /**\n   * @param {x} y\n   */\n  // one\n"
    script = b'/** What it does. */\n\nexport const a = "/* no */"; // why\n' + comment + b"f();\n"
    asset = Assets({**FILES, "search/grid.js": script}).find("search/grid.js")
    assert asset is not None
    assert asset.body == b'\nexport const a = "/* no */"; // why\nf();\n'


def test_only_the_texts_of_the_pages_language_are_preloaded() -> None:
    files = {**FILES, "shared/strings/en.js": b"", "shared/strings/de.js": b""}
    text = Assets(files).page("search/index.html", modules=("search", "shared"), language="de").body.decode()
    assert "strings/de.js" in text
    assert "strings/en.js" not in text


def test_an_unknown_file_is_none() -> None:
    assert Assets(FILES).find("../settings.py") is None


def test_a_page_names_its_files_by_digest_and_preloads_its_own_modules() -> None:
    assets = Assets(FILES)
    text = assets.page("search/index.html", modules=("search/bundle.js",)).body.decode()
    assert f'src="/assets/{assets.digest}/search/app.js"' in text
    assert text.count("modulepreload") == 1
    assert f'href="/assets/{assets.digest}/search/bundle.js"' in text
    assert "widget" not in text


def test_the_configuration_cannot_leave_its_attribute() -> None:
    text = Assets(FILES).page("search/index.html", config={"currency": '"><script>alert(1)</script>'}).body.decode()
    assert text.count("<script") == 1
    assert "&lt;script&gt;" in text


def loaded(name: str) -> set[str]:
    """Return a script and every script that it imports, directly or not."""
    names, waiting = set[str](), [name]
    while waiting:
        name = waiting.pop()
        names.add(name)
        imports = re.findall(r'^(?:import|export) .*?from "(\.[^"]+)"', ASSETS._files[name].body.decode(), re.MULTILINE)
        paths = {posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) for path in imports}
        waiting += paths - names
    return names


@pytest.mark.parametrize(
    ("entry", "css", "most"),
    [
        ("search/bundle.js", {"shared/base.css", "search/search.css"}, 50_000),
        ("catalogue/app.js", {"shared/base.css", "catalogue/catalogue.css"}, 60_000),
        ("widget/bundle.js", set(), 24_000),
    ],
)
def test_each_page_is_within_its_weight(entry: str, css: set[str], most: int) -> None:
    names = loaded(entry) | css | {"shared/strings/el.js"}  # the heaviest language
    assert {"shared/api.js", "shared/strings.js"} < names or entry.endswith("bundle.js")
    assert sum(len(ASSETS._files[name].compressed) for name in names) < most


@pytest.mark.parametrize("name", sorted(ASSETS._files))
def test_no_file_writes_markup_or_names_another_host(name: str) -> None:
    asset = ASSETS.find(name)
    assert asset is not None
    text = asset.body.decode()
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "style=", "onclick="):
        assert forbidden not in text, f"{name}: {forbidden}"
    hosts = [part for part in text.replace("http://www.w3.org/2000/svg", "").split("https://")[1:] if part[0].isalnum()]
    assert hosts == [], name
