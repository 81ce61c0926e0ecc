"""The form of Markdown: one sentence a line or wrapped at 100, table cells that hold values, links that resolve."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tools.prose.text import without_code

MAX_LINE = 100
MAX_CELL = 200
_SENTENCE_END = re.compile(r"[a-z0-9)`’\"]\. +[A-Z`\[]")
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<address>[^()\s]+)(?: \"[^\"]*\")?\)")
_HEADING = re.compile(r"^#{1,6} +(?P<title>.+?) *$", re.MULTILINE)
_FENCE = re.compile(r"^(?P<fence>```+|~~~+).*?^(?P=fence)[ \t]*$", re.MULTILINE | re.DOTALL)


def problems(path: Path, root: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and a sentence for each problem in the form of a Markdown file."""
    text = path.read_text()
    for number, line in enumerate(_without_fences(text).splitlines(), 1):
        if line.lstrip().startswith("|"):
            yield from ((number, message) for message in _cells(line))
        elif len(line) > MAX_LINE and _SENTENCE_END.search(line.rstrip()):
            yield number, f"the line has {len(line)} characters and several sentences: start a line for each sentence"
    for match in _LINK.finditer(_without_fences(text)):
        number = text.count("\n", 0, match.start()) + 1
        message = _link_problem(path, match["address"], root)
        if message:
            yield number, message


def slug(title: str) -> str:
    """Return the anchor of a heading, as GitHub and MkDocs make it."""
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", lambda match: match.group(1) or "", title)
    text = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", text).strip().lower())


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return the anchors of a Markdown file's headings."""
    return frozenset(slug(match["title"]) for match in _HEADING.finditer(_without_fences(path.read_text())))


def _without_fences(text: str) -> str:
    return _FENCE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def _cells(line: str) -> Iterator[str]:
    for cell in re.split(r"(?<!\\)\|", line)[1:-1]:
        if len(without_code(cell).strip()) > MAX_CELL:
            yield f"a table cell has {len(cell.strip())} characters: move its sentences below the table"


def _link_problem(path: Path, address: str, root: Path) -> str | None:
    if re.match(r"[a-z]+:", address):
        return None
    name, _, anchor = address.partition("#")
    target = (path.parent / name).resolve() if name else path
    if not target.exists() or not target.is_relative_to(root):
        return f"the link {address} leads nowhere: there is no {target.name}"
    if anchor and target.suffix == ".md" and anchor not in anchors(target):
        return f"the link {address} leads nowhere: {target.name} has no heading #{anchor}"
    return None
