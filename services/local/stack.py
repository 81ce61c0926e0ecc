"""Starts, monitors and stops the stack without Docker."""

import errno
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from psutil import Process  # type: ignore[import-untyped]

from services.local.addresses import remove_addresses, write_addresses
from services.local.own_processes import MARK, describe, end, own_processes
from services.local.prometheus import INSTALL, is_installed
from services.local.settings import StackSettings
from services.local.supervisor import (
    SCRIPTS,
    STATE_LINK,
    configuration,
    models_config,
    models_path,
    prometheus_config,
    prometheus_path,
    run_folder,
    scripts,
    socket_of,
)

ReportProgress = Callable[[str], None]
# Only against a hang: a process that cannot start is reported at once, and a busy machine may need minutes.
READY_TIMEOUT_S = 600.0
STOP_TIMEOUT_S = 300.0
POLL_S = 0.1
CHECK_S = 2.0  # between two looks at the processes, which cost as much processor time as a process that starts


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
        files = self._files(data)
        if self.running():
            if all(path.is_file() and path.read_text() == text for path, text in files.items()):
                self._wait_ready()
                with self._writing():
                    write_addresses(self._state, self.settings.addresses)
                return
            report("the settings have changed: restarting the stack")
            self.down()
        elif leftovers := own_processes(self._state):
            report(f"ending {len(leftovers)} processes of this stack that have no supervisor")
            self._end(leftovers)
        self._check_model()
        if self.settings.observe and not is_installed():
            raise StackError(f"LOOKALIKE_OBSERVE needs Prometheus, which is not installed: {INSTALL}")
        self._check_ports()
        with self._writing():
            for folder in (self._state / "log", self._state / SCRIPTS, self._state / "data" / data):
                folder.mkdir(parents=True, exist_ok=True)
            for path, text in files.items():
                path.write_text(text)
        self._start()
        self._wait_ready()
        with self._writing():
            write_addresses(self._state, self.settings.addresses)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Turn an error of the file system into one that names the state folder.

        Raises:
            StackError: a file cannot be written.
        """
        try:
            yield
        except OSError as error:
            raise StackError(
                f"the state folder {self._state} cannot be written: {error.strerror}; LOOKALIKE_STATE names another one"
            ) from None

    def _files(self, data: str) -> dict[Path, str]:
        """Return the files that the supervisor and its processes read, with their contents."""
        each = {self._state / SCRIPTS / f"{name}.sh": text for name, text in scripts(self.settings, data).items()}
        models = {models_path(self.settings): models_config(self.settings)}
        if self.settings.observe:
            models[prometheus_path(self.settings)] = prometheus_config(self.settings)
        return each | models | {self._config: configuration(self.settings)}

    def down(self) -> bool:
        """Stop every process of the stack. Return whether it was running.

        Raises:
            StackError: it does not stop.
        """
        was_running = self._stop()
        with self._writing():
            remove_addresses(self._state)
        return was_running

    def _stop(self) -> bool:
        """End the supervisor and its processes. Return whether there were any."""
        if not self.running():
            leftovers = own_processes(self._state)
            self._end(leftovers)
            return bool(leftovers)
        pid = self._pid()
        self._control("shutdown")
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while pid is not None and _alive(pid):
            if time.monotonic() > deadline:
                raise StackError(f"the supervisor (process {pid}) does not stop: see {self._state / 'log'}")
            time.sleep(POLL_S)
        self._end(own_processes(self._state))
        return True

    def _end(self, processes: Sequence[Process]) -> None:
        if remaining := end(processes):
            raise StackError("these processes do not end:\n" + "\n".join(describe(remaining)))

    def running(self) -> bool:
        """Return whether the stack's supervisor responds."""
        return self._config.is_file() and self._is_ours() and self._control("pid").returncode == 0

    def _is_ours(self) -> bool:
        """Return whether the supervisor of the configuration belongs to this folder.

        In a copy of a state folder it belongs to the original. If the folder was moved, there is no original.
        """
        socket = socket_of(self._config.read_text())
        state = socket.parent / STATE_LINK if socket else None
        return state is None or not state.exists() or state.samefile(self._state)

    def status(self) -> str:
        """Return one line for each process: its name, state and uptime."""
        if self.running():
            return self._control("status").stdout.strip()
        if leftovers := own_processes(self._state):
            lines = ["the stack's supervisor does not respond; lookalike down ends these processes:"]
            return "\n".join(lines + describe(leftovers))
        return "the stack is not running"

    def _pid(self) -> int | None:
        text = self._control("pid").stdout.strip()
        return int(text) if text.isdigit() else None

    def _control(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(self._config), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603

    def _start(self) -> None:
        self._make_run_folder()
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._config)]
        environment = {**os.environ, MARK: str(self._state)}
        process = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603
        if process.returncode != 0:
            raise StackError(f"the supervisor does not start: {(process.stderr or process.stdout).strip()[-300:]}")

    def _make_run_folder(self) -> None:
        folder = run_folder(self._state)
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            raise StackError(f"{folder} belongs to another user: remove it, or set TMPDIR to a folder of your own")
        for entry in folder.iterdir():
            entry.unlink()
        (folder / STATE_LINK).symlink_to(self._state)

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
                except OSError as error:
                    raise StackError(_port_problem(name, port, error)) from None

    def _wait_ready(self) -> None:
        deadline, check_at = time.monotonic() + READY_TIMEOUT_S, 0.0
        with httpx.Client(base_url=self.settings.gateway_url, timeout=5, trust_env=False) as gateway:
            while (reasons := _missing(gateway)) is not None:
                if time.monotonic() >= deadline:
                    raise StackError(
                        f"the stack is not ready after {READY_TIMEOUT_S:.0f} s: {reasons}. Logs: {self._state / 'log'}"
                    )
                if time.monotonic() >= check_at:
                    self._check_processes()
                    check_at = time.monotonic() + CHECK_S
                time.sleep(POLL_S)

    def _check_processes(self) -> None:
        for line in self.status().splitlines():
            name, _, rest = line.partition(" ")
            if rest.strip().startswith("FATAL"):
                log = self._state / "log" / f"{name}.log"
                last = log.read_text(errors="replace").strip().splitlines()[-1:] if log.is_file() else []
                raise StackError(f"{name} does not start: {' '.join(last) or 'without output'} (log: {log})")


def _missing(gateway: httpx.Client) -> str | None:
    """Return why the stack is not ready; None if it is."""
    try:
        response = gateway.get("/readyz")
        document = response.json()
        if response.status_code == httpx.codes.OK and "degraded" not in document:
            return None
        return "; ".join(document["reasons"])
    except (httpx.HTTPError, ValueError, KeyError):
        return "the gateway does not respond yet"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _port_problem(name: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is used by another program: stop it, or set another port with {name}=…"
    if error.errno == errno.EACCES:
        return f"this user may not use port {port}: set a port from 1024 on with {name}=…"
    return (
        f"the local stack needs the address 127.0.0.1, which cannot be used: {error.strerror}. "
        "On Linux: ip address add 127.0.0.1/8 dev lo"
    )
