"""A real Prometheus with the rules of deploy/monitoring, whose times are divided by a number."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from services.local.prometheus import command, configuration
from services.local.settings import StackSettings
from tests.support.servers.stack import ROOT
from tests.support.waiting import eventually
from tests.support.web.ports import free_port

RULES = ROOT / "deploy" / "monitoring"
UNITS = {"s": 1, "m": 60, "h": 3600}
SHORTEST_S = 6  # of a range: it has several readings
LAG_S = 60  # from which on an index is stale
QUIET_S = 400.0


def scaled(rules: str, scale: float) -> str:
    """Return rules whose ranges, waits and longest lag are divided by `scale`."""

    def seconds(match: re.Match[str]) -> float:
        return int(match[2]) * UNITS[match[3]] / scale

    rules = re.sub(r"(\[)(\d+)([smh])\]", lambda match: f"[{max(SHORTEST_S, round(seconds(match)))}s]", rules)
    rules = re.sub(r"(for: )(\d+)([smh])", lambda match: f"for: {round(seconds(match))}s", rules)
    return rules.replace(f"lag_seconds > {LAG_S}", f"lag_seconds > {LAG_S / scale:g}")


@dataclass(frozen=True)
class Prometheus:
    """A running server."""

    url: str

    def firing(self) -> set[str]:
        """Return the names of the alerts that fire now."""
        alerts = self._get("/api/v1/alerts", {})["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def wait_until_quiet(self, ignored: set[str]) -> None:
        """Return when no alert fires or is about to, except those ignored."""

        def is_quiet() -> bool:
            alerts = self._get("/api/v1/alerts", {})["alerts"]
            return not {alert["labels"]["alertname"] for alert in alerts} - ignored

        eventually(is_quiet)
        time.sleep(1)

    def ranges(self, expression: str, start: float, end: float) -> list[dict[str, Any]]:
        """Return the series of an expression between two times."""
        query = {"query": expression, "start": str(start), "end": str(end), "step": "2"}
        series: list[dict[str, Any]] = self._get("/api/v1/query_range", query)["result"]
        return series

    def _get(self, path: str, query: dict[str, str]) -> Any:
        response = httpx.get(self.url + path, params=query, timeout=20, trust_env=False)
        response.raise_for_status()
        return response.json()["data"]


@contextmanager
def running_prometheus(folder: Path, stack: StackSettings, scale: float) -> Iterator[Prometheus]:
    """Run a server that reads a stack's metrics every second, for as long as the block lasts."""
    rules = []
    for name in ("recording.yml", "alerts.yml"):
        rules.append(folder / name)
        rules[-1].write_text(scaled((RULES / name).read_text(), scale))
    ports = {"gateway": stack.gateway_port, "embedding": stack.embedding_port, "index": stack.index_port}
    targets = {f"lookalike-{name}": f"127.0.0.1:{port}" for name, port in ports.items()}
    (folder / "prometheus.json").write_text(configuration(targets, rules, "1s"))
    port = free_port()
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command(folder / "prometheus.json", folder / "data", port), stdout=log, stderr=log)
    server = Prometheus(f"http://127.0.0.1:{port}")
    try:
        eventually(lambda: process.poll() is not None or _answers(server.url))
        assert process.poll() is None, (folder / "prometheus.log").read_text()
        yield server
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready", trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
