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
    """A check of the test failed."""


def check(holds: bool, text: str) -> None:
    """Raise Failed with the text unless the condition holds.

    Raises:
        Failed: the condition does not hold.
    """
    if not holds:
        raise Failed(text)


def run(*command: str, env: Mapping[str, str] | None = None, must: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command in the project's folder and return its output.

    Raises:
        Failed: it fails although `must` is set.
    """
    done = subprocess.run(  # noqa: S603
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode and must:
        raise Failed(f"{' '.join(command)}: {done.stderr.strip()[-2000:] or done.stdout.strip()[-2000:]}")
    return done


def docker(*words: str, must: bool = True) -> str:
    """Run docker and return its output; both channels if it may fail."""
    done = run("docker", *words, must=must)
    return (done.stdout if must else done.stdout + done.stderr).strip()


def compose_command() -> list[str]:
    """Return the command for Compose on this machine: docker's plug-in, or the older program.

    Raises:
        Failed: it is not installed.
    """
    if run("docker", "compose", "version", must=False).returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise Failed("neither 'docker compose' nor 'docker-compose' is installed")


def eventually(condition: Callable[[], T], within_s: float, text: str) -> T:
    """Call `condition` repeatedly and return its first true value.

    Raises:
        Failed: it does not become true in time.
    """
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        check(time.monotonic() < deadline, f"not within {within_s:g} s: {text}")
        time.sleep(0.1)
    return value


class Project:
    """A Compose project with its own environment file."""

    def __init__(self, name: str, folder: Path, settings: Mapping[str, str], files: tuple[str, ...] = ()) -> None:
        self.name = name
        self.settings = dict(settings)
        env_file = folder / f"{name}.env"
        env_file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        self._command = [*compose_command(), "--env-file", str(env_file), "-p", name]
        for file in files:
            self._command += ["-f", file]
        # Variables of the caller's shell would take precedence over the file.
        names = {line.strip("# ").partition("=")[0] for line in (ROOT / ".env.example").read_text().splitlines()}
        self._env = {key: value for key, value in os.environ.items() if key not in names}

    def __call__(self, *words: str, must: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a Compose command."""
        return run(*self._command, *words, env=self._env, must=must)

    def container(self, service: str) -> str:
        """Return the id of a service's container, running or not."""
        ids = docker(
            "ps", "-aq", "--no-trunc",
            "--filter", f"label=com.docker.compose.project={self.name}",
            "--filter", f"label=com.docker.compose.service={service}",
            "--filter", "label=com.docker.compose.oneoff=False",
        )  # fmt: skip
        check(bool(ids), f"there is no container of {service}")
        return ids.splitlines()[0]

    def inspect(self, service: str) -> dict[str, Any]:
        """Return the output of docker inspect for a service's container."""
        return dict(json.loads(docker("inspect", self.container(service)))[0])

    def health(self, service: str) -> tuple[str, str]:
        """Return a container's health and the last line of its health check."""
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
        """Remove everything: containers, networks, volumes."""
        self("down", "--volumes", "--remove-orphans", "--timeout", "8", must=False)
