"""The whole stack, started once for all tests that need it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from services.local.stack import Stack
from services.sample_shop.catalogue import sample_query
from tests.support.servers.shop import environment
from tests.support.servers.stack import MODEL_DIR, running_stack, wait_for_detector
from tests.support.waiting import PATIENT, WITHIN_S
from tests.support.web.http import ImageServer

OTHER_CATALOGUES = ("other-shop", "third")


@pytest.fixture(scope="package")
def pictures() -> Iterator[ImageServer]:
    """A web server of somebody else's, from which the stack may fetch."""
    with ImageServer({"/photo.jpg": sample_query(3)}) as server:
        yield server


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory, pictures: ImageServer) -> Iterator[Stack]:
    assert MODEL_DIR.is_dir(), "the shipped model is missing"
    state: Path = tmp_path_factory.mktemp("stack")
    variables = {
        **PATIENT,
        "GATEWAY_FETCH_ENABLED": "true",
        "GATEWAY_FETCH_ALLOWED_HOSTS": pictures.host,
        "GATEWAY_FETCH_TIMEOUT_S": f"{WITHIN_S:g}",
        "CATALOGUES": ",".join(OTHER_CATALOGUES),  # requests that name no catalogue must not see these
    }
    with ExitStack() as lasting:
        # Only while the stack starts: the fixture lasts, and other processes of tests must not see them.
        with environment(variables):
            running = lasting.enter_context(running_stack(state))
        wait_for_detector(running.settings.gateway_url)
        yield running


@pytest.fixture(scope="package")
def api(stack: Stack) -> Iterator[httpx.Client]:
    """The gateway, as a shop's front end reaches it."""
    with httpx.Client(base_url=stack.settings.gateway_url, timeout=WITHIN_S, trust_env=False) as client:
        yield client
