import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from services.cli.main import app

RUN = CliRunner()


def test_a_photo_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = RUN.invoke(app, ["search", str(tmp_path / "none.jpg")])
    assert done.exit_code == 2
    assert "none.jpg: No such file or directory" in done.output


def test_a_gateway_that_does_not_answer_is_named_with_what_to_do(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"x")
    done = RUN.invoke(app, ["search", str(photo), "--gateway", "http://127.0.0.1:1"])
    assert done.exit_code == 1
    assert "no gateway answers at http://127.0.0.1:1: start the stack (make demo)" in done.output


def test_a_port_that_is_no_number_is_named(tmp_path: Path) -> None:
    done = RUN.invoke(app, ["status"], env={"GATEWAY_PORT": "abc"})
    assert done.exit_code == 2
    assert "setting GATEWAY_PORT" in done.output


def test_every_command_says_what_it_does() -> None:
    names = ("up", "down", "status", "demo", "import", "search", "train", "evaluate", "version")
    help_text = RUN.invoke(app, ["--help"]).output
    assert all(name in help_text for name in names)


def test_what_modules_log_does_not_get_into_a_commands_results() -> None:
    script = (
        "import structlog; from services.cli.main import logs_to_stderr as f; f(); structlog.get_logger().warning('x')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert "x" in done.stderr
