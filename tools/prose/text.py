"""The prose in a file: Markdown without code and addresses, or the docstrings, comments and strings of code."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ALLOW = "prose: allow"
MIN_STRING_WORDS = 3
_FENCE = re.compile(r"^(?P<fence>```+|~~~+).*?^(?P=fence)[ \t]*$", re.MULTILINE | re.DOTALL)
_NOT_PROSE = re.compile(
    r"``[^`]+``|`[^`\n]+`"  # code
    r"|<!--.*?-->|<[a-zA-Z/][^<>\n]*>"  # comments and tags
    r"|(?<=\])\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)"  # a link's address
    r"|https?://\S+",
    re.DOTALL,
)


# A comment, or a string on one line, of JavaScript; a comment's marks inside a string belong to the string.
_SCRIPT = re.compile(
    r"/\*(?P<block>.*?)\*/|//(?P<line>[^\n]*)"
    r"|\"(?P<double>(?:[^\"\\\n]|\\.)*)\"|'(?P<single>(?:[^'\\\n]|\\.)*)'|`(?P<template>(?:[^`\\]|\\.)*)`",
    re.DOTALL,
)


class Passage(NamedTuple):
    """A piece of prose and the line on which it begins; `kind` is document, docstring (comments too) or string."""

    line: int
    text: str
    kind: str


def blank(match: re.Match[str]) -> str:
    """Return spaces in the place of a match; line ends stay, so that line numbers do."""
    return re.sub(r"[^\n]", " ", match.group())


def without_code(text: str) -> str:
    """Return Markdown with code, tags and addresses as spaces."""
    return _NOT_PROSE.sub(blank, _FENCE.sub(blank, text))


def passages(path: Path) -> list[Passage]:
    """Return the prose of a Markdown or Python file, or the comments of another one, without lines that are allowed."""
    text = path.read_text()
    if path.suffix == ".md":
        parts = [Passage(1, text, "document")]
    elif path.suffix == ".py":
        parts = [*_docstrings_and_strings(text), *_comments(text)]
    elif path.suffix == ".js":
        parts = list(_script(text))
    else:
        parts = [
            Passage(n, line.split("#", 1)[1], "document") for n, line in enumerate(text.splitlines(), 1) if "#" in line
        ]
    allowed = {number for number, line in enumerate(text.splitlines(), 1) if ALLOW in line}
    return [Passage(part.line, _without_allowed(part, allowed), part.kind) for part in parts]


def _without_allowed(part: Passage, allowed: set[int]) -> str:
    lines = without_code(part.text).split("\n")
    return "\n".join("" if part.line + n in allowed else line for n, line in enumerate(lines))


def _docstrings_and_strings(source: str) -> Iterator[Passage]:
    tree = ast.parse(source)
    docstrings = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
            kind = "docstring" if id(node) in docstrings else "string"
            if kind == "docstring" or _is_prose(node.value):
                yield Passage(node.lineno, node.value, kind)
        elif isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            if _is_prose(text):
                yield Passage(node.lineno, text, "string")


def _is_prose(text: str) -> bool:
    return len(re.findall(r"[A-Za-z]{2,}", text)) >= MIN_STRING_WORDS and " " in text


def _comments(source: str) -> Iterator[Passage]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield Passage(token.start[0], token.string.lstrip("#"), "docstring")


def _script(source: str) -> Iterator[Passage]:
    for match in _SCRIPT.finditer(source):
        kind = "docstring" if match.lastgroup in {"block", "line"} else "string"
        text = match.group(match.lastgroup or 0)
        if kind == "docstring" or _is_prose(text):
            yield Passage(source.count("\n", 0, match.start()) + 1, text, kind)
