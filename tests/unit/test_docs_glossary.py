"""The names in code and in the API are the glossary's: no word of its last column is part of one."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

ROOT = Path(__file__).resolve().parents[2]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()


def avoided_names() -> list[str]:
    """Return the names in code quotes in the last column of the glossary's tables."""
    rows = [line.split("|") for line in GLOSSARY.splitlines() if line.startswith("|")]
    return sorted(name for row in rows for name in re.findall(r"`(\w+)`", row[-2]))


def words_of(name: str) -> str:
    """Return a name's words in lower case, as in `_mirror_of_catalogue_`, for snake_case and CamelCase."""
    return "_" + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_") + "_"


def names_in_code() -> Iterator[tuple[str, str]]:
    """Yield every module, class, function, argument and field of services and training, with its place."""
    for path in sorted([*ROOT.glob("services/**/*.py"), *ROOT.glob("training/**/*.py")]):
        place = path.relative_to(ROOT).as_posix()
        yield path.stem, place
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name, f"{place}:{node.lineno}"
            elif isinstance(node, ast.arg):
                yield node.arg, f"{place}:{node.lineno}"
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                yield node.target.id, f"{place}:{node.lineno}"


def names_in_openapi() -> Iterator[tuple[str, str]]:
    """Yield every property, parameter, schema and operation id of the OpenAPI document."""
    document = orjson.loads((ROOT / "docs" / "openapi.json").read_bytes())

    def walk(node: Any) -> Iterator[tuple[str, str]]:
        if isinstance(node, dict):
            yield from ((name, "openapi.json") for name in node.get("properties", {}))
            if isinstance(node.get("operationId"), str):
                yield node["operationId"], "openapi.json"
            if "in" in node and isinstance(node.get("name"), str):
                yield node["name"], "openapi.json"
            for value in node.values():
                yield from walk(value)
        elif isinstance(node, list):
            for value in node:
                yield from walk(value)

    yield from walk(document)
    yield from ((name, "openapi.json") for name in document["components"]["schemas"])


@functools.cache
def names() -> list[tuple[str, str]]:
    """Return all of them; each process of the tests collects this file, and few run it."""
    return [*names_in_code(), *names_in_openapi()]


# Places in which a word is a term of its own: early stopping, and the reflection of a drawing.
OTHER_MEANINGS = {
    ("patience", "services/cli/train.py"), ("patience", "training/"), ("mirror", "services/sample_shop/"),
}  # fmt: skip


def test_the_glossary_lists_words_and_names_are_collected() -> None:
    assert avoided_names()
    assert len(names()) > 1000


def test_a_word_stands_once_in_the_glossary() -> None:
    words = re.findall(r"^\| ([^|]+?) \|", GLOSSARY, re.MULTILINE)
    terms = [word for word in words if word not in {"word", "---"}]
    assert sorted({word for word in terms if terms.count(word) > 1}) == []


@pytest.mark.parametrize("avoided", avoided_names())
def test_no_name_contains_a_word_that_the_glossary_replaces(avoided: str) -> None:
    exempt = tuple(place for word, place in OTHER_MEANINGS if word == avoided)
    places = [f"{place}: {name}" for name, place in names() if f"_{avoided}_" in words_of(name)]
    assert [place for place in places if not place.startswith(exempt or "-")] == []
