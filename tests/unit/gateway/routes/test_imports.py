"""The routes of imports, around fakes."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.contracts.domain.errors import CatalogueUnavailable
from services.gateway.imports.options import ImportParameters
from services.gateway.imports.responses import ImportResponse
from services.gateway.imports.upload import SUFFIXES
from services.gateway.routes import imports
from tests.support.fakes.gateway_fakes import Gateway, running_gateway
from tests.support.waiting import eventually

NDJSON = "application/x-ndjson"
URL = "https://shop.example/a.jpg"
ROW = orjson.dumps({"id": "a", "image_url": URL, "category": "Shoes"})
LOST = orjson.dumps({"id": "b", "image_url": "https://shop.example/none.jpg"})
HAT = orjson.dumps({"id": "c", "image_url": URL, "category": "Hats"})


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with running_gateway(import_dir=tmp_path, max_import_bytes=10_000) as gateway:
        gateway.web.pages[URL] = b"\x01 a picture"
        yield gateway
    # The gateway has ended its imports.
    assert list(tmp_path.iterdir()) == []
    assert gateway.catalogue.notes.held is None


def post(gateway: Gateway, body: bytes, kind: str = NDJSON, headers: dict[str, str] | None = None, **query: Any) -> Any:
    return gateway.client.post(
        "/v1/products:import", content=body, headers={"Content-Type": kind, **(headers or {})}, params=query
    )


def test_each_row_has_a_line_between_two_about_the_import(gateway: Gateway) -> None:
    mapping = orjson.dumps({"categories": {"Hats": None}}).decode()
    response = post(gateway, b"\n".join([ROW, LOST, HAT]), name="Tuesday's", mapping=mapping)
    assert (response.status_code, response.headers["content-type"]) == (200, NDJSON)
    first, *rows, last = [orjson.loads(line) for line in response.content.splitlines()]
    assert (first["import"]["state"], first["import"]["source"]) == ("running", "Tuesday's")
    assert {(row["line"], row["id"]) for row in rows} == {(1, "a"), (2, "b"), (3, "c")}
    outcomes = {row["id"]: row["outcome"] for row in rows}
    assert (outcomes["a"], outcomes["b"]) == ("imported", "rejected")
    document = last["import"]
    assert (document["state"], document["imported"], document["rejected"], document["skipped"]) == ("done", 1, 1, 1)
    assert "outside" not in document
    assert gateway.client.get("/v1/products/a").json()["category"] == "Shoes"


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (ROW, {"a"}),
        (b"[" + ROW + b"]", {"a"}),
        (b"id,image_url\nb," + URL.encode() + b"\n", {"b"}),
        (b"\xef\xbb\xbfid\timage_url\nc\t" + URL.encode() + b"\n", {"c"}),
        (gzip.compress(ROW, mtime=0), {"a"}),
        (
            b'<?xml version="1.0"?><rss xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>d</g:id>'
            b"<g:title>T</g:title><g:image_link>" + URL.encode() + b"</g:image_link></item></channel></rss>",
            {"d"},
        ),
    ],
    ids=["lines", "list", "csv", "tsv", "gzip", "xml"],
)
def test_a_feed_of_no_type_is_recognised_by_its_first_bytes(gateway: Gateway, body: bytes, rows: set[str]) -> None:
    response = post(gateway, body, kind="application/octet-stream")
    lines = [orjson.loads(line) for line in response.content.splitlines()]
    assert {line["id"] for line in lines if line.get("outcome") == "imported"} == rows


def test_an_import_with_wait_says_whether_searches_see_it(gateway: Gateway) -> None:
    gateway.index.lag = 0.0
    last = orjson.loads(post(gateway, ROW, wait="true").content.splitlines()[-1])
    assert last["import"]["searchable"] is True
    last = orjson.loads(post(gateway, ROW).content.splitlines()[-1])
    assert "searchable" not in last["import"]
    assert post(gateway, ROW, wait="soon").json()["errors"][0]["pointer"] == "#/query/wait"
    refused = post(gateway, ROW, headers={"Prefer": "respond-async"}, wait="true")
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/invalid-request")


def test_an_import_may_be_asynchronous(gateway: Gateway) -> None:
    response = post(gateway, ROW, headers={"Prefer": "respond-async"})
    assert response.status_code == 202
    assert response.headers["preference-applied"] == "respond-async"
    assert response.headers["location"] == f"/v1/imports/{response.json()['id']}"
    assert gateway.client.get(response.headers["location"]).json()["id"] == response.json()["id"]
    location = response.headers["location"]
    eventually(lambda: gateway.client.get(location).json()["state"] != "running")
    document = gateway.client.get(location).json()
    assert (document["state"], document["imported"]) == ("done", 1)
    assert document["finished_at"] >= document["started_at"]


def test_the_last_imports_are_listed_without_their_rejected_rows(gateway: Gateway) -> None:
    post(gateway, LOST)
    (document,) = gateway.client.get("/v1/imports").json()["imports"]
    assert (document["rejected"], document["rejected_rows"]) == (1, [])
    single = gateway.client.get(f"/v1/imports/{document['id']}").json()
    assert [row["id"] for row in single["rejected_rows"]] == ["b"]
    cancelled = gateway.client.post(f"/v1/imports/{document['id']}:cancel").json()
    assert cancelled["state"] == "done"  # it has ended
    for method, path in (("GET", "/v1/imports/x"), ("POST", "/v1/imports/x:cancel")):
        assert gateway.problem(method, path)[:2] == (404, "unknown-import")


def test_a_feed_may_be_gzip(gateway: Gateway) -> None:
    response = post(gateway, gzip.compress(ROW), headers={"Content-Encoding": " GZIP "})
    assert orjson.loads(response.content.splitlines()[-1])["import"]["imported"] == 1


def test_gzip_in_the_body_is_recognised_without_a_header(gateway: Gateway) -> None:
    response = post(gateway, gzip.compress(ROW))
    assert orjson.loads(response.content.splitlines()[-1])["import"]["imported"] == 1


def test_a_feed_that_is_compressed_twice_is_a_problem(gateway: Gateway) -> None:
    response = post(gateway, gzip.compress(gzip.compress(ROW)), headers={"Content-Encoding": "gzip"})
    assert (response.status_code, response.json()["type"]) == (422, "/problems/invalid-feed")
    assert "compressed twice" in response.json()["detail"]


@pytest.mark.parametrize(
    ("request_of", "status", "slug", "words"),
    [
        ({"kind": "text/plain"}, 422, "invalid-request", "or as one of application/x-ndjson"),
        ({"headers": {"Content-Encoding": "br"}}, 422, "invalid-request", "Content-Encoding: gzip"),
        ({"headers": {"Content-Encoding": "gzip"}}, 422, "invalid-feed", "is not gzip"),
        ({"body": b"x" * 10_001}, 413, "feed-too-large", "10,000 bytes"),
        ({"kind": "text/csv", "body": b"name\n"}, 422, "invalid-feed", "has no column id"),
        ({"limit": "0"}, 422, "invalid-request", "limit: "),
        ({"sync": "true", "limit": "5"}, 422, "invalid-request", "sync needs the whole feed"),
        ({"mapping": "{"}, 422, "invalid-request", "mapping: the mapping is not a JSON object"),
        ({"url_template": "https://shop.example/"}, 422, "invalid-request", "{id}"),
        ({"unknown": "1"}, 422, "invalid-request", "unknown: "),
    ],
)
def test_a_feed_that_cannot_be_imported_is_a_problem(
    gateway: Gateway, request_of: dict[str, Any], status: int, slug: str, words: str
) -> None:
    response = post(gateway, request_of.pop("body", ROW), **request_of)
    assert (response.status_code, response.json()["type"]) == (status, f"/problems/{slug}")
    assert words in response.json()["detail"]
    assert not any(
        each["state"] in ("receiving", "running") for each in gateway.client.get("/v1/imports").json()["imports"]
    )
    assert set(gateway.catalogue.products.rows) == set()


def test_an_import_needs_the_database(gateway: Gateway) -> None:
    gateway.catalogue.notes.trouble = CatalogueUnavailable("the database cannot be reached")
    assert post(gateway, ROW).status_code == 503
    assert gateway.client.get("/v1/imports").status_code == 503
    gateway.catalogue.notes.trouble = None


def test_a_record_of_an_earlier_version_is_read() -> None:
    record = {"id": "1", "state": "done", "source": "api", "started_at": "", "updated_at": "", "outside": 3}
    assert ImportResponse.of(record).skipped == 3
    document = ImportResponse.of({**record, "skipped": 2}).model_dump()
    assert document["skipped"] == 2
    counts = ("seconds", "rate", "read", "imported", "updated", "unchanged", "embedded", "not_modified", "rejected")
    assert [document[name] for name in (*counts, "images_rejected", "removed")] == [0] * 11
    assert (document["progress"], document["rejected_rows"], document["finished_at"]) == ((0, 0), [], None)


def test_the_document_names_every_option_and_every_type_of_feed() -> None:
    wait, header, *options = imports._parameters()
    assert (wait["name"], wait["in"], wait["schema"]) == ("wait", "query", {"type": "boolean"})
    assert (header["name"], header["in"], header["schema"]["enum"]) == ("Prefer", "header", ["respond-async"])
    assert {option["name"] for option in options} == set(ImportParameters.model_fields)
    assert all(option["in"] == "query" and not option["required"] for option in options)
    schemas = {option["name"]: option["schema"] for option in options}
    assert (schemas["mapping"]["type"], schemas["sync_limit"]["default"]) == ("string", 0.2)
    body = imports._feed_body()
    assert body["required"]
    (content,) = body["content"].values()
    assert content["example"].count("\n") == 1
    assert all(f"{kind}" in body["description"] for kind in SUFFIXES)
