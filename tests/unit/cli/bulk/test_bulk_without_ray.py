"""Bulk imports where they are not installed, as in the image of the commands."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.bulk.options import NO_BULK
from services.cli.main import app


@pytest.mark.parametrize("command", [["embed", "feed.csv"], ["reembed", "--model", "2"]])
def test_a_bulk_command_says_where_to_run_it(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "services" and "bulk" in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "services.bulk", None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "feed.csv").write_text("id,image\n1,a.jpg\n")
    done = CliRunner().invoke(app, [*command, "--engine", "ray"])
    assert done.exit_code == 2
    assert NO_BULK in done.output
