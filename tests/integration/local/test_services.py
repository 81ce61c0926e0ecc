"""Gateway, embedding and index in one process, started as the stack starts it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.servers.stack import ROOT, wait_until_alive
from tests.support.waiting import WITHIN_S
from tests.support.web.ports import free_ports


def test_a_process_serves_all_three_and_stops_when_it_is_told_to(tmp_path: Path) -> None:
    ports = free_ports(5)
    names = ("GATEWAY_PORT", "EMBEDDING_PORT", "INDEX_PORT")
    environment = {
        **os.environ,
        **{name: str(port) for name, port in zip(names, ports, strict=False)},
        "EMBEDDING_URL": f"http://127.0.0.1:{ports[1]}",
        "INDEX_URL": f"http://127.0.0.1:{ports[2]}",
        "MONGO_URL": f"mongodb://127.0.0.1:{ports[3]}",
        "TFS_ADDRESS": f"127.0.0.1:{ports[4]}",
    }
    command = [sys.executable, "-m", "services.local.services"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        for port in ports[:3]:
            wait_until_alive(f"http://127.0.0.1:{port}")
        process.send_signal(signal.SIGTERM)
        assert process.wait(WITHIN_S) == 0
    finally:
        process.kill()
        process.wait()
    text = (tmp_path / "log").read_text()
    assert "Traceback" not in text
    assert {f"service={name}" for name in ("embedding", "index")} <= set(text.split())
