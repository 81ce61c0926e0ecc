"""Starting and stopping the local stack: the checks before any process starts."""

import errno
import os
import socket
from pathlib import Path

import pytest

from services.local.settings import StackSettings
from services.local.stack import Stack, StackError
from services.local.supervisor import STATE_LINK, configuration, run_folder
from tests.support.servers.stack import stack_settings


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


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (errno.EADDRNOTAVAIL, r"needs the address 127\.0\.0\.1, which cannot be used"),
        (errno.EACCES, r"this user may not use port \d+: .* GATEWAY_PORT="),
    ],
)
def test_a_port_that_cannot_be_used_has_its_true_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, text: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    stack = Stack(stack_settings(tmp_path))
    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(StackError, match=text):
        stack.up("test", ignore)


def test_in_a_copy_of_a_state_folder_the_originals_processes_are_not_its_own(tmp_path: Path) -> None:
    original, copy = tmp_path / "original", tmp_path / "copy"
    for folder in (original, copy):
        folder.mkdir()
        (folder / "supervisord.conf").write_text(configuration(stack_settings(original)))
    run_folder(original).mkdir()
    link = run_folder(original) / STATE_LINK
    try:
        link.symlink_to(original)
        assert not Stack(stack_settings(copy)).running()
        assert not Stack(stack_settings(copy)).down()
    finally:
        link.unlink()
        link.parent.rmdir()


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


def test_a_state_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    stack = Stack(stack_settings(tmp_path))
    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(StackError, match=rf"the state folder {tmp_path} cannot be written: No space left on device;"):
        stack.up("test", ignore)


def test_a_folder_that_cannot_be_written_does_not_keep_the_stack_from_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[object] = []
    stack = Stack(stack_settings(tmp_path))

    def end(processes: object) -> list[object]:
        ended.append(processes)
        return []

    def refuse(_: Path) -> None:
        assert ended
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("services.local.stack.end", end)
    monkeypatch.setattr("services.local.stack.remove_addresses", refuse)
    with pytest.raises(StackError, match="Read-only file system"):
        stack.down()


def test_a_variable_that_is_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GATEWAY_PORT", "LOOKALIKE_STATE", "LOOKALIKE_OBSERVE", "LOOKALIKE_ONE_PROCESS", "GATEWAY_ADMIN_PORT"):
        monkeypatch.setenv(name, "")
    settings = StackSettings()
    assert (settings.gateway_port, settings.state_dir) == (8000, Path("var"))
    assert (settings.observe, settings.one_process, settings.admin_port) == (False, False, None)
