"""The pinned lists of dependencies."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "requirements"
LISTS = {
    "demo": ("gateway", "embedding", "index", "cli", "serving", "local"),
    "gateway": ("gateway",),
    "embedding": ("embedding",),
    "index": ("index",),
    "importer": ("cli",),
    "serving": ("serving",),
    "local": ("local",),
    "tracing": ("tracing",),
    "milvus": ("index", "milvus"),
}
OPTIONAL = {"tracing", "milvus"}  # lists with packages that tests and images do without
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pins(name: str) -> set[str]:
    """Return a list's pins, with their markers: `numpy==2.4.6 ; python_full_version < '3.12'`."""
    lines = (FOLDER / f"{name}.txt").read_text().splitlines()
    return {line.removesuffix("\\").strip() for line in lines if re.match(r"[a-z0-9]", line)}


def names(requirements: set[str] | list[str]) -> set[str]:
    """Return the names of packages."""
    return {re.split(r"[^A-Za-z0-9._-]", requirement)[0] for requirement in requirements}


def required(*extras: str) -> set[str]:
    """Return the packages that the project needs with some extras."""
    return names(PROJECT["dependencies"]).union(*(names(PROJECT["optional-dependencies"][extra]) for extra in extras))


def test_every_list_is_known() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == {*LISTS, "all"}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_has_what_its_process_needs_in_the_versions_of_all(name: str) -> None:
    assert required(*LISTS[name]) <= names(pins(name))
    every = names(pins("all"))
    assert names(pins(name)) <= every or name in OPTIONAL
    shared = {pin for pin in pins(name) if names({pin}) <= every}
    assert {pin.partition(" ;")[0] for pin in shared} <= {pin.partition(" ;")[0] for pin in pins("all")}


@pytest.mark.parametrize("name", [*LISTS, "all"])
def test_a_list_pins_with_hashes_and_names_no_host(name: str) -> None:
    text = (FOLDER / f"{name}.txt").read_text()
    assert "://" not in text and "index-url" not in text
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+( ; .+)?", pin) for pin in pins(name))
    assert len(re.findall(r"^[a-z0-9].*\\\n +--hash=sha256:", text, re.MULTILINE)) == len(pins(name))


def test_the_demo_installs_no_tools_for_tests_linting_or_training() -> None:
    tools = required("dev", "training") - required(*LISTS["demo"])
    assert tools and not names(pins("demo")) & tools
    assert {"tensorflow-cpu", "nx-27017", "faiss-cpu"} <= names(pins("demo"))
