"""Starts, monitors and stops the stack without Docker."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from services.local.addresses import remove_addresses, write_addresses
from services.local.settings import StackSettings
from services.local.supervisor import configuration, models_config, models_path, socket_path

ReportProgress = Callable[[str], None]
READY_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 40.0
POLL_S = 0.25


class StackError(Exception):
    """The stack cannot be started or stopped. The text says why and what to do."""


class Stack:
    """The local stack of one state folder."""

    def __init__(self, settings: StackSettings) -> None:
        self.settings = settings
        self._state = settings.state_dir.resolve()
        self._config = self._state / "supervisord.conf"

    def up(self, data: str, report: ReportProgress) -> None:
        """Start the stack in the background, if it is not running, and wait until it can answer searches.

        Args:
            data: name of the database's folder under `data/` of the state folder.
            report: receives a line of progress.

        Raises:
            StackError: a port is in use, the model is missing, or a process does not start.
        """
        config = configuration(self.settings, data)
        if self.running():
            if self._config.read_text() == config:
                self._wait_ready()
                write_addresses(self._state, self.settings.addresses)
                return
            report("the settings have changed: restarting the stack")
            self.down()
        self._check_model()
        self._check_ports()
        for folder in (self._state / "log", self._state / "data" / data):
            folder.mkdir(parents=True, exist_ok=True)
        models_path(self.settings).write_text(models_config(self.settings))
        self._config.write_text(config)
        self._start()
        self._wait_ready()
        write_addresses(self._state, self.settings.addresses)

    def down(self) -> bool:
        """Stop every process of the stack. Return whether it was running.

        Raises:
            StackError: it does not stop.
        """
        remove_addresses(self._state)
        if not self.running():
            return False
        pid = self._pid()
        self._control("shutdown")
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while pid is not None and _alive(pid):
            if time.monotonic() > deadline:
                raise StackError(f"the supervisor (process {pid}) does not stop: see {self._state / 'log'}")
            time.sleep(POLL_S)
        return True

    def running(self) -> bool:
        """Return whether the stack's supervisor responds."""
        return self._config.is_file() and self._control("pid").returncode == 0

    def status(self) -> str:
        """Return one line for each process: its name, state and uptime."""
        return self._control("status").stdout.strip() if self.running() else "the stack is not running"

    def _pid(self) -> int | None:
        text = self._control("pid").stdout.strip()
        return int(text) if text.isdigit() else None

    def _control(self, *words: str) -> subprocess.CompletedProcess[str]:
        program = _program("supervisorctl")
        return subprocess.run([program, "-c", str(self._config), *words], capture_output=True, text=True, check=False)  # noqa: S603

    def _start(self) -> None:
        socket_path(self._state).unlink(missing_ok=True)
        command = [_program("supervisord"), "-c", str(self._config)]
        process = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if process.returncode != 0:
            raise StackError(f"the supervisor does not start: {(process.stderr or process.stdout).strip()[-300:]}")

    def _check_model(self) -> None:
        if not (self.settings.model_dir / "manifest.json").is_file():
            raise StackError(
                f"there is no model in {self.settings.model_dir}: run this from the project's folder, train one "
                "(make train DATASET=…), or set LOOKALIKE_MODEL_DIR"
            )

    def _check_ports(self) -> None:
        for name, port in self.settings.ports.items():
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    raise StackError(
                        f"port {port} is used by another program: stop it, or set another port with {name}=…"
                    ) from None

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        reasons = "the gateway does not respond yet"
        while time.monotonic() < deadline:
            try:
                response = httpx.get(self.settings.gateway_url + "/readyz", timeout=5, trust_env=False)
                if response.status_code == httpx.codes.OK:
                    return
                reasons = "; ".join(response.json()["reasons"])
            except (httpx.HTTPError, ValueError, KeyError):
                reasons = "the gateway does not respond yet"
            self._check_processes()
            time.sleep(POLL_S)
        raise StackError(
            f"the stack is not ready after {READY_TIMEOUT_S:.0f} s: {reasons}. Logs: {self._state / 'log'}"
        )

    def _check_processes(self) -> None:
        for line in self.status().splitlines():
            name, _, rest = line.partition(" ")
            if rest.strip().startswith("FATAL"):
                log = self._state / "log" / f"{name}.log"
                last = log.read_text(errors="replace").strip().splitlines()[-1:] if log.is_file() else []
                raise StackError(f"{name} does not start: {' '.join(last) or 'without output'} (log: {log})")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _program(name: str) -> str:
    in_environment = Path(sys.executable).with_name(name)
    program = str(in_environment) if in_environment.is_file() else shutil.which(name)
    if program is None:
        raise StackError(f"{name} is not installed: run make setup")
    return program
