"""The whole stack with drawn products in it, as the tests of the pages need it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from services.local.supervisor import processes
from tests.support.servers.stack import ROOT, stack_settings, wait_for_detector, wait_until_alive
from tests.support.waiting import PATIENT, WITHIN_S
from tests.support.web.ports import free_port
from tools import sample_stack
from tools.sample_stack import Shop, environment

__all__ = ["OTHERS", "SHOES", "Shop", "environment", "running_shop", "second_gateway"]

# Of the shoes, more than one page of results; of each other category, a few.
SHOES, OTHERS = 24, 6


@contextmanager
def running_shop(state_dir: Path, variables: Mapping[str, str] | None = None) -> Iterator[Shop]:
    """Run a stack with SHOES shoes and OTHERS products of each other category for the length of the block.

    `variables` are environment variables of its processes.
    """
    settings = stack_settings(state_dir)
    with sample_stack.running_shop(settings, shoes=SHOES, others=OTHERS, variables=variables or {}) as shop:
        wait_for_detector(settings.gateway_url)
        yield shop


@contextmanager
def second_gateway(shop: Shop, log: Path, **variables: str) -> Iterator[str]:
    """Run another gateway on the same stack with other environment variables. Yields its address."""
    port = free_port()
    gateway = next(process for process in processes(shop.settings, "test") if process.name == "gateway")
    values = {**PATIENT, **os.environ, **gateway.environment, **variables, "GATEWAY_PORT": str(port)}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.gateway"], env=values, cwd=ROOT, stdout=file, stderr=file
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_alive(url)
        yield url
    finally:
        process.terminate()
        process.wait(WITHIN_S)
