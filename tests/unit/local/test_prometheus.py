"""Prometheus in the local stack: only on request, with the rules of the project and the ports of the stack."""

import configparser
import json
from pathlib import Path

import pytest

from services.local import stack as local_stack
from services.local.settings import StackSettings
from services.local.stack import Stack, StackError
from services.local.supervisor import configuration, processes, prometheus_config


def settings(folder: Path, **values: object) -> StackSettings:
    return StackSettings(state_dir=folder, **values)  # type: ignore[arg-type]


def programs(chosen: StackSettings) -> set[str]:
    config = configparser.RawConfigParser()
    config.read_string(configuration(chosen))
    return {name.removeprefix("program:") for name in config.sections() if name.startswith("program:")}


def test_prometheus_runs_on_request_only(tmp_path: Path) -> None:
    assert "prometheus" not in programs(settings(tmp_path))
    observed = settings(tmp_path, observe=True, prometheus_port=9191)
    assert "prometheus" in programs(observed)
    assert observed.ports["PROMETHEUS_PORT"] == 9191
    (process,) = [process for process in processes(observed, "demo") if process.name == "prometheus"]
    assert "--web.listen-address=127.0.0.1:9191" in process.command


def test_it_reads_the_services_of_the_stack_and_the_rules_of_the_project(tmp_path: Path) -> None:
    document = json.loads(prometheus_config(settings(tmp_path, gateway_port=8080)))
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in document["scrape_configs"]}
    assert targets == {
        "lookalike-gateway": ["127.0.0.1:8080"],
        "lookalike-embedding": ["127.0.0.1:8001"],
        "lookalike-index": ["127.0.0.1:8002"],
    }
    assert [Path(path).name for path in document["rule_files"]] == ["recording.yml", "alerts.yml"]
    assert all(Path(path).is_file() for path in document["rule_files"])


def test_with_keys_it_sends_the_gateway_the_one_of_its_file(tmp_path: Path) -> None:
    jobs = json.loads(prometheus_config(settings(tmp_path, observe=True, access="keys")))["scrape_configs"]
    sent = {job["job_name"]: job.get("authorization") for job in jobs}
    key = {"credentials_file": str(tmp_path / "prometheus.key")}
    assert sent == {"lookalike-gateway": key, "lookalike-embedding": None, "lookalike-index": None}
    jobs = json.loads(prometheus_config(settings(tmp_path, observe=True)))["scrape_configs"]
    assert all("authorization" not in job for job in jobs)


def test_it_reads_the_gateway_at_the_port_for_administration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_ADMIN_PORT", "8099")
    chosen = settings(tmp_path)
    job = json.loads(prometheus_config(chosen))["scrape_configs"][0]
    assert job["static_configs"][0]["targets"] == ["127.0.0.1:8099"]
    assert chosen.ports["GATEWAY_ADMIN_PORT"] == 8099


def test_without_the_program_the_start_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_stack, "is_installed", lambda: False)
    with pytest.raises(StackError, match="apt-get install"):
        Stack(settings(tmp_path, observe=True)).up("demo", lambda _: None)
