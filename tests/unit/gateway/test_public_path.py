"""A gateway below a path: of the setting, or of a proxy that is trusted."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from services.gateway.public_path import checked_prefix
from tests.support.fakes.gateway_fakes import Gateway, running_gateway

SHOE = base64.b64encode(b"\x01 a photo").decode()
PROXY = {"X-Forwarded-Prefix": "/shop/lookalike/"}


@pytest.fixture(params=["setting", "header"])
def below(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """A gateway below /shop/lookalike, which the proxy has removed from the path, or has not."""
    if request.param == "setting":
        with running_gateway(root_path="/shop/lookalike/") as gateway:
            yield gateway
        return
    with running_gateway(trusted_proxies=("*",)) as gateway:
        gateway.client.headers.update(PROXY)
        yield gateway


@pytest.mark.parametrize("path", ["", "/shop/lookalike"])
def test_every_address_in_a_response_has_the_prefix(below: Gateway, path: str) -> None:
    client = below.client
    put = client.put(f"{path}/v1/products/a%2Fb", json={"image_base64": SHOE})
    image = put.json()["image_url"]
    assert image.startswith("/shop/lookalike/v1/products/a%2Fb/image?v=")
    assert client.get(image).content == b"\x01 a photo"
    assert client.get(f"{path}/v1/nothing").json()["type"] == "/shop/lookalike/problems/not-found"
    assert client.get("/shop/lookalike/problems/not-found").status_code == 200
    document = client.get(f"{path}/openapi.json").json()
    assert [server["url"] for server in document["servers"]] == [
        "/shop/lookalike/",
        "/shop/lookalike/catalogues/{catalogue}",
    ]


@pytest.mark.parametrize("path", ["/", "/catalogue", "/docs", "/example-shop", "/problems/internal"])
def test_a_page_names_only_addresses_below_the_prefix(below: Gateway, path: str) -> None:
    page = below.client.get(f"/shop/lookalike{path}")
    assert page.status_code == 200
    addresses = [part.split('"')[0] for name in ('href="', 'src="') for part in page.text.split(name)[1:]]
    addresses = [address for address in addresses if not address.startswith("#")]
    assert addresses
    for address in addresses:
        assert address.startswith("/shop/lookalike/"), address
        assert below.client.get(address).status_code == 200, address


def test_the_widget_loads_its_files_below_the_prefix(below: Gateway) -> None:
    script = below.client.get("/shop/lookalike/widget.js").text.split('"')[1]
    assert script.startswith("/shop/lookalike/assets/")
    assert below.client.get(script).status_code == 200


def test_a_page_of_a_catalogue_below_the_prefix() -> None:
    with running_gateway(root_path="/shop", catalogues=("shoes",)) as gateway:
        gateway.index.others = {"shoes": 0}
        assert "&quot;root&quot;:&quot;/shop&quot;" in gateway.client.get("/shop/catalogues/shoes/").text
        assert (
            gateway.client.put("/shop/catalogues/shoes/v1/products/a", json={"image_base64": SHOE}).status_code == 201
        )
        response = gateway.client.post(
            "/shop/catalogues/shoes/v1/products:import",
            content=b"",
            headers={"Content-Type": "application/x-ndjson", "Prefer": "respond-async"},
        )
        assert response.headers["location"].startswith("/shop/catalogues/shoes/v1/imports/")


@pytest.mark.parametrize("header", ["//evil.example", "https://evil.example", "/a/../b", "a", "/a b", '/"><script>'])
def test_a_header_that_is_no_path_is_ignored(header: str) -> None:
    with running_gateway(trusted_proxies=("*",), root_path="/own") as gateway:
        problem = gateway.client.get("/v1/nothing", headers={"X-Forwarded-Prefix": header}).json()
        assert problem["type"] == "/own/problems/not-found"


def test_the_header_of_a_client_that_is_not_trusted_is_ignored() -> None:
    with running_gateway(trusted_proxies=("10.0.0.0/8",)) as gateway:
        assert gateway.client.get("/v1/nothing", headers=PROXY).json()["type"] == "/problems/not-found"


@pytest.mark.parametrize(("text", "prefix"), [("", ""), ("/", ""), ("/a", "/a"), ("/a/b/", "/a/b"), (" /a ", "/a")])
def test_a_prefix_ends_without_a_slash(text: str, prefix: str) -> None:
    assert checked_prefix(text) == prefix


@pytest.mark.parametrize("text", ["a", "//a", "/a//b", "/a?b", "http://a/b", "/.."])
def test_other_text_is_no_prefix(text: str) -> None:
    with pytest.raises(ValueError, match="is not a path such as /lookalike"):
        checked_prefix(text)


def test_other_gateways_have_no_prefix() -> None:
    with running_gateway() as gateway:
        put: dict[str, Any] = gateway.client.put("/v1/products/a", json={"image_base64": SHOE}).json()
        assert put["image_url"].startswith("/v1/products/a/image")
