"""The steps of the demo by themselves: the command that imports, the search, and what the stack says at its start."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from typer.testing import CliRunner

from services.cli.demo import DemoError, DemoSource, import_source, save_query, show_search
from services.cli.keys import metrics_key
from services.cli.main import app
from services.contracts.domain.errors import CatalogueUnavailable
from services.local import stack as local
from services.local.settings import StackSettings

RESPONSE = {
    "outcome": "ok",
    "category": {"id": 2, "name": "Bags", "probability": 0.8},
    "results": [],
    "model": "fashion/1",
    "timings_ms": {"total": 7.0, "network": 3.0},
}
SUMMARY = {"imported": 1200, "updated": 20, "unchanged": 3, "skipped": 4, "rejected": 5, "seconds": 2.0, "rate": 3.4}


@pytest.mark.parametrize(
    ("status", "is_done"), [(0, True), (3, True), (1, False), (2, False), (4, False), (130, False)]
)
def test_the_import_of_the_demo_is_that_of_the_command_line(
    status: int, is_done: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands: list[tuple[list[str], dict[str, Any]]] = []

    def run(command: list[str], **options: Any) -> "subprocess.CompletedProcess[bytes]":
        commands.append((command, options))
        return subprocess.CompletedProcess(command, status, orjson.dumps(SUMMARY))

    monkeypatch.setattr(subprocess, "run", run)
    source = DemoSource(Path("sample"), "sample", b"")
    if is_done:
        assert import_source(source, Path("r.ndjson")) == 1223
        assert capsys.readouterr().out.startswith("1,223 products in the catalogue (1,200 of them new); 4 rows")
    else:
        with pytest.raises(DemoError, match="the import did not finish"):
            import_source(source, Path("r.ndjson"))
    ((command, options),) = commands
    assert command == [
        *(sys.executable, "-m", "services.cli.main", "import", "sample", "--json", "--rejected", "r.ndjson"),
    ]
    assert options == {"stdout": subprocess.PIPE, "check": False}  # the progress of the import is shown


def test_the_demo_searches_with_the_photo_that_it_has_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sent: list[tuple[str, Any, Any]] = []

    def post(url: str, **request: Any) -> httpx.Response:
        sent.append((url, request["content"], request["params"]))
        return httpx.Response(200, json=RESPONSE)

    monkeypatch.setattr(httpx, "post", post)
    settings = StackSettings(state_dir=tmp_path)
    photo = save_query(settings, DemoSource(Path("sample"), "sample", b"a photo"))
    assert photo == tmp_path / "query.jpg"
    show_search(settings, photo, "lk_1")
    assert sent == [(f"{settings.gateway_url}/v1/search", b"a photo", {"k": 10})]
    lines = capsys.readouterr().out.splitlines()
    assert f"lookalike search {photo}" in lines
    assert any("Bags, 80.0%" in line for line in lines)
    assert lines[-1] == (
        f"Search page: {settings.gateway_url}/   API docs: {settings.gateway_url}/docs   Stop everything: make stop"
    )


class Stack:
    """A stack that starts at once."""

    def __init__(self, settings: StackSettings) -> None:
        self.settings = settings

    def up(self, *_: object) -> None: ...


@pytest.mark.parametrize("observe", ["true", "false"])
def test_the_address_of_prometheus_is_printed_where_there_is_one(
    observe: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(local, "Stack", Stack)
    monkeypatch.setattr(metrics_key, "write_metrics_key", lambda *_: None)
    variables = {"LOOKALIKE_STATE": str(tmp_path), "LOOKALIKE_OBSERVE": observe, "GATEWAY_ACCESS": "keys"}
    done = CliRunner().invoke(app, ["up"], env=variables)
    assert done.exit_code == 0
    assert done.stderr.startswith("starting the stack")
    assert ("Prometheus with the alerts: http://127.0.0.1:" in done.stderr) == (observe == "true")


def test_a_key_of_prometheus_that_cannot_be_written_ends_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_: object) -> None:
        raise CatalogueUnavailable("the database is gone", "db:1")

    monkeypatch.setattr(local, "Stack", Stack)
    monkeypatch.setattr(metrics_key, "write_metrics_key", fail)
    variables = {"LOOKALIKE_STATE": str(tmp_path), "LOOKALIKE_OBSERVE": "true", "GATEWAY_ACCESS": "keys"}
    done = CliRunner().invoke(app, ["up"], env=variables)
    assert (done.exit_code, "ready" in done.stdout) == (1, False)
    assert "lookalike: the database is gone (database at db:1)\n" in done.stderr
