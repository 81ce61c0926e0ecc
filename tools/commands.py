"""Write docs/commands.md: every command of the program with its arguments, options, defaults and bounds."""

import inspect
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer.main

from services.cli.main import app

PAGE = Path(__file__).resolve().parents[1] / "docs" / "commands.md"
HEAD = """# Commands

Every command of `lookalike`, as `lookalike COMMAND --help` prints it.
An option that names a variable reads it if the option is not given.
`make commands` writes this page.
"""
TABLE = "| option or argument | default | values | meaning |\n| --- | --- | --- | --- |"


def page() -> str:
    """Return the page's text."""
    return "\n".join([HEAD, *(_section(name, command) for name, command in _commands("", typer.main.get_command(app)))])


def _commands(prefix: str, group: Any) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(f"{prefix}{name} ", command)
        else:
            yield prefix + name, command


def _section(name: str, command: Any) -> str:
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    text = "\n\n".join(" ".join(paragraph.split()).replace(". ", ".\n") for paragraph in paragraphs)
    rows = [_row(parameter) for parameter in command.params if not parameter.hidden]
    return "\n".join([f"## {name}", "", text, *(["", TABLE, *rows] if rows else []), ""])


def _row(parameter: Any) -> str:
    names = parameter.opts if parameter.opts[0].startswith("-") else [parameter.name.upper()]
    variables = [parameter.envvar] if isinstance(parameter.envvar, str) else parameter.envvar or []
    names = [*names, *parameter.secondary_opts, *variables]
    meaning = " ".join((parameter.help or "").split())
    cells = [", ".join(f"`{name}`" for name in names), _default(parameter), _values(parameter), meaning]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if isinstance(parameter.show_default, str):
        return parameter.show_default
    value = parameter.default.value if isinstance(parameter.default, Enum) else parameter.default
    return "" if value is None or value is False or value in ("", (), []) else f"`{value}`"


def _values(parameter: Any) -> str:
    kind = parameter.type_descriptor.annotation
    is_enum = isinstance(kind, type) and issubclass(kind, Enum)
    choices = [member.value for member in kind] if is_enum else get_args(kind) if get_origin(kind) is Literal else []
    bounds = [
        *([f"at least {parameter.min:,}"] if parameter.min is not None else []),
        *([f"at most {parameter.max:,}"] if parameter.max is not None else []),
        *(["repeatable"] if parameter.multiple or parameter.nargs == -1 else []),
    ]
    return ", ".join([*(f"`{choice}`" for choice in choices), *bounds])


if __name__ == "__main__":
    PAGE.write_text(page())
