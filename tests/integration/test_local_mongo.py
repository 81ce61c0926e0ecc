"""The stand-in for MongoDB as a process."""

import socket
import subprocess
import sys
from pathlib import Path

import pymongo
import pytest

from services.local.mongo.__main__ import main
from tests.support.mongo import MongoStandIn


def test_it_ends_without_a_word_while_clients_are_connected(tmp_path: Path) -> None:
    server = MongoStandIn(tmp_path)
    server.start()
    with pymongo.MongoClient[dict[str, object]](server.url) as client:
        client.shop.products.insert_one({"_id": "a"})
        server.stop()
    assert (tmp_path / "out").read_text() == ""


def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    server = MongoStandIn(tmp_path)
    server.start()
    with pymongo.MongoClient[dict[str, object]](server.url) as client:
        client.shop.products.insert_many([{"_id": str(number)} for number in range(1000)])
    server.kill()
    server.start()
    with pymongo.MongoClient[dict[str, object]](server.url) as client:
        assert client.shop.products.count_documents({}) == 1000
    server.stop()


def test_a_port_that_is_taken_is_said_in_a_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [sys.executable, "-m", "services.local.mongo", "--data-dir", str(tmp_path)]
        done = subprocess.run([*command, "--port", str(taken.getsockname()[1])], capture_output=True, text=True)
    assert done.returncode == 1
    assert "cannot start" in done.stderr
    assert "address already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_line_wants_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([])
    assert "--data-dir" in capsys.readouterr().err
