"""Products through a running stack: any id, the list under writes, examples, garments, and a gateway below a path."""

import base64
from itertools import count
from urllib.parse import quote

import httpx
import pytest

from services.sample_shop.catalogue import sample_query

PHOTOS = [sample_query(number) for number in (1, 2, 3)]
NDJSON = {"Accept": "application/x-ndjson"}


def body(number: int = 0, **facts: object) -> dict[str, object]:
    return {"image_base64": base64.b64encode(PHOTOS[number]).decode(), **facts}


@pytest.mark.parametrize("id", ["a/image", "x/similar", "50%2F50", ".hidden", "größe 42?#", "a//b/"])
def test_an_id_is_the_same_in_every_address(api: httpx.Client, id: str) -> None:
    address = f"/v1/products/{quote(id, safe='')}"
    put = api.put(address, params={"wait": "true"}, json=body())
    assert (put.status_code, put.json()["id"], put.json()["searchable"]) == (201, id, True)
    assert api.get(address).json()["id"] == id
    assert api.get(f"{address}/image").content == PHOTOS[0]
    assert api.get(f"{address}/similar").status_code == 200
    assert api.head(f"{address}/image").headers["content-length"] == str(len(PHOTOS[0]))
    gone = api.delete(address, params={"wait": "true"})
    assert gone.json()["searchable"] is False
    assert api.get(f"{address}/similar").status_code == 404


def test_the_list_misses_none_and_has_none_twice_while_products_are_written(api: httpx.Client) -> None:
    lasting = [f"listed-{number:03}" for number in range(0, 40, 2)]
    for id in lasting:
        api.put(f"/v1/products/{id}", json=body(attributes={"maker": "list"})).raise_for_status()
    listed: list[str] = []
    cursor: dict[str, str] = {}
    for number in count(1, 2):
        page = api.get("/v1/products", params={"limit": 6, "filter": '{"maker": "list"}', **cursor}).json()
        listed += [product["id"] for product in page["products"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
        api.put(f"/v1/products/listed-{number:03}", json=body()).raise_for_status()
        api.patch(f"/v1/products/{lasting[number]}", json={"title": f"T{number}"}).raise_for_status()
        api.delete(f"/v1/products/listed-{number - 2:03}")
    assert [id for id in listed if id in lasting] == lasting
    assert len(listed) == len(set(listed))
    exported = [line for line in api.get("/v1/products", headers=NDJSON).text.splitlines() if '"listed-0' in line]
    assert len(exported) >= len(lasting)
    ids = [product["id"] for product in api.get("/v1/products?limit=1000").json()["products"]]
    removed = api.post("/v1/products:delete", json={"ids": [id for id in ids if id.startswith("listed-")]}).json()
    assert removed["deleted"] >= len(lasting)


def test_examples_move_the_results_and_are_left_out(api: httpx.Client) -> None:
    for number in (0, 1, 2):
        facts = body(number, category="Topwear", attributes={"maker": "examples"})
        api.put(f"/v1/products/example-{number}", params={"wait": "true"}, json=facts).raise_for_status()
    options = {"filter": '{"maker": "examples"}', "category": "Topwear"}

    def results(**request: str | list[str]) -> list[str]:
        response = api.post("/v1/search", params={**options, **request})
        assert response.status_code == 200, response.text
        document = response.json()
        assert all(result["score"] <= 1 for result in document["results"])
        return [result["id"] for result in document["results"]]

    assert sorted(results(like="example-0")) == ["example-1", "example-2"]
    assert results(like=["example-0", "example-1"]) == ["example-2"]
    assert results(like="example-0", unlike="example-1") == ["example-2"]
    photo = base64.b64encode(PHOTOS[2]).decode()
    by_image = api.post("/v1/search", params=options, json={"like": [{"image_base64": photo}]}).json()
    assert by_image["results"][0]["id"] == "example-2"
    warned = api.post("/v1/search", params={"like": "example-0", "filter": '{"nothing": 1}'}).json()
    assert warned["warnings"] == ["no product of Topwear has the attribute 'nothing'"]
    api.post("/v1/products:delete", json={"ids": [f"example-{number}" for number in (0, 1, 2)]}).raise_for_status()


def test_all_garments_of_a_photo_are_searched_in_one_call(api: httpx.Client) -> None:
    detected = api.post("/v1/detect", files={"image": PHOTOS[0]}).json()["garments"]
    document = api.post("/v1/search?garments=all&k=2", files={"image": PHOTOS[0]}).json()
    assert len(document["garments"]) <= len(detected)
    for garment in document["garments"]:
        assert garment["garment"]["box"] in [garment["box"] for garment in detected]
        assert len(garment["results"]) <= 2
    assert document["results"] == (document["garments"] or [document])[0]["results"]


def test_a_trusted_proxy_may_serve_the_gateway_below_a_path(api: httpx.Client) -> None:
    proxy = {"X-Forwarded-Prefix": "/shop"}
    put = api.put("/v1/products/below", headers=proxy, json=body()).json()
    assert put["image_url"].startswith("/shop/v1/products/below/image")
    assert api.get(put["image_url"], headers=proxy).content == PHOTOS[0]
    assert api.get("/openapi.json", headers=proxy).json()["servers"][0]["url"] == "/shop/"
    api.delete("/v1/products/below").raise_for_status()


def test_the_examples_of_the_documentation_work_at_the_first_try(api: httpx.Client) -> None:
    paths = api.get("/openapi.json").json()["paths"]
    put = paths["/v1/products/{id}"]["put"]["requestBody"]["content"]["application/json"]["example"]
    assert api.put("/v1/products/documented?wait=true", json=put).status_code == 201
    for path in ("/v1/search", "/v1/detect"):
        for example in paths[path]["post"]["requestBody"]["content"]["application/json"]["examples"].values():
            response = api.post(path, json=example["value"])
            assert response.status_code == 200, response.text
    patch = paths["/v1/products/{id}"]["patch"]["requestBody"]["content"]["application/merge-patch+json"]["example"]
    assert api.patch("/v1/products/documented", json=patch).status_code == 200
    api.delete("/v1/products/documented").raise_for_status()
