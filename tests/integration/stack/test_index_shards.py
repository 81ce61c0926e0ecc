"""Index nodes that hold some categories each, as processes behind a gateway, also while some of them are stopped."""

import base64
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.local.stack import Stack
from services.sample_shop.catalogue import sample_products, sample_query
from tests.support.servers.index import IndexProcess, running_index
from tests.support.servers.shop import Shop, second_gateway
from tests.support.servers.stack import MODEL_DIR
from tests.support.waiting import WITHIN_S, eventually

PHOTO = sample_query(3)
CLOTHES = "Topwear,Bottomwear,Innerwear,socks"
REST = "1,2,Watches,Jewellery,Eyewear"
PER_CATEGORY = 3
MODEL = {"INDEX_MODEL_DIR": str(MODEL_DIR)}  # the stack's


@pytest.fixture(scope="module")
def whole(api: httpx.Client) -> Iterator[httpx.Client]:
    """The gateway of the stack, whose index holds everything, with products in it that other tests do not know."""
    keys = []
    for product in sample_products(per_category=PER_CATEGORY):
        image = base64.b64encode(product.jpeg()).decode()
        body = {"title": product.title, "url": product.url, "category": product.category, "image_base64": image}
        keys.append(f"shards-{product.id}")
        assert api.put(f"/v1/products/{keys[-1]}", json=body).status_code == httpx.codes.CREATED
    eventually(lambda: api.get(f"/v1/products/{keys[-1]}/similar").status_code == httpx.codes.OK)
    yield api
    for key in keys:
        assert api.delete(f"/v1/products/{key}").status_code == httpx.codes.NO_CONTENT


@pytest.fixture(scope="module")
def nodes(whole: httpx.Client, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[IndexProcess]]:
    """One node for clothes, and two for the rest."""
    url = stack.settings.mongo_url
    folders = [tmp_path_factory.mktemp(f"node{number}") for number in range(3)]
    with (
        running_index(folders[0], url, INDEX_CATEGORIES=CLOTHES, **MODEL) as clothes,
        running_index(folders[1], url, INDEX_CATEGORIES=REST, **MODEL) as rest,
        running_index(folders[2], url, INDEX_CATEGORIES=REST, **MODEL) as replica,
    ):
        eventually(lambda: all(node.answers("/readyz") for node in (clothes, rest, replica)))
        yield [clothes, rest, replica]


