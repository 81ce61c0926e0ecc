"""The tests' own servers in several processes."""

import subprocess
import sys

from tests.support.servers.stack import ROOT
from tests.support.web.ports import free_port

PROGRAM = """
from tests.support.web import ports

candidates = ports._reserved_ports({port})
print(next(candidates), next(candidates))
"""


def test_another_process_does_not_choose_a_reserved_port() -> None:
    port = free_port()
    command = [sys.executable, "-c", PROGRAM.format(port=port)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert str(port) not in process.stdout.split()
