"""Checks of the running stack: its isolation, the sample catalogue in it, and the end and return of each container."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tools.compose_test.load import Load
from tools.compose_test.project import SERVICES, Project, check, docker, eventually, run

LISTENING = {"embedding": (8001,), "index": (8002,), "tfs": (8500, 8501), "mongo": (27017,)}
# TensorFlow stops slowly in the stand-in; the real server does not.
STOPS_WITHIN_S = {"gateway": 5.0, "embedding": 5.0, "index": 5.0, "mongo": 5.0, "tfs": 10.0}
PROBE = (
    "import socket, sys\n"
    "for target in sys.argv[1:]:\n"
    "    host, port = target.rsplit(':', 1)\n"
    "    try:\n"
    "        socket.create_connection((host, int(port)), 2).close()\n"
    "        print(target)\n"
    "    except OSError:\n"
    "        pass\n"
)


def walls(project: Project) -> None:
    """Check users, file systems and capabilities, and that only the gateway's port is reachable."""
    for service in SERVICES:
        info, container = project.inspect(service), project.container(service)
        host = info["HostConfig"]
        check(info["Config"]["User"].split(":")[0] not in ("", "0", "root"), f"{service} runs as root")
        check(host["ReadonlyRootfs"], f"{service} can write its root file system")
        check(host["CapDrop"] == ["ALL"] and not host["CapAdd"], f"{service} has capabilities")
        check(host["Memory"] > 0 and host["NanoCpus"] > 0, f"{service} has no limits")
        check(docker("exec", container, "id", "-u") != "0", f"{service} runs as root")
        written = docker("exec", container, "sh", "-c", "touch /lookalike-test", must=False)
        check("Read-only file system" in written, f"{service} wrote to its root file system: {written}")
        published = {port for port, bound in info["NetworkSettings"]["Ports"].items() if bound}
        check(published == ({"8000/tcp"} if service == "gateway" else set()), f"{service} publishes {published}")
    targets = [f"{project.address(service)}:{port}" for service, ports in LISTENING.items() for port in ports]
    image = project.inspect("gateway")["Config"]["Image"]
    reached = docker("run", "--rm", "--entrypoint", "python", image, "-c", PROBE, *targets)
    check(not reached, f"reachable from a container of another network: {reached}")


def without_compilers(project: Project) -> None:
    """Check that none of Lookalike's images has a compiler or TensorFlow in it."""
    prefix, tag = project.settings["LOOKALIKE_IMAGES"], project.settings["LOOKALIKE_TAG"]
    libraries = "find / -xdev -name '*tensorflow*.so*' -o -xdev -name 'libtensorflow*' 2>/dev/null | head"
    for name in ("gateway", "embedding", "index", "import"):
        paths = docker(
            "run",
            "--rm",
            "--entrypoint",
            "sh",
            f"{prefix}/{name}:{tag}",
            "-c",
            f"command -v gcc cc clang; {libraries}; true",
        )
        check(not paths, f"{name} has {paths}")


def import_sample(project: Project, feed: Path) -> dict[str, Any]:
    """Run the import job over a feed in the mounted folder and return its summary."""
    done = project("run", "--rm", "-T", "import", f"/import/{feed.name}", "--json", must=False)
    check("{" in done.stdout, f"the import failed: {done.stderr[-500:]}")
    return dict(json.loads(done.stdout[done.stdout.index("{") :]))


def products(gateway: str) -> int:
    """Return the number of products in the index."""
    return int(httpx.get(f"{gateway}/v1/stats", timeout=10, trust_env=False).json()["products"])


def finds_itself(gateway: str, photo: bytes, key: str) -> bool:
    """Return whether a product's own photo finds it with a score above 0.999, among up to 100 results."""
    options = {
        "params": {"k": 100},
        "content": photo,
        "headers": {"Content-Type": "application/octet-stream"},
        "timeout": 10,
    }
    response = httpx.post(f"{gateway}/v1/search", trust_env=False, **options)  # type: ignore[arg-type]
    return response.status_code == 200 and any(
        result["id"] == key and result["score"] > 0.999 for result in response.json()["results"]
    )


