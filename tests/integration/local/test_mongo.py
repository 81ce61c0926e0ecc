"""The stand-in for MongoDB as a process: stopping, durability and its command line."""

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pymongo
import pytest
from pymongo.errors import CursorNotFound

from services.local.mongo.__main__ import main
from tests.support.servers.mongo import MongoStandIn
from tests.support.waiting import eventually


def test_it_stops_without_output_while_clients_are_connected(tmp_path: Path) -> None:
    server = MongoStandIn(tmp_path)
    server.start()
    with pymongo.MongoClient[dict[str, object]](server.url) as client:
        client.shop.products.insert_one({"_id": "a"})
        server.stop()
    assert (tmp_path / "out").read_text() == ""


def test_acknowledged_writes_survive_a_kill(tmp_path: Path) -> None:
    server = MongoStandIn(tmp_path)
    server.start()
    with pymongo.MongoClient[dict[str, object]](server.url) as client:
        client.shop.products.insert_many([{"_id": str(number)} for number in range(1000)])
    server.kill()
    server.start()
    with pymongo.MongoClient[dict[str, object]](server.url) as client:
        assert client.shop.products.count_documents({}) == 1000
    server.stop()


def test_streams_and_scans_notice_a_restart_between_two_requests(tmp_path: Path) -> None:
    """A stream goes on from where it was; a scan fails instead of ending early."""
    server = MongoStandIn(tmp_path)
    server.start()
    with pymongo.MongoClient[dict[str, Any]](server.url) as client:
        products = client.shop.products
        products.insert_many([{"_id": str(number)} for number in range(10)])
        scan = products.find(batch_size=2)
        stream = products.watch(max_await_time_ms=10)
        next(scan)
        assert stream.try_next() is None
        server.stop()
        server.start()
        others = [client.shop.others.watch(max_await_time_ms=10) for _ in range(3)]
        products.insert_one({"_id": "after"})
        events: list[dict[str, Any]] = []

        def read() -> bool:
            events.extend(filter(None, [stream.try_next()]))
            return bool(events)

        eventually(read)
        assert [event["documentKey"] for event in events] == [{"_id": "after"}]
        with pytest.raises(CursorNotFound):
            list(scan)
        assert [other.try_next() for other in others] == [None] * 3
    server.stop()


def test_a_port_in_use_is_an_error_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        command = [sys.executable, "-m", "services.local.mongo", "--data-dir", str(tmp_path)]
        process = subprocess.run([*command, "--port", str(listener.getsockname()[1])], capture_output=True, text=True)
    assert process.returncode == 1
    assert "cannot start" in process.stderr
    assert "address already in use" in process.stderr
    assert "Traceback" not in process.stderr


def test_the_command_line_requires_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([])
    assert "--data-dir" in capsys.readouterr().err
