"""Starting and stopping the local stack: the checks before any process starts."""

import socket
from pathlib import Path

import pytest

from services.local.settings import StackSettings
from services.local.stack import Stack, StackError
from tests.support.stack import stack_settings


def ignore(_: str) -> None:
    """Ignore a line of progress."""


def test_a_port_in_use_is_named_with_its_setting(tmp_path: Path) -> None:
    settings = stack_settings(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", settings.index_port))
        other.listen()
        with pytest.raises(StackError, match=rf"port {settings.index_port} is used .* INDEX_PORT="):
            Stack(settings).up("test", ignore)
    assert not (tmp_path / "supervisord.conf").exists()


def test_a_missing_model_is_an_error_before_any_process_starts(tmp_path: Path) -> None:
    settings = StackSettings(state_dir=tmp_path, model_dir=tmp_path / "none")
    with pytest.raises(StackError, match=r"there is no model in .*none"):
        Stack(settings).up("test", ignore)


def test_a_stack_that_was_never_started_is_not_running(tmp_path: Path) -> None:
    stack = Stack(stack_settings(tmp_path))
    assert stack.down() is False
    assert stack.status() == "the stack is not running"


def test_ports_and_folder_are_settings_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GATEWAY_PORT", "9000")
    monkeypatch.setenv("LOOKALIKE_STATE", str(tmp_path))
    settings = StackSettings()
    assert settings.gateway_url == "http://127.0.0.1:9000"
    assert settings.state_dir == tmp_path