def filters_and_facets(gateway: str, photo: bytes) -> None:
    """Check a search that filters by lists of numbers and by a range, and counts the values."""
    query_filter = json.dumps({"$or": [{"price": list(range(100))}, {"price": {"gte": 1}}]})
    response = httpx.post(
        f"{gateway}/v1/search",
        params={"facets": "true", "filter": query_filter},
        content=photo,
        headers={"Content-Type": "application/octet-stream"},
        timeout=10,
        trust_env=False,
    )
    document = response.json()
    check(response.status_code == 200, f"a search with a filter and facets: {response.text[:300]}")
    named = {facet["attribute"] for facet in document["facets"]}
    check({"price", "baseColour"} <= named and bool(document["results"]), f"facets {named}: {response.text[:300]}")


def look_is_learned(gateway: str, key: str) -> None:
    """Check that the look of a product comes from the look model, which the gateway reads from a mounted folder."""
    response = httpx.get(f"{gateway}/v1/products/{key}/look", timeout=10, trust_env=False)
    check(response.status_code == 200, f"the look of {key}: {response.text[:300]}")
    look = response.json()
    check(look["basis"] == "learned" and bool(look["look"]), f"the look of {key}: {response.text[:300]}")


def packages_are_whole(project: Project) -> None:
    """Check that no service lacks a part of a package, which requirements/slim.sh may have taken out of its image."""
    for service in ("gateway", "embedding", "index"):
        log = docker("logs", project.container(service), must=False)
        lines = [line for line in log.splitlines() if "ModuleNotFoundError" in line or "ImportError" in line]
        check(not lines, f"the log of {service}: {''.join(lines[-1:])[:2000]}")


@dataclass(frozen=True)
class Outage:
    """The end and return of a container under load, and the outcomes of the searches."""

    service: str
    how: str
    stopped_s: float
    back_s: float
    answered: int
    waited: int
    broken: int
    failed: int
    longest_s: float
    products: int
    failures: tuple[str, ...]


def outage(project: Project, load: Load, gateway: str, service: str, how: str, before_s: float) -> Outage:
    """Stop a container under load, start it again, and wait until everything responds."""
    load.new_tally()
    time.sleep(before_s)
    container = project.container(service)
    load.mark()
    began = time.monotonic()
    if how == "stop":
        docker("stop", "--time", "10", container)
        check(project.inspect(service)["State"]["ExitCode"] != 137, f"{service} did not stop within 10 s")
        stopped = time.monotonic() - began
        docker("start", container)
    else:
        _kill(project, service)
        stopped = 0.0
    eventually(
        lambda: _ready(gateway) and project.health(service)[0] == "healthy", 120, f"{service} is back after {how}"
    )
    back = time.monotonic() - began
    time.sleep(before_s)
    tally = load.tally
    counts = tally.counts
    return Outage(
        service, how, stopped, back, counts["answered"], counts["waited"], counts["broken"], counts["failed"],
        tally.longest_s, products(gateway), tuple(tally.failures[:3]),
    )  # fmt: skip


def _kill(project: Project, service: str) -> None:
    """Kill a container's processes as a crash does, so that Docker restarts it; without that right, restart it here."""
    pid = project.inspect(service)["State"]["Pid"]
    restarts = project.inspect(service)["RestartCount"]
    if run("kill", "-9", str(pid), must=False).returncode == 0:
        eventually(lambda: project.inspect(service)["RestartCount"] > restarts, 30, f"Docker starts {service} again")
    else:
        docker("kill", project.container(service))
        docker("start", project.container(service))


def _ready(gateway: str) -> bool:
    """Return whether the gateway can serve everything: the response is 200 as soon as it can serve anything."""
    try:
        response = httpx.get(f"{gateway}/readyz", timeout=5, trust_env=False)
    except httpx.TransportError:
        return False
    return response.status_code == 200 and not response.json().get("degraded")


def lost(gateway: str, keys: list[str]) -> list[str]:
    """Return the products that the gateway does not have, each with the place where it is missing."""
    missing = []
    with httpx.Client(base_url=gateway, timeout=10, trust_env=False) as client:
        for key in keys:
            for place, path in (("database", f"/v1/products/{key}"), ("index", f"/v1/products/{key}/similar")):
                status = client.get(path).status_code
                if status != 200:
                    missing.append(f"{key} in the {place} ({status})")
    return missing
