"""The program's end: errors of the operating system are one line, Ctrl-C and a closed pipe have a status."""

import errno
import os

import pytest
import structlog
from typer.testing import CliRunner

from services.cli import main
from services.contracts.web.app import VERSION


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "var/log"),
            1,
            "lookalike: var/log: No space left on device\n",
        ),
        (PermissionError(errno.EROFS, os.strerror(errno.EROFS)), 1, "lookalike: Read-only file system\n"),
        (BrokenPipeError(), 1, ""),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_the_program_ends_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, status: int, text: str
) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(main, "default_map", fail)
    monkeypatch.setattr(main, "logs_to_stderr", lambda: None)
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert (ended.value.code, capsys.readouterr().err) == (status, text)


def test_without_a_command_the_commands_are_printed() -> None:
    output = CliRunner().invoke(main.app, []).output
    assert "Usage: " in output
    assert "Commands" in output
    assert "Missing command" not in output


def test_the_version_is_that_of_the_services() -> None:
    assert CliRunner().invoke(main.app, ["version"]).stdout == f"{VERSION}\n"


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_both_names_of_help_are_known(option: str) -> None:
    done = CliRunner().invoke(main.app, ["keys", option])
    assert (done.exit_code, "Usage: " in done.output) == (0, True)


def test_log_lines_do_not_mix_with_results(capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    try:
        main.logs_to_stderr()
        structlog.get_logger().warning("a line")
    finally:
        structlog.configure(**before)
    captured = capsys.readouterr()
    assert (captured.out, "a line" in captured.err) == ("", True)
