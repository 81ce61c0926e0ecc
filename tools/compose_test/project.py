"""Docker and Compose, as commands: one Compose project that the test brings up and takes down."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("gateway", "embedding", "index", "tfs", "mongo")
T = TypeVar("T")


class Failed(Exception):
    """The test has found something that is not as it should be."""


def check(holds: bool, text: str) -> None:
    """Go on if it holds.

    Raises:
        Failed: it does not.
    """
    if not holds:
        raise Failed(text)


def run(*command: str, env: Mapping[str, str] | None = None, must: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command in the project's folder and return what it said.

    Raises:
        Failed: it fails though it must not.
    """
    done = subprocess.run(  # noqa: S603
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode and must:
        raise Failed(f"{' '.join(command)}: {done.stderr.strip()[-2000:] or done.stdout.strip()[-2000:]}")
    return done


def docker(*words: str, must: bool = True) -> str:
    """Run docker and return what it said, on both channels where it may fail."""
    done = run("docker", *words, must=must)
    return (done.stdout if must else done.stdout + done.stderr).strip()


def compose_command() -> list[str]:
    """Return how Compose is called on this machine: as docker's plug-in, or as the older program.

    Raises:
        Failed: it is not installed.
    """
    if run("docker", "compose", "version", must=False).returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise Failed("neither 'docker compose' nor 'docker-compose' is installed")


def eventually(what: Callable[[], T], within_s: float, text: str) -> T:
    """Return the first true value of `what`, asked again and again.

    Raises:
        Failed: none comes in time.
    """
    deadline = time.monotonic() + within_s
    while not (value := what()):
        check(time.monotonic() < deadline, f"not within {within_s:g} s: {text}")
        time.sleep(0.1)
    return value


class Project:
    """One Compose project, with an environment file of its own."""

    def __init__(self, name: str, folder: Path, settings: Mapping[str, str], files: tuple[str, ...] = ()) -> None:
        self.name = name
        self.settings = dict(settings)
        env_file = folder / f"{name}.env"
        env_file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        self._command = [*compose_command(), "--env-file", str(env_file), "-p", name]
        for file in files:
            self._command += ["-f", file]
        # What the caller's shell has set would win over the file.
        names = {line.strip("# ").partition("=")[0] for line in (ROOT / ".env.example").read_text().splitlines()}
        self._env = {key: value for key, value in os.environ.items() if key not in names}

    def __call__(self, *words: str, must: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a Compose command."""
        return run(*self._command, *words, env=self._env, must=must)

    def container(self, service: str) -> str:
        """Return the id of a service's container, running or not."""
        found = docker(
            "ps", "-aq", "--no-trunc",
            "--filter", f"label=com.docker.compose.project={self.name}",
            "--filter", f"label=com.docker.compose.service={service}",
            "--filter", "label=com.docker.compose.oneoff=False",
        )  # fmt: skip
        check(bool(found), f"there is no container of {service}")
        return found.splitlines()[0]

    def inspect(self, service: str) -> dict[str, Any]:
        """Return what docker knows of a service's container."""
        return dict(json.loads(docker("inspect", self.container(service)))[0])

    def health(self, service: str) -> tuple[str, str]:
        """Return a container's health and the last line that its health check said."""
        health = self.inspect(service)["State"].get("Health") or {"Status": "none"}
        log = health.get("Log") or []
        return health["Status"], (log[-1]["Output"].strip().splitlines() or [""])[-1] if log else ""

    def address(self, service: str) -> str:
        """Return an address of the container within Docker's networks."""
        networks = self.inspect(service)["NetworkSettings"]["Networks"]
        return next(str(network["IPAddress"]) for network in networks.values() if network["IPAddress"])

    def wait_healthy(self, service: str, within_s: float = 180) -> None:
        """Wait for a container to be healthy."""
        try:
            eventually(lambda: self.health(service)[0] == "healthy", within_s, f"{service} is healthy")
        except Failed as error:
            raise Failed(f"{error}: {self.health(service)[1]}") from None

    def down(self) -> None:
        """Take everything away: containers, networks, volumes."""
        self("down", "--volumes", "--remove-orphans", "--timeout", "8", must=False)
