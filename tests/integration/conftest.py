"""The whole stack, started once for all tests that need it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from services.local.stack import Stack
from tests.support.stack import MODEL_DIR, running_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    assert MODEL_DIR.is_dir(), "the shipped model is missing"
    state: Path = tmp_path_factory.mktemp("stack")
    with running_stack(state) as running:
        yield running


@pytest.fixture(scope="session")
def api(stack: Stack) -> Iterator[httpx.Client]:
    """The gateway, as a shop's front end reaches it."""
    with httpx.Client(base_url=stack.settings.gateway_url, timeout=20, trust_env=False) as client:
        yield client