@pytest.fixture(scope="module")
def gateway(
    stack: Stack, nodes: list[IndexProcess], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    shop = Shop("", stack.settings, httpx.Client())
    settings = {"INDEX_URL": ",".join(node.url for node in nodes), "GATEWAY_INDEX_REFRESH_S": "0.2"}
    log = tmp_path_factory.mktemp("gateway") / "gateway.log"
    with (
        second_gateway(shop, log, **settings) as url,
        httpx.Client(base_url=url, timeout=WITHIN_S, trust_env=False) as http,
    ):
        eventually(lambda: http.get("/readyz").json()["reasons"] == [])
        yield http


def search(http: httpx.Client, category: str, **options: Any) -> httpx.Response:
    return http.post(
        "/v1/search", content=PHOTO, headers={"Content-Type": "image/jpeg"}, params={"category": category, **options}
    )


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == httpx.codes.OK, answer.text
    return [result["id"] for result in answer.json()["results"]]


def categories(http: httpx.Client) -> dict[str, tuple[int, bool]]:
    """Return of each category how many products there are, and whether it can be searched."""
    document = http.get("/v1/categories").json()["categories"]
    return {item["name"]: (item["products"], item["searchable"]) for item in document}


@pytest.fixture
def all_up(gateway: httpx.Client, nodes: list[IndexProcess]) -> Iterator[None]:
    """Start again afterwards what a test has ended."""
    yield
    for node in nodes:
        if node.process is None:
            node.start()
    eventually(lambda: gateway.get("/readyz").json()["reasons"] == [])


def test_each_node_holds_its_categories_and_the_gateway_has_them_all(
    whole: httpx.Client, gateway: httpx.Client, nodes: list[IndexProcess]
) -> None:
    held = [{category["name"] for category in node.catalogue()["categories"] if category["held"]} for node in nodes]
    assert held[0] == {"Topwear", "Bottomwear", "Innerwear", "Socks"}
    assert held[1] == held[2] == {"Shoes", "Bags", "Watches", "Jewellery", "Eyewear"}
    assert sum(node.catalogue()["products"] for node in nodes[:2]) == whole.get("/v1/stats").json()["products"]
    assert categories(gateway) == categories(whole)
    stats = gateway.get("/v1/stats").json()
    assert [set(node["categories"]) for node in stats["index_nodes"]] == held
    assert stats["products"] == whole.get("/v1/stats").json()["products"]


def test_a_search_finds_over_the_nodes_what_it_finds_in_one_index(whole: httpx.Client, gateway: httpx.Client) -> None:
    for category in categories(whole):
        actual = ids(search(gateway, category, k=20))
        assert actual == ids(search(whole, category, k=20))
        assert len(actual) >= PER_CATEGORY


def test_similar_products_are_found_whichever_node_holds_them(whole: httpx.Client, gateway: httpx.Client) -> None:
    for category in categories(whole):
        address = f"/v1/products/{ids(search(whole, category))[0]}/similar"
        assert ids(gateway.get(address)) == ids(whole.get(address))
    assert gateway.get("/v1/products/nobody-knows/similar").status_code == httpx.codes.NOT_FOUND


def test_a_sample_has_products_of_all_nodes(gateway: httpx.Client) -> None:
    document = gateway.get("/v1/products:sample", params={"count": 27}).json()["products"]
    assert len({product["id"] for product in document}) == len(document) == 27
    assert {product["category"] for product in document} & {"Topwear", "Bottomwear", "Innerwear", "Socks"}
    assert {product["category"] for product in document} & {"Shoes", "Bags", "Watches", "Jewellery", "Eyewear"}


@pytest.mark.usefixtures("all_up")
def test_where_one_of_two_nodes_is_killed_no_search_fails(gateway: httpx.Client, nodes: list[IndexProcess]) -> None:
    expected = ids(search(gateway, "Shoes"))
    nodes[1].stop(signal.SIGKILL)
    for _ in range(20):
        assert ids(search(gateway, "Shoes")) == expected
    assert gateway.get("/readyz").json() == {"ready": True, "reasons": []}


@pytest.mark.usefixtures("all_up")
def test_a_node_that_is_away_takes_only_its_categories_with_it(
    gateway: httpx.Client, nodes: list[IndexProcess]
) -> None:
    top, shoe = ids(search(gateway, "Topwear"))[0], ids(search(gateway, "Shoes"))[0]
    for node in nodes[1:]:
        node.stop(signal.SIGKILL)
    assert ids(search(gateway, "Topwear"))
    missing = search(gateway, "Shoes")
    assert (missing.status_code, missing.json()["type"]) == (503, "/problems/index-not-ready")
    assert missing.json()["detail"] == "no index node answers for Shoes: the index service cannot be reached"
    assert missing.headers["retry-after"]
    assert ids(gateway.get(f"/v1/products/{top}/similar"))
    assert gateway.get(f"/v1/products/{shoe}/similar").status_code == 503
    reason = "no index node answers for Shoes, Bags, Watches, Jewellery, Eyewear: the index service cannot be reached"
    eventually(lambda: gateway.get("/readyz").json()["reasons"] == [reason])  # the gateway caches its readiness
    assert gateway.get("/readyz").status_code == 200
    known = categories(gateway)
    assert known["Shoes"][0] >= PER_CATEGORY
    assert (known["Shoes"][1], known["Topwear"][1]) == (False, True)
    assert {product["category"] for product in gateway.get("/v1/products:sample").json()["products"]} <= {
        "Topwear", "Bottomwear", "Innerwear", "Socks",
    }  # fmt: skip
    nodes[2].start()
    eventually(lambda: search(gateway, "Shoes").status_code == 200)


@pytest.mark.usefixtures("all_up")
def test_with_all_nodes_away_the_gateway_names_the_searches_as_degraded(
    gateway: httpx.Client, nodes: list[IndexProcess]
) -> None:
    for node in nodes:
        node.stop(signal.SIGKILL)
    searches = ["searches by photo", "searches by product"]
    eventually(lambda: gateway.get("/readyz").json().get("degraded") == searches)  # the gateway caches its readiness
    ready = gateway.get("/readyz")  # the garments of a photo are still found
    assert (ready.status_code, ready.json()["reasons"]) == (200, ["the index service cannot be reached"])
    assert gateway.get("/v1/stats").status_code == 503


def test_a_product_that_moves_to_another_category_moves_to_another_node(
    whole: httpx.Client, gateway: httpx.Client, nodes: list[IndexProcess]
) -> None:
    key = ids(search(gateway, "Topwear"))[0]
    before = whole.get(f"/v1/products/{key}").json()
    body = {name: before[name] for name in ("title", "url", "attributes")}
    assert whole.put(f"/v1/products/{key}", json={**body, "category": "Shoes"}).status_code == 200
    try:
        eventually(lambda: key in ids(search(gateway, "Shoes", k=100)))
        eventually(lambda: key not in ids(search(gateway, "Topwear", k=100)))
        similar = gateway.get(f"/v1/products/{key}/similar").json()
        assert similar["category"]["name"] == "Shoes"
    finally:
        whole.put(f"/v1/products/{key}", json={**body, "category": "Topwear"})
    eventually(lambda: key in ids(search(gateway, "Topwear", k=100)))


def test_a_gateway_finds_out_which_nodes_hold_what_when_they_come_later(
    stack: Stack, whole: httpx.Client, nodes: list[IndexProcess], tmp_path: Path
) -> None:
    late = IndexProcess(tmp_path, stack.settings.mongo_url, INDEX_CATEGORIES=CLOTHES, **MODEL)
    shop = Shop("", stack.settings, httpx.Client())
    settings = {"INDEX_URL": f"{late.url},{nodes[1].url}", "GATEWAY_INDEX_REFRESH_S": "0.2"}
    try:
        with (
            second_gateway(shop, tmp_path / "log", **settings) as url,
            httpx.Client(base_url=url, timeout=WITHIN_S) as http,
        ):
            assert ids(search(http, "Shoes"))
            assert search(http, "Topwear").status_code == 503
            late.start()
            eventually(lambda: search(http, "Topwear").status_code == 200)
            assert ids(search(http, "Topwear")) == ids(search(whole, "Topwear"))
    finally:
        late.stop()
        late.http.close()
