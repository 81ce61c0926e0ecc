"""Files, routes, problem types, commands, options, make targets, variables and metrics in the documentation exist."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer.main

from services.cli.main import app
from services.contracts.domain.errors import error_types
from tests.support.values.settings import settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")])
OPENAPI = orjson.loads((ROOT / "docs" / "openapi.json").read_bytes())
SOURCES = "".join(path.read_text() for path in sorted(ROOT.glob("services/**/*.py")))
FOLDERS = "services|training|tests|tools|docs|deploy|models|requirements"
OTHER_VARIABLES = {
    # Read by make, by commands, by the containers' images or by tests; not settings of a service.
    "ATTACK_OPTIONS", "BACKGROUNDS", "BENCH", "DATASET",
    "FAULTS_OPTIONS", "FEED_BENCH", "FUZZ_OPTIONS", "GATEWAY_URL", "IMPORT_BENCH", "LOOKALIKE_DATA",
    "LOOKALIKE_KEY", "MILLION_BENCH_DATABASE", "MODEL", "MODEL_DIR", "NEGATIVES", "PHOTOS", "TMPDIR", "TRAIN_OPTIONS",
}  # fmt: skip


def ids(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def code_in(page: Path) -> Iterator[str]:
    """Yield the inline code and the code blocks of a page."""
    text = page.read_text()
    yield from re.findall(r"^```.*?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_a_path_of_the_repository_exists(page: Path) -> None:
    paths = {
        path.rstrip(".,:/")
        for code in code_in(page)
        for path in re.findall(rf"(?<![\w/.-])(?:{FOLDERS})/[\w./*{{}}<>…-]*", code)
        if not re.search(r"[<>…{}*]", path) and not path.startswith("models/fashion/3")
    }
    assert sorted(path for path in paths if not (ROOT / path).exists()) == []


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_a_route_is_in_the_openapi_document(page: Path) -> None:
    calls = {call for code in code_in(page) for call in re.findall(r"\b(GET|POST|PUT|DELETE) (/v1/[^\s`?\"']*)", code)}
    known = {(method.upper(), shape(path)) for path, item in OPENAPI["paths"].items() for method in item}
    assert sorted((method, path) for method, path in calls if (method, shape(path)) not in known) == []


def shape(path: str) -> str:
    """Return a path with the same sign for each parameter."""
    return re.sub(r"\{[^}]*\}|\bID\b", "*", path.rstrip(".,:"))


def test_the_table_of_errors_has_the_problem_types_of_the_api_with_their_status() -> None:
    page = (ROOT / "docs" / "api.md").read_text()
    rows = re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \| (\d{3}) \|", page, re.MULTILINE)
    table = {slug: int(status) for slugs, status in rows for slug in re.findall(r"`([a-z-]+)`", slugs)}
    types = error_types()
    assert {slug: types[slug].status for slug in table} == table
    public = set(re.findall(r"/problems/([a-z-]+)", orjson.dumps(OPENAPI).decode()))
    assert sorted(public - table.keys()) == []


COMMAND: Any = typer.main.get_command(app)
COMMANDS: dict[str, Any] = COMMAND.commands


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_a_command_exists_and_has_the_options_used(page: Path) -> None:
    for code in code_in(page):
        for name, rest in re.findall(r"(?<!-n )\blookalike ([a-z][a-z-]+)((?: [^\n#|;`]+)?)", code):
            assert name in COMMANDS, code
            options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", rest))
            command = COMMANDS[name]
            if hasattr(command, "commands"):
                command = command.commands[rest.split()[0]] if rest.strip() else command
            known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
            assert options - known == set(), code


def test_the_tables_of_options_name_options_of_the_import() -> None:
    page = (ROOT / "docs" / "import.md").read_text()
    section = page.split("## Options")[1].split("\n## ")[0]
    known = {option for parameter in COMMANDS["import"].params for option in parameter.opts}
    assert set(re.findall(r"--[a-z][a-z-]+", section)) - known == set()


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_a_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    used = {name for code in code_in(page) for name in re.findall(r"(?:^|\s)make ([a-z][a-z-]+)", code, re.MULTILINE)}
    assert sorted(used - targets) == []


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_a_variable_is_a_setting(page: Path) -> None:
    prefixes = ("GATEWAY_", "EMBEDDING_", "INDEX_", "MONGO_", "TFS_", "LOOKALIKE_")
    known = {setting.name for setting in settings()} | OTHER_VARIABLES
    known |= set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    used = {name for code in code_in(page) for name in re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", code)}
    assert sorted(name for name in used - known if name.startswith(prefixes) and not name.endswith("_")) == []


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_a_metric_is_in_the_code(page: Path) -> None:
    used = {name for code in code_in(page) for name in re.findall(r"\blookalike_[a-z_]+\b", code)}
    pieces = {name: {name, name.removeprefix("lookalike_index_"), name.removesuffix("_total")} for name in used}
    pieces = {name: forms | {form.removesuffix("_total") for form in forms} for name, forms in pieces.items()}
    assert sorted(name for name, forms in pieces.items() if not any(f'"{form}"' in SOURCES for form in forms)) == []


def test_the_troubleshooting_table_quotes_messages_of_the_code() -> None:
    section = (ROOT / "docs" / "operations.md").read_text().split("## Troubleshoot")[1].split("\n### ")[0]
    files = [*sorted(ROOT.glob("deploy/**/*.sh")), ROOT / "tools" / "setup.sh"]
    scripts = "".join(path.read_text() for path in files)
    sources = re.sub(r'"\s+f?"', "", SOURCES + scripts)
    cells = re.findall(r"^\| (?!Docker|Compose|a container)([^|]*`[^|]*) \|", section, re.MULTILINE)
    messages = [message for cell in cells for message in re.findall(r"`([^`]+)`", cell)]
    variable = (
        r"…|: |fashion/3|fashion|/snapshots|the snapshot|manifest\.json|"
        r"Permission denied|No space left on device|Read-only file system"
    )
    fragments = [part.strip() for message in messages for part in re.split(variable, message)]
    assert len(fragments) > 15
    assert [part for part in fragments if part not in sources] == []


def test_the_architecture_page_lists_every_folder() -> None:
    section = (ROOT / "docs" / "architecture.md").read_text().split("## Folders")[1]
    folders = [
        *ROOT.glob("services/*/__init__.py"),
        *ROOT.glob("services/*/*/__init__.py"),
        *ROOT.glob("training/*/__init__.py"),
    ]
    names = {path.parent.name for path in folders}
    assert sorted(name for name in names if not re.search(rf"\b{name}\b", section)) == []
