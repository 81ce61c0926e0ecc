"""Counters that several gateways share, on a real Redis."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from services.contracts.domain.quota import Quota
from services.gateway.access import limits as access_limits
from services.gateway.access.limits import RateLimits
from tests.support.waiting import WITHIN_S, eventually
from tests.support.web.ports import free_port

PROGRAM = shutil.which("redis-server")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="redis-server is not installed: apt-get install redis-server")
QUOTA = Quota(20, 60)


class Server:
    """A Redis of the test's own, which keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [str(PROGRAM), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, cwd=self._folder, stdout=subprocess.DEVNULL)
        eventually(self._answers)

    def _answers(self) -> bool:
        with redis.Redis(port=self.port) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(WITHIN_S)
            self._process = None


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(access_limits, "DEADLINE_S", WITHIN_S)
    server = Server(tmp_path)
    server.start()
    yield server
    server.stop()


async def test_two_gateways_together_allow_the_quota_and_no_more(server: Server) -> None:
    gateways = [RateLimits(server.url), RateLimits(server.url)]
    counts = await asyncio.gather(
        *(gateways[number % 2].count("client", QUOTA, "198.51.100.7") for number in range(30))
    )
    assert sum(not count.is_exceeded for count in counts) == QUOTA.requests
    assert not (await gateways[0].count("client", QUOTA, "198.51.100.8")).is_exceeded


async def test_a_gateway_that_loses_redis_counts_by_itself_and_goes_on(server: Server) -> None:
    limits = RateLimits(server.url)
    assert not (await limits.count("client", Quota(2, 60), "a")).is_exceeded
    server.stop()
    counts = [await limits.count("client", Quota(2, 60), "a") for _ in range(3)]
    assert [count.is_exceeded for count in counts] == [False, False, True]
