"""docs/logs.md lists every event and every field of log lines, and nothing else."""

import ast
import re
from collections.abc import Iterator

from tests.support.values.settings import ROOT

PAGE = (ROOT / "docs" / "logs.md").read_text()
FOLDERS = ("contracts", "catalogue", "gateway", "embedding", "index")
LEVELS = {"debug", "info", "warning", "error", "exception"}
# What every line has, or structlog adds; fields of the request line that are not keywords of a call.
COMMON = {
    "event", "level", "timestamp", "service", "exception", "request_id", "trace_id", "span_id",
    "method", "route", "status", "ms", "limit", "database",
}  # fmt: skip
WRAPPERS = {"write", "_record_failure"}  # pass an event and fields on


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield every call in the services with the name of what is called."""
    for folder in FOLDERS:
        for path in sorted((ROOT / "services" / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    yield name_of(node.func), node


def name_of(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        owner = name_of(function.value)
        return f"{owner}.{function.attr}" if owner in ("log", "telemetry") else function.attr
    return function.id if isinstance(function, ast.Name) else ""


def texts(node: ast.expr) -> Iterator[str]:
    """Yield the events that an expression can be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "STATE" for part in node.values)


def coded() -> tuple[set[str], set[str]]:
    """Return the events and the fields in the code."""
    events: set[str] = set()
    fields: set[str] = set()
    for name, call in calls():
        is_log = name in {f"log.{level}" for level in LEVELS}
        is_wrapper = name in WRAPPERS and bool(call.args) and isinstance(call.args[0], ast.Constant)
        if is_log or is_wrapper:
            if call.args:
                events |= set(texts(call.args[0]))
            fields |= {keyword.arg for keyword in call.keywords if keyword.arg not in (None, "exc_info")}  # type: ignore[misc]
        elif name in ("note", "telemetry.note"):
            fields |= {keyword.arg for keyword in call.keywords if keyword.arg is not None}
    return {event for event in events if re.fullmatch(r"[a-zA-Z_ ]+", event)}, fields


def table(heading: str) -> set[str]:
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    return {
        name
        for cell in re.findall(r"^\| ((?:`[^`]+`(?:, )?)+) \|", section, re.MULTILINE)
        for name in re.findall(r"`([^`]+)`", cell)
    }


def test_the_page_has_every_event_and_no_other() -> None:
    events, _ = coded()
    assert len(events) > 20
    assert sorted(events ^ table("Events")) == []


def test_the_page_has_every_field_and_no_other() -> None:
    _, fields = coded()
    assert sorted((fields | COMMON) ^ table("Fields")) == []
