"""Alerts, rules and dashboards: each alert has a test and a row in the docs, and all use metrics that exist."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from tests.support.values.settings import ROOT

FOLDER = ROOT / "deploy" / "monitoring"
DOCS = (ROOT / "docs" / "monitoring.md").read_text()
METRICS = set(re.findall(r"^\| `(lookalike_\w+)` \|", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE))
DASHBOARDS = sorted((FOLDER / "grafana").glob("*.json"))
SERIES = re.compile(r"_(bucket|count|sum)$")


def rules(name: str) -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / name).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in rules("alerts.yml")}
RECORDS = {rule["record"] for rule in rules("recording.yml")}


def expressions(dashboard: Path) -> list[str]:
    panels = orjson.loads(dashboard.read_bytes())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def unknown_names(expression: str) -> set[str]:
    """Return the project's metrics and records in an expression that do not exist."""
    used = set(re.findall(r"\blookalike[_:][\w:]+", expression))
    return {name for name in used if SERIES.sub("", name) not in METRICS and name not in RECORDS}


def test_each_alert_has_a_test_of_its_rule() -> None:
    tests = yaml.safe_load((FOLDER / "tests" / "alerts.test.yml").read_text())["tests"]
    raised = {check["alertname"] for test in tests for check in test["alert_rule_test"] if check["exp_alerts"]}
    quiet = {check["alertname"] for test in tests for check in test["alert_rule_test"] if not check["exp_alerts"]}
    assert raised == quiet == ALERTS.keys()


def test_each_alert_has_a_row_in_the_docs_with_its_severity() -> None:
    rows = dict(re.findall(r"^\| `(Lookalike\w+)` \| (\w+) \|", DOCS, re.MULTILINE))
    assert rows == {name: rule["labels"]["severity"] for name, rule in ALERTS.items()}


@pytest.mark.parametrize("file", ["alerts.yml", "recording.yml"])
def test_rules_use_metrics_that_exist(file: str) -> None:
    assert {name for rule in rules(file) for name in unknown_names(rule["expr"])} == set()


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: str(path.stem))
def test_dashboards_use_metrics_that_exist_and_panels_do_not_overlap(dashboard: Path) -> None:
    assert {name for expression in expressions(dashboard) for name in unknown_names(expression)} == set()
    panels = orjson.loads(dashboard.read_bytes())["panels"]
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_every_metric_of_the_project_is_on_a_dashboard_or_in_a_rule() -> None:
    texts = [expression for dashboard in DASHBOARDS for expression in expressions(dashboard)]
    texts += [rule["expr"] for file in ("alerts.yml", "recording.yml") for rule in rules(file)]
    shown = {SERIES.sub("", name) for text in texts for name in re.findall(r"\blookalike_\w+", text)}
    assert METRICS - shown <= {
        "lookalike_build_info",
        "lookalike_cache_bytes",
        "lookalike_body_bytes_in_flight",
        "lookalike_embedding_images_total",
        "lookalike_embedding_stage_duration_seconds",
        "lookalike_embedding_queue_bytes",
        "lookalike_import_started_timestamp_seconds",
        "lookalike_index_documents_of_other_models",
        "lookalike_index_following",
        "lookalike_index_reconcile_duration_seconds",
        "lookalike_index_reconcile_timestamp_seconds",
        "lookalike_index_snapshot_size_bytes",
        "lookalike_index_state",
    }
