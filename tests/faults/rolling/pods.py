"""Pods as processes: they start, become ready, and end as deploy/kubernetes says."""

import asyncio
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import httpx

from services.local.settings import StackSettings
from services.local.supervisor import processes
from tests.support.servers.stack import ROOT
from tests.support.servers.tfs import states
from tests.support.waiting import PATIENT, WITHIN_S
from tests.support.web.ports import free_port

PRE_STOP_S = 3.0  # as in the manifests: the Service sends no new connections, the process still serves
GRACE_S = 15.0  # terminationGracePeriodSeconds, the time of preStop included
CHECK_S = 0.2
# A busy machine ends or refuses no request: what fails does so because of the upgrade.
ROOMY = {
    **PATIENT,
    "GATEWAY_MAX_CONCURRENT_SEARCHES": "1000",
    "GATEWAY_MAX_CONCURRENT_SIMILAR": "1000",
    "GATEWAY_MAX_CONCURRENT_WRITES": "1000",
}


@dataclass
class Pod:
    """A process of one of the services.

    Attributes:
        name: of the service.
        settings: of the stack whose database it uses.
        folder: of its log and its snapshots.
        variables: environment variables.
        port: that it listens on, also after it was replaced.
    """

    name: str
    settings: StackSettings
    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    async def start(self) -> None:
        """Start the process, and wait until its readiness probe succeeds."""
        own = next(process for process in processes(self.settings, "test") if process.name == self.name)
        variables = {
            **ROOMY,
            **os.environ,
            **own.environment,
            **self.variables,
            f"{self.name.upper()}_PORT": str(self.port),
        }
        if self.name == "index":
            variables["INDEX_SNAPSHOT_DIR"] = str(self.folder / f"snapshots-{self.port}")
        command = [*own.command[:-1], str(self.port)] if self.name == "tfs" else list(own.command)
        with (self.folder / f"{self.name}-{self.port}.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=variables, cwd=ROOT, stdout=log, stderr=log)  # noqa: ASYNC220
        async with asyncio.timeout(WITHIN_S):
            while not await asyncio.to_thread(self._is_ready):  # noqa: ASYNC110
                await asyncio.sleep(CHECK_S)

    def _is_ready(self) -> bool:
        try:
            if self.name == "tfs":
                model = self.settings.model_dir
                with grpc.insecure_channel(f"127.0.0.1:{self.port}") as channel:
                    return states(channel, model.parent.name).get(int(model.name)) == "AVAILABLE"
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", trust_env=False).status_code == httpx.codes.OK
        except (httpx.TransportError, grpc.RpcError):
            return False

    async def end(self) -> float:
        """End the process as Kubernetes does, by force after the grace period; return how long it took after SIGTERM,
        in seconds.
        """
        assert self.process is not None
        await asyncio.sleep(PRE_STOP_S)
        began = asyncio.get_running_loop().time()
        self.process.terminate()
        try:
            await asyncio.to_thread(self.process.wait, GRACE_S - PRE_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None
        return asyncio.get_running_loop().time() - began

    def kill(self) -> None:
        """End the process at once, if it runs."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(WITHIN_S)
