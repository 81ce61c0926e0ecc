"""The stack behind the real nginx and Caddy with the examples of deploy/proxy, below /lookalike/, with TLS."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pytest

from services.local.stack import Stack
from services.sample_shop.catalogue import sample_query
from tests.support.servers.proxies import PROXIES, Proxy, is_installed, running_proxy
from tests.support.waiting import WITHIN_S
from tests.support.web.http import ImageServer

PATH = "/lookalike"
PHOTO = sample_query(2)


@pytest.fixture(scope="module", params=sorted(PROXIES))
def proxy(request: pytest.FixtureRequest, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    if not is_installed(request.param):
        pytest.skip(f"{request.param} is not installed: apt-get install {request.param}")
    folder: Path = tmp_path_factory.mktemp(request.param)
    with running_proxy(request.param, folder, stack.settings.gateway_url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def shop(proxy: Proxy) -> Iterator[httpx.Client]:
    """The shop's host, as browsers and programs outside reach it."""
    with httpx.Client(base_url=proxy.url, verify=str(proxy.certificate), timeout=WITHIN_S, trust_env=False) as client:
        yield client


def test_the_pages_the_documentation_and_their_files_are_below_the_path(shop: httpx.Client) -> None:
    assert shop.get(PATH).headers["location"].endswith(f"{PATH}/")
    for page in ("/", "/catalogue", "/docs"):
        response = shop.get(PATH + page)
        assert response.status_code == 200
        files = set(re.findall(r'(?:src|href)="(/[^"]+\.(?:js|css|svg))"', response.text))
        assert files
        assert all(file.startswith(f"{PATH}/") for file in files)
        assert {file: shop.get(file).status_code for file in files} == dict.fromkeys(files, 200)
    assert shop.get(f"{PATH}/openapi.json").json()["servers"][0]["url"] == f"{PATH}/"


def test_the_widget_loads_its_modules(shop: httpx.Client) -> None:
    script = shop.get(f"{PATH}/widget.js")
    (module,) = re.findall(r'from "([^"]+)"', script.text)
    assert module.startswith(f"{PATH}/")
    assert shop.get(module).headers["content-type"].startswith("text/javascript")


def test_the_api_works_and_ids_arrive_as_they_were_sent(shop: httpx.Client) -> None:
    for id in ("proxied%2Fone%20%3F", "proxied%252F"):
        address = f"{PATH}/v1/products/{id}"
        body = {"image_base64": base64.b64encode(PHOTO).decode()}
        put = shop.put(address, params={"wait": "true"}, json=body)
        assert put.status_code in (200, 201), put.text
        product = shop.get(address).json()
        assert httpx.URL(f"http://x/{id}").path == f"/{product['id']}"
        assert shop.get(product["image_url"]).content == PHOTO
        assert shop.get(f"{address}/similar").status_code == 200
    problem = shop.get(f"{PATH}/v1/products/none")
    assert problem.json()["type"] == f"{PATH}/problems/unknown-product"
    assert shop.get(problem.json()["type"]).status_code == 200


def test_photos_of_any_accepted_size_are_searched_and_larger_ones_are_refused(shop: httpx.Client) -> None:
    photo = PHOTO + bytes(9_000_000)  # bytes after the end of a JPEG are ignored
    response = shop.post(f"{PATH}/v1/search", content=photo, headers={"Content-Type": "image/jpeg"})
    assert response.status_code == 200, response.text
    large = shop.post(f"{PATH}/v1/search", content=bytes(17_000_000), headers={"Content-Type": "image/jpeg"})
    assert large.status_code == 413


def test_an_import_sends_its_results_while_the_feed_is_worked_on(shop: httpx.Client, pictures: ImageServer) -> None:
    rows = [{"id": f"proxied-{number}", "image_url": pictures.url("/photo.jpg")} for number in range(12)]
    feed = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    parts = (feed[start : start + 500] for start in range(0, len(feed), 500))  # chunked, without a length
    headers = {"Content-Type": "application/x-ndjson", "Accept": "application/x-ndjson"}
    with shop.stream("POST", f"{PATH}/v1/products:import", content=parts, headers=headers) as response:
        assert response.status_code in (200, 202)
        lines = [orjson.loads(line) for line in response.iter_lines() if line]
    assert lines[-1]["import"]["state"] == "done", lines[-1]
    outcomes = {line["id"]: line["outcome"] for line in lines if "outcome" in line}
    assert outcomes.keys() == {row["id"] for row in rows}
    assert set(outcomes.values()) <= {"imported", "unchanged"}


def test_plain_http_leads_to_tls_and_metrics_stay_inside(proxy: Proxy, shop: httpx.Client) -> None:
    moved = httpx.get(f"{proxy.plain_url}{PATH}/?x=1", trust_env=False)
    assert moved.status_code in (301, 308)
    assert moved.headers["location"].startswith("https://")
    assert moved.headers["location"].endswith(f"{PATH}/?x=1")
    assert shop.get(f"{PATH}/metrics").status_code == 404
