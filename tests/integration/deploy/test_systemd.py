"""The systemd units, checked by systemd's own tool, and the cron file: their commands and options exist."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main

from services.cli.main import app
from tests.support.values.settings import ROOT, settings
from tests.support.waiting import WITHIN_S

UNITS = sorted((ROOT / "deploy" / "systemd").glob("lookalike*.*"))
COMMAND: Any = typer.main.get_command(app)


def lines(path: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", path.read_text(), re.MULTILINE)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_accepts_every_unit_without_a_warning(tmp_path: Path) -> None:
    for program in ("python", "lookalike"):
        (tmp_path / ".venv/bin").mkdir(parents=True, exist_ok=True)
        (tmp_path / ".venv/bin" / program).write_text("#!/bin/sh\n")
        (tmp_path / ".venv/bin" / program).chmod(0o755)
    names = []
    for unit in UNITS:
        if unit.suffix in (".service", ".timer", ".target"):
            (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/lookalike", str(tmp_path)))
            names.append(str(tmp_path / unit.name))
    assert len(names) == 8
    command = ["systemd-analyze", "verify", "--man=no", *names]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    own = [line for line in done.stderr.splitlines() if "lookalike" in line]
    assert (done.returncode, own) == (0, [])


def test_units_start_services_and_commands_that_exist() -> None:
    started = {line for unit in UNITS for line in lines(unit, "ExecStart")}
    modules = {line.rpartition(" -m ")[2] for line in started if " -m " in line}
    assert modules == {"services.gateway", "services.embedding", "services.index"}
    for line in started:
        if " -m " not in line:
            check(line.split()[1:])


def test_a_unit_writes_into_its_state_directory_only() -> None:
    """Everything else is read-only for it, its working directory too, the default place of rejected rows."""
    written = {}
    for unit in UNITS:
        if unit.suffix == ".service":
            assert lines(unit, "ProtectSystem") == ["strict"]
            words = " ".join(lines(unit, "ExecStart") + lines(unit, "Environment"))
            written[unit.stem] = set(re.findall(r"(?:--rejected |backup |SNAPSHOT_DIR=)(/\S+)", words))
            for path in written[unit.stem]:
                (state,) = lines(unit, "StateDirectory")
                assert path.startswith(f"/var/lib/{state}")
    assert {name for name, paths in written.items() if paths} == {
        "lookalike-backup",
        "lookalike-import",
        "lookalike-index",
    }


def check(arguments: list[str]) -> None:
    """Check that the command line has a command of the program, and options of it."""
    command = COMMAND.commands[arguments[0]]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in arguments if word.startswith("--")} <= known


def test_the_units_set_variables_that_are_settings() -> None:
    known = {setting.name for setting in settings()}
    text = (ROOT / "deploy/systemd/lookalike.env.example").read_text()
    named = set(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE))
    for unit in UNITS:
        named |= {pair.partition("=")[0] for line in lines(unit, "Environment") for pair in line.split()}
    assert named <= known


def test_cron_runs_commands_that_exist_at_valid_times() -> None:
    text = (ROOT / "deploy/cron/lookalike").read_text()
    jobs = [line for line in text.splitlines() if re.match(r"[\d*]", line)]
    assert len(jobs) == 2
    for job in jobs:
        assert re.match(r"(\S+\s+){5}root\s+cd /opt/lookalike && docker compose run ", job)
        assert "%" not in job
        words = job.split("docker compose run")[1].split(" 2>&1")[0].split()
        check(words[words.index("lookalike") + 1 :] if "lookalike" in words else ["import", *words[3:]])
