"""SECURITY.md names tests and settings that exist."""

import re

import pytest

from tests.support.values.settings import ROOT, settings

PAGE = (ROOT / "SECURITY.md").read_text()
TESTS = sorted(set(re.findall(r"`(tests/[^`]+)`", PAGE)))
THREATS = PAGE.split("## Threats and controls")[1].split("\n## ")[0]


@pytest.mark.parametrize("path", TESTS)
def test_a_test_exists_and_asserts(path: str) -> None:
    assert "def test_" in (ROOT / path).read_text()


def test_each_threat_has_a_control_and_a_test() -> None:
    rows = [line.strip("|").split("|") for line in THREATS.splitlines() if line.startswith("|")][2:]
    assert len(rows) > 20
    for threat, control, test in rows:
        assert control.strip(), threat
        assert "tests/" in test or "listed there" in test, threat


def test_each_setting_exists() -> None:
    known = {setting.name for setting in settings()} | {"MONGO_PASSWORD"}
    assert set(re.findall(r"`((?:GATEWAY|SERVICE|MONGO)_[A-Z_]+)`", PAGE)) <= known
