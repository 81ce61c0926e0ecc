"""Several catalogues in a running stack: the same ids in each; only a search through all crosses them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson
import pymongo
import pytest

from services.catalogue.product import unit_vector
from services.local.stack import Stack
from services.sample_shop.catalogue import sample_query
from tests.support.servers.commands import Ended, run_command
from tests.support.servers.index import running_index
from tests.support.servers.mongo import private_mongo
from tests.support.waiting import WITHIN_S, eventually
from tests.support.web.http import ImageServer

OTHER, ALL = "/catalogues/other-shop", "/catalogues/all"
PHOTO, ANOTHER = sample_query(3), sample_query(5)
IMAGE = {"Content-Type": "image/jpeg"}
PUT: set[str] = set()


@pytest.fixture(scope="module", autouse=True)
def nothing_left(api: httpx.Client) -> Iterator[None]:
    """Remove the products of these tests from the default catalogue: other tests count its products."""
    yield
    for key in PUT:
        api.delete(f"/v1/products/{key}")
        eventually(lambda key=key: api.get(f"/v1/products/{key}/similar").status_code == 404)  # type: ignore[misc]


def put(api: httpx.Client, path: str, key: str, photo: bytes, **facts: Any) -> dict[str, Any]:
    files = {"image": ("photo.jpg", photo, "image/jpeg")}
    product = orjson.dumps({"category": "Shoes", **facts}).decode()
    response = api.put(f"{path}/v1/products/{key}", files=files, data={"product": product})
    assert response.status_code in (200, 201), response.text
    PUT.add(key)
    product_response: dict[str, Any] = response.json()
    return product_response


def results_of(api: httpx.Client, path: str, mark: str, **options: Any) -> list[dict[str, Any]]:
    """Return the results of a search for shoes with a mark."""
    options |= {"category": "Shoes", "filter": orjson.dumps({"mark": mark}).decode()}
    response = api.post(f"{path}/v1/search", content=PHOTO, headers=IMAGE, params=options)
    assert response.status_code == 200, response.text
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def marked(results: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(result["title"], result.get("catalogue")) for result in results]


def test_the_same_id_is_a_product_of_its_own_in_each_catalogue(api: httpx.Client) -> None:
    mark = {"attributes": {"mark": "twins"}}
    ours = put(api, "", "cat-twin", PHOTO, title="ours", **mark)
    theirs = put(api, OTHER, "cat-twin", ANOTHER, title="theirs", **mark)
    assert ours["image_url"].startswith("/v1/products/cat-twin/image?v=")
    assert theirs["image_url"].startswith(f"{OTHER}/v1/products/cat-twin/image?v=")
    assert [api.get(result["image_url"]).content for result in (ours, theirs)] == [PHOTO, ANOTHER]
    eventually(lambda: results_of(api, "", "twins") and results_of(api, OTHER, "twins"))
    assert marked(results_of(api, "", "twins")) == [("ours", None)]
    assert marked(results_of(api, OTHER, "twins")) == [("theirs", None)]
    assert results_of(api, "/catalogues/third", "twins") == []
    both = results_of(api, ALL, "twins")
    assert sorted(marked(both)) == [("ours", "default"), ("theirs", "other-shop")]
    assert [result["score"] for result in both] == sorted((result["score"] for result in both), reverse=True)
    assert {api.get(result["image_url"]).content for result in both} == {PHOTO, ANOTHER}
    assert api.delete(f"{OTHER}/v1/products/cat-twin").status_code == 204
    eventually(lambda: not results_of(api, OTHER, "twins"))
    assert marked(results_of(api, ALL, "twins")) == [("ours", "default")]
    assert api.get("/v1/products/cat-twin").json()["title"] == "ours"
    assert api.get(f"{OTHER}/v1/products/cat-twin").status_code == 404


def test_a_search_through_all_goes_on_in_pages_and_counts_the_facets_of_all(api: httpx.Client) -> None:
    for number in range(3):
        for path, size in (("", "S"), (OTHER, "L")):
            put(api, path, f"cat-page-{number}", PHOTO, attributes={"mark": "pages", "size": size})
    eventually(lambda: len(results_of(api, ALL, "pages")) == 6)
    every = [(result["id"], result["catalogue"]) for result in results_of(api, ALL, "pages")]
    pages = [results_of(api, ALL, "pages", k=2, offset=offset) for offset in (0, 2, 4)]
    assert [(result["id"], result["catalogue"]) for page in pages for result in page] == every
    assert every == sorted(every)  # one photo, so one score: by id, and then by catalogue
    options = {"category": "Shoes", "facets": "true", "filter": orjson.dumps({"mark": "pages"}).decode()}
    response = api.post(f"{ALL}/v1/search", content=PHOTO, headers=IMAGE, params=options).json()
    (sizes,) = [facet["values"] for facet in response["facets"] if facet["attribute"] == "size"]
    assert {value["value"]: value["count"] for value in sizes} == {"S": 3, "L": 3}
    like = api.get(f"{ALL}/v1/products/cat-page-0/similar", params={"catalogue": "other-shop", "k": 100}).json()
    near = [(result["id"], result["catalogue"]) for result in like["results"]]
    assert ("cat-page-0", "default") in near and ("cat-page-0", "other-shop") not in near


def test_counts_are_those_of_the_catalogue_in_the_address(api: httpx.Client) -> None:
    put(api, "/catalogues/third", "cat-count", PHOTO)

    def counts() -> list[int]:
        paths = ("", OTHER, "/catalogues/third", ALL)
        return [api.get(f"{path}/v1/stats").json()["products"] for path in paths]

    def settled() -> list[int] | None:
        numbers = counts()
        return numbers if numbers[2] and sum(numbers[:3]) == numbers[3] else None

    *each, _ = eventually(settled) or []
    listed = api.get("/v1/catalogues").json()["catalogues"]
    assert [(row["name"], row["products"], row["path"]) for row in listed] == [
        ("default", each[0], ""),
        ("other-shop", each[1], OTHER),
        ("third", each[2], "/catalogues/third"),
    ]
    products = api.get("/catalogues/third/v1/products:sample?count=50").json()["products"]
    sample = {result["id"]: result for result in products}
    assert len(sample) == each[2] and "catalogue" not in sample["cat-count"]


def test_an_import_into_one_catalogue_removes_nothing_of_another(api: httpx.Client, pictures: ImageServer) -> None:
    for path in ("", "/catalogues/third"):
        put(api, path, "cat-old", PHOTO)
    feed = orjson.dumps({"id": "cat-new", "image_url": pictures.url("/photo.jpg"), "category": "Shoes"})
    kind = {"Content-Type": "application/x-ndjson", "Prefer": "respond-async"}
    response = api.post(
        "/catalogues/third/v1/products:import", content=feed, headers=kind, params={"sync": "true", "sync_limit": "1"}
    )
    assert response.status_code == 202, response.text
    where = response.headers["location"]
    assert where.startswith("/catalogues/third/v1/imports/")
    eventually(lambda: api.get(where).json()["state"] == "done")
    assert api.get(where).json()["removed"] >= 1
    assert api.get("/catalogues/third/v1/products/cat-old").status_code == 404
    assert api.get("/catalogues/third/v1/products/cat-new").status_code == 200
    assert api.get("/v1/products/cat-old").status_code == 200
    assert api.get(where.removeprefix("/catalogues/third")).status_code == 404
    assert api.get("/catalogues/third/v1/catalogue").json()["last_import"]["imported"] == 1


def test_commands_are_about_the_catalogue_that_is_named(stack: Stack, api: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "feed.ndjson").write_bytes(orjson.dumps({"id": "cat-cli", "image": "a.jpg", "category": "Shoes"}))
    (tmp_path / "a.jpg").write_bytes(PHOTO)
    done = lookalike(stack, tmp_path, "import", "feed.ndjson", "--catalogue", "other-shop", "--json")
    assert done.status == 0, done.said
    assert orjson.loads(done.printed)["imported"] == 1
    assert api.get(f"{OTHER}/v1/products/cat-cli").status_code == 200
    assert api.get("/v1/products/cat-cli").status_code == 404
    done = lookalike(stack, tmp_path, "doctor", "--catalogue", "other-shop", "--json")
    assert done.status in (0, 3), done.said
    there = api.get(f"{OTHER}/v1/catalogue").json()
    assert orjson.loads(done.printed)["products"] == there["last_examination"]["products"]


def lookalike(stack: Stack, folder: Path, *arguments: str) -> Ended:
    addresses = {"MONGO_URL": stack.settings.mongo_url, "EMBEDDING_URL": stack.settings.embedding_url}
    addresses["CATALOGUES"] = "other-shop,third"
    return run_command(*arguments, environment=addresses, cwd=folder)


def test_each_catalogue_comes_back_from_a_snapshot_of_its_own(tmp_path: Path) -> None:
    vector = unit_vector(np.ones(64, dtype=np.float32))
    settings = {"CATALOGUES": "other-shop", "INDEX_SNAPSHOT_DIR": str(tmp_path / "snapshots")}
    with private_mongo(tmp_path) as mongo:
        client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(mongo.url)
        with client:
            for collection, keys in (("products", ["a", "b"]), ("products_other_shop", ["a", "c", "d"])):
                documents = [{"_id": key, "id": key, "Category": 0, "vector": vector.tolist()} for key in keys]
                client["lookalike"][collection].insert_many(documents)
        with running_index(tmp_path, mongo.url, **settings) as index:
            eventually(lambda: index.answers("/readyz"))
        mongo.stop()  # the snapshots have to do
        with running_index(tmp_path, mongo.url, **settings) as index:
            eventually(lambda: index.answers("/readyz"))
            assert [index.catalogue(name)["sync"]["loaded_from"] for name in ("default", "other-shop")] == [
                "snapshot"
            ] * 2
            assert [hit["id"] for hit in index.search(vector)] == ["a", "b"]
            assert [hit["id"] for hit in index.search(vector, catalogues=["other-shop"])] == ["a", "c", "d"]
            assert len(index.search(vector, catalogues=["default", "other-shop"])) == 5


@pytest.mark.parametrize("service", ["gateway", "index"])
def test_an_invalid_name_of_a_catalogue_ends_a_service_with_a_sentence(service: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"services.{service}"],
        env={**os.environ, "CATALOGUES": "shoes,Hats!"},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )
    assert done.returncode != 0
    assert done.stderr.splitlines() == [
        f"lookalike {service}: setting CATALOGUES: 'Hats!' cannot be a catalogue: a name has 1 to 32 of the "
        "characters a-z, 0-9 and -"
    ]
