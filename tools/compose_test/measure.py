"""Times and memory of the running stack."""

import time
from datetime import datetime

import httpx

from tools.compose_test.project import SERVICES, Failed, Project, docker

PORTS = {"gateway": 8000, "embedding": 8001, "index": 8002}
READY_WITHIN_S = {"embedding": 3.0}
UNITS = {"B": 1e-6, "KiB": 1024 / 1e6, "MiB": 1024**2 / 1e6, "GiB": 1024**3 / 1e6}


def memory_mb(project: Project) -> dict[str, float]:
    """Return the memory of each container, in MB (10⁶ bytes)."""
    ids = {project.container(service): service for service in SERVICES}
    lines = docker("stats", "--no-stream", "--no-trunc", "--format", "{{.ID}} {{.MemUsage}}", *ids).splitlines()
    return {ids[line.split()[0]]: _megabytes(line.split()[1]) for line in lines}


def _megabytes(text: str) -> float:
    unit = text.lstrip("0123456789.")
    return float(text.removesuffix(unit)) * UNITS[unit]


def start_to_ready_s(project: Project, service: str) -> float:
    """Restart a service's container while everything else runs, and return the seconds until /readyz is 200."""
    docker("stop", "--time", "10", project.container(service))
    docker("start", project.container(service))
    url = f"http://{project.address(service)}:{PORTS[service]}/readyz"
    started = datetime.fromisoformat(project.inspect(service)["State"]["StartedAt"][:26].rstrip("Z") + "+00:00")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=2, trust_env=False).status_code == 200:
                return time.time() - started.timestamp()
        except httpx.TransportError:
            pass
        time.sleep(0.02)
    raise Failed(f"{service} is not ready a minute after its start: {project.health(service)}")
