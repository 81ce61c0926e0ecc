"""A gateway that keeps responses gives the same ones as one that keeps none, while products and the index change."""

import base64
import random
import signal
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from services.local.stack import Stack
from services.sample_shop.catalogue import sample_query
from tests.support.servers.index import IndexProcess, running_index
from tests.support.servers.shop import Shop, second_gateway
from tests.support.servers.stack import MODEL_DIR
from tests.support.waiting import WITHIN_S, eventually

SEED = 20261201
DATABASE = "kept"
KEYS = [f"kept-{number}" for number in range(6)]
PHOTO = base64.b64encode(sample_query(4)).decode()


@pytest.fixture(scope="module")
def index(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexProcess]:
    """An index of its own, which the tests may stop, and whose products and rules are in a database of their own."""
    folder = tmp_path_factory.mktemp("index")
    with running_index(folder, stack.settings.mongo_url, DATABASE, INDEX_MODEL_DIR=str(MODEL_DIR)) as index:
        eventually(lambda: index.answers("/readyz"))
        yield index


@pytest.fixture(scope="module")
def gateways(
    stack: Stack, index: IndexProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """A gateway that keeps answers, and one that does not."""
    shop, folder = Shop("", stack.settings, httpx.Client()), tmp_path_factory.mktemp("gateways")
    own = {"INDEX_URL": index.url, "MONGO_DATABASE": DATABASE}
    options: dict[str, Any] = {"timeout": WITHIN_S, "trust_env": False}
    with (
        second_gateway(shop, folder / "keeping.log", **own) as keeping,
        second_gateway(shop, folder / "asking.log", **own, GATEWAY_KEPT_RESPONSES_BYTES="0") as asking,
        httpx.Client(base_url=keeping, **options) as keeps,
        httpx.Client(base_url=asking, **options) as asks,
    ):
        eventually(lambda: keeps.get("/readyz").is_success and asks.get("/readyz").is_success)
        yield keeps, asks


@pytest.fixture(scope="module")
def products(gateways: tuple[httpx.Client, httpx.Client]) -> Iterator[None]:
    keeps, _ = gateways
    for key in KEYS:
        put(keeps, key, "new")
    yield
    for key in KEYS:
        keeps.delete(f"/v1/products/{key}", params={"wait": "true"})


def put(gateway: httpx.Client, key: str, title: str) -> None:
    body = {"image_base64": PHOTO, "category": "Topwear", "title": title}
    gateway.put(f"/v1/products/{key}", params={"wait": "true"}, json=body).raise_for_status()


def hits(gateway: httpx.Client) -> float:
    """Return how many requests a gateway has answered with kept responses."""
    _, _, rest = gateway.get("/metrics").text.partition('lookalike_cache_hits_total{cache="responses"} ')
    return float(rest.split()[0])


def similar(gateway: httpx.Client, key: str, query: str = "") -> tuple[int, list[Any]]:
    """Return the status, and the products of a success; scales of similarity may be fitted at any time."""
    response = gateway.get(f"/v1/products/{key}/similar{query}")
    results = response.json().get("results", [])
    return response.status_code, [(result["id"], result["title"], result["score"]) for result in results]


@pytest.mark.usefixtures("products")
def test_every_change_shows_at_once_in_answers_that_were_kept(gateways: tuple[httpx.Client, httpx.Client]) -> None:
    keeps, asks = gateways
    rng, before = random.Random(SEED), hits(keeps)
    for number in range(12):
        key = rng.choice(KEYS)
        for _ in range(3):  # so that some of them are kept
            for query in ("", "?k=3"):
                assert similar(keeps, KEYS[0], query) == similar(asks, KEYS[0], query)
        if rng.random() < 0.2 and key != KEYS[0]:
            keeps.delete(f"/v1/products/{key}", params={"wait": "true"}).raise_for_status()
            assert key not in [id for id, _, _ in similar(keeps, KEYS[0])[1]]
            put(keeps, key, "back")
        writer = rng.choice(gateways)  # the other gateway's writes are news as well
        changed = writer.patch(f"/v1/products/{key}", params={"wait": "true"}, json={"title": f"title {number}"})
        assert changed.json()["searchable"] is True
        for other in KEYS:
            eventually(lambda other=other: similar(keeps, other) == similar(asks, other))  # type: ignore[misc]
        if writer is keeps and key != KEYS[0]:
            assert (key, f"title {number}") in [(id, title) for id, title, _ in similar(keeps, KEYS[0])[1]]
    eventually(lambda: similar(keeps, KEYS[0])[0] == 200 and hits(keeps) > before)


@pytest.mark.usefixtures("products")
def test_nothing_that_was_kept_outlives_the_index(
    gateways: tuple[httpx.Client, httpx.Client], index: IndexProcess
) -> None:
    keeps, asks = gateways
    before = hits(keeps)
    eventually(lambda: similar(keeps, KEYS[1])[0] == 200 and hits(keeps) > before)
    index.stop(signal.SIGKILL)
    try:
        eventually(lambda: similar(keeps, KEYS[1])[0] == 503)
    finally:
        index.start()
    eventually(lambda: index.answers("/readyz"))
    eventually(lambda: similar(keeps, KEYS[1]) == similar(asks, KEYS[1]) and similar(keeps, KEYS[1])[0] == 200)
    again = hits(keeps)
    eventually(lambda: similar(keeps, KEYS[1])[0] == 200 and hits(keeps) > again)
