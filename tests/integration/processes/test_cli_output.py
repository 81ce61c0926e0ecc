"""The output of the program `lookalike` in a process of its own."""

import subprocess
import sys

from tests.support.servers.stack import ROOT

PROGRAM = """
import structlog
from services.cli.main import logs_to_stderr

logs_to_stderr()
structlog.get_logger().warning("a log line")
"""


def test_log_lines_are_not_among_a_commands_results() -> None:
    process = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    assert process.stdout == ""
    assert "a log line" in process.stderr
