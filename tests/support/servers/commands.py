"""`lookalike`'s commands, run in this process: a process of their own takes a second of processor time to start."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
import typer.main
from typer.testing import CliRunner

from services.cli.main import app
from services.cli.own_stack import default_map


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit status, what it printed, what it said on stderr."""

    status: int
    printed: str
    said: str


def run_command(*arguments: str | Path, environment: Mapping[str, str], cwd: Path) -> Ended:
    """Run `lookalike` with these arguments to its end, in a folder and with environment variables."""
    commands: Any = typer.main.get_command(app)
    before = structlog.get_config()
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(cwd)
            ended = CliRunner().invoke(
                app,
                list(map(str, arguments)),
                env=environment,
                catch_exceptions=False,
                default_map=default_map(commands.commands),
            )
    finally:
        structlog.configure(**before)
    return Ended(ended.exit_code, ended.stdout, ended.stderr)
