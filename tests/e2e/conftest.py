"""A browser, a running shop, and a page for each test. The page has no errors and sends no request to another host."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from services.sample_shop.catalogue import sample_query
from tests.support.servers.shop import Shop, running_shop
from tests.support.waiting import PATIENT
from tests.support.web.browser import NO_BROWSER, Watch, find_chromium, running_chromium, watched_page
from tests.support.web.foreign import ForeignSite
from tests.support.web.http import ImageServer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and find_chromium() is None:
            item.add_marker(pytest.mark.skip(reason=NO_BROWSER))


@pytest.fixture(scope="package")
def pictures() -> Iterator[ImageServer]:
    """A web server of another site."""
    with ImageServer({"/shoe.jpg": sample_query(3, "Shoes")}) as server:
        yield server


@pytest.fixture(scope="package")
def foreign() -> Iterator[ForeignSite]:
    """Another shop's site, at another origin."""
    with ForeignSite() as site:
        yield site


@pytest.fixture(scope="package")
def shop(tmp_path_factory: pytest.TempPathFactory, pictures: ImageServer, foreign: ForeignSite) -> Iterator[Shop]:
    state = tmp_path_factory.mktemp("shop")
    variables = {
        **PATIENT,
        "GATEWAY_CURRENCY": "EUR",
        "GATEWAY_EVENTS_ENABLED": "true",
        "GATEWAY_FETCH_ENABLED": "true",
        "GATEWAY_FETCH_ALLOWED_HOSTS": pictures.host,
        "GATEWAY_CORS_ORIGINS": foreign.url,
        "CATALOGUES": "outlet",  # of which the pages of the default catalogue show nothing
    }
    with running_shop(state, variables) as running:
        yield running


# Module scope: Playwright's event loop, which runs in this thread, has to end before other tests run theirs.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def watched(chromium: Browser, shop: Shop, pictures: ImageServer) -> Iterator[tuple[Page, Watch]]:
    with watched_page(chromium, shop.url, {pictures.host}, viewport={"width": 1280, "height": 900}) as (page, watch):
        yield page, watch
        assert watch.unexpected == []


@pytest.fixture
def page(watched: tuple[Page, Watch]) -> Page:
    return watched[0]


@pytest.fixture
def watch(watched: tuple[Page, Watch]) -> Watch:
    return watched[1]


@pytest.fixture(scope="package")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo of a shoe that is in no catalogue."""
    path = tmp_path_factory.mktemp("photos") / "shoe.jpg"
    path.write_bytes(sample_query(3, "Shoes"))
    return path
