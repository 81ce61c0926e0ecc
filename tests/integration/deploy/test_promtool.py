"""Prometheus' own tool on the rules, their tests, the configuration and the expressions of the dashboards."""

import shutil
import subprocess
from pathlib import Path

import orjson
import pytest
import yaml

from tests.support.values.settings import ROOT
from tests.support.waiting import WITHIN_S

FOLDER = ROOT / "deploy" / "monitoring"
PROMTOOL = shutil.which("promtool")
pytestmark = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed: apt-get install prometheus")


def promtool(*arguments: str) -> str:
    done = subprocess.run(
        [str(PROMTOOL), *arguments], cwd=FOLDER, capture_output=True, text=True, timeout=WITHIN_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_alert_is_raised_by_its_series_and_only_then() -> None:
    assert "SUCCESS" in promtool("test", "rules", "tests/alerts.test.yml")


def test_prometheus_accepts_the_configuration_and_the_rules() -> None:
    assert "2 rule files found" in promtool("check", "config", "prometheus.yml")


def test_prometheus_accepts_the_expressions_of_the_dashboards(tmp_path: Path) -> None:
    panels = [
        panel for file in (FOLDER / "grafana").glob("*.json") for panel in orjson.loads(file.read_bytes())["panels"]
    ]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    assert len(expressions) > 30
    rules = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(expressions)]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", str(tmp_path / "rules.yml"))
