"""Two gateways behind nginx. They are restarted in turn with other settings, and the other one answers meanwhile."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import orjson

from services.local.stack import Stack
from services.local.supervisor import processes
from tests.support.servers.stack import ROOT
from tests.support.waiting import WITHIN_S, eventually
from tests.support.web.ports import free_port, free_ports

SHADOW = re.compile(r'^lookalike_index_shadow_(searches|hits)_total\{result="(\w+)"\} (\S+)$', re.MULTILINE)


class Gateway:
    """A gateway on a port that stays the same over its restarts."""

    def __init__(self, stack: Stack, log: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = next(
            process.environment for process in processes(stack.settings, "test") if process.name == "gateway"
        )
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, settings: dict[str, str]) -> None:
        """Start it with these settings, and return when it is ready."""
        own = {"GATEWAY_PORT": str(self.port), "GATEWAY_LOG_JSON": "true"}
        environment = {**os.environ, **self._environment, **own, **settings}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "services.gateway"], env=environment, cwd=ROOT, stdout=log, stderr=log
            )
        eventually(self._is_ready)

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()[-2000:]
        try:
            return httpx.get(f"{self.url}/readyz", trust_env=False).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """Let it answer the requests that it has, and end it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(WITHIN_S)
            self._process = None

    def shadow_counts(self) -> Counter[str]:
        """Return the results of its comparisons with the shadow node since its start."""
        text = httpx.get(f"{self.url}/metrics", trust_env=False).text
        return Counter({f"{what} {result}": int(float(count)) for what, result, count in SHADOW.findall(text)})

    def shadow_differences(self) -> list[dict[str, object]]:
        """Return the log's events of comparisons with other results, over all starts."""
        lines = (line for line in self._log.read_bytes().splitlines() if b'"index_shadow_differs"' in line)
        return [orjson.loads(line) for line in lines]


class Gateways:
    """Both gateways, and the address of nginx in front of them."""

    def __init__(self, url: str, gateways: tuple[Gateway, ...]) -> None:
        self.url = url
        self.all = gateways

    def restart(self, settings: dict[str, str]) -> None:
        """Restart one after the other with these settings."""
        for gateway in self.all:
            gateway.stop()
            gateway.start(settings)

    def shadow_counts(self) -> Counter[str]:
        """Return the results of the comparisons with the shadow node since the last restart."""
        return sum((gateway.shadow_counts() for gateway in self.all), Counter[str]())


def index_url_of(stack: Stack) -> str:
    """Return the address of the stack's index."""
    return f"http://127.0.0.1:{stack.settings.index_port}"


@contextmanager
def running_gateways(stack: Stack, folder: Path, settings: dict[str, str]) -> Iterator[Gateways]:
    """Run two gateways with these settings, and nginx in front of them, for as long as the block lasts."""
    gateways = tuple(Gateway(stack, folder / f"gateway-{number}.log") for number in (1, 2))
    (port,) = free_ports(1)
    try:
        for gateway in gateways:
            gateway.start(settings)
        with (folder / "nginx.log").open("wb") as log:
            process = subprocess.Popen(_nginx(folder, port, gateways), stdout=log, stderr=log)
        try:
            eventually(lambda: _answers(f"http://127.0.0.1:{port}/livez"))
            yield Gateways(f"http://127.0.0.1:{port}", gateways)
        finally:
            process.terminate()
            process.wait(WITHIN_S)
    finally:
        for gateway in gateways:
            gateway.stop()


def _nginx(folder: Path, port: int, gateways: tuple[Gateway, ...]) -> list[str]:
    """Return the command of nginx, with the upstream of docs/scale.md: who gets no answer asks the other gateway."""
    servers = "".join(f"server 127.0.0.1:{gateway.port} max_fails=0; " for gateway in gateways)
    names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{name}_temp_path {folder}/{name}; " for name in names)
    user = "user root; " if os.getuid() == 0 else ""  # of the temporary folder
    (folder / "nginx.conf").write_text(
        f"{user}daemon off; pid {folder}/nginx.pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {places}\n"
        f"  upstream gateways {{ {servers}}}\n"
        f"  server {{ listen 127.0.0.1:{port}; client_max_body_size 15m;\n"
        "    location / { proxy_pass http://gateways; proxy_next_upstream error non_idempotent; }\n"
        "  }\n}\n"
    )
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
