"""Imports through the gateway: real processes, a web server for the images, feeds in every form, and errors."""

import gzip
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pymongo
import pytest

from services.gateway.imports.upload import NDJSON
from tests.support.servers.import_stack import ImportStack, finish, wait_for_products
from tests.support.servers.stack import wait_until_alive
from tests.support.waiting import WITHIN_S, eventually
from tests.support.web.http import ImageServer, picture

KEY = "open sesame"
MANY = 1200  # more than the batches that are under way at once
LATER = {"Prefer": "respond-async"}
GOOGLE = """<?xml version="1.0"?><rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel>
<item><g:id>G1</g:id><g:title>From Google</g:title><g:image_link>{url}</g:image_link></item>
<item><g:id>G2</g:id><g:title>Bread & butter</g:title><g:image_link>{url}</g:image_link></item>
</channel></rss>"""


@pytest.fixture(scope="module")
def server() -> Iterator[ImageServer]:
    with ImageServer({f"/{number}.png": picture((number, 90, 90), (8, 8)) for number in range(200)}) as running:
        running.tags = True
        yield running


@pytest.fixture(scope="module", autouse=True)
def end_gateway(stack: ImportStack) -> Iterator[None]:
    yield
    stack.kill("gateway")


@pytest.fixture
def api(stack: ImportStack, server: ImageServer) -> Iterator[httpx.Client]:
    """A running gateway over an empty catalogue, with images that arrive at once."""
    server.held = server.busy = frozenset()
    server.release.clear()
    with pymongo.MongoClient[dict[str, Any]](stack.mongo_url) as client:
        for name in ("products", "images", "seen_images"):
            client["lookalike"][name].delete_many({})
    with gateway(stack, server) as opened:
        assert not any(row["state"] in ("receiving", "running") for row in imports(opened))
        yield opened
    server.release.set()


def hold(server: ImageServer) -> list[dict[str, object]]:
    """Return the rows of a feed whose import stays under way: some images do not arrive before `release`."""
    server.held = frozenset({"/199.png"})
    return [{"id": f"p{number}", "image_url": server.url(f"/{number % 200}.png")} for number in range(MANY)]


def gateway(stack: ImportStack, server: ImageServer) -> httpx.Client:
    """Start the gateway unless it runs; return a client with the key."""
    if "gateway" not in stack.running:
        stack.start(
            "gateway",
            GATEWAY_FETCH_ENABLED="true",
            GATEWAY_FETCH_ALLOWED_HOSTS=server.host,
            GATEWAY_FETCH_TIMEOUT_S=f"{WITHIN_S:g}",
            GATEWAY_ADMIN_KEY=KEY,
            GATEWAY_MAX_IMPORT_BYTES="1000000",
        )
    url = f"http://127.0.0.1:{stack.commands['gateway'][1]['GATEWAY_PORT']}"
    wait_until_alive(url)
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {KEY}"}, timeout=WITHIN_S, trust_env=False)


def imports(api: httpx.Client) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = api.get("/v1/imports").json()["imports"]
    return records


def ndjson(*rows: dict[str, object] | bytes) -> bytes:
    return b"\n".join(row if isinstance(row, bytes) else orjson.dumps(row) for row in rows)


def rows(server: ImageServer, *numbers: int, **facts: object) -> list[dict[str, object]]:
    return [{"id": f"p{number}", "image_url": server.url(f"/{number}.png"), **facts} for number in numbers]


def post(api: httpx.Client, body: bytes, kind: str = NDJSON, **more: Any) -> httpx.Response:
    headers = {"Content-Type": kind, **more.pop("headers", {})}
    return api.post("/v1/products:import", content=body, headers=headers, params=more)


def lines(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    return [orjson.loads(line) for line in response.content.splitlines()]


def until_ended(api: httpx.Client, import_id: str) -> dict[str, Any]:
    """Return an import's document once it has ended."""

    def ended() -> dict[str, Any]:
        document: dict[str, Any] = api.get(f"/v1/imports/{import_id}").json()
        return {} if document["state"] in ("receiving", "running") else document

    return eventually(ended)


def problem(response: httpx.Response, status: int, slug: str) -> str:
    assert (response.status_code, response.json()["type"]) == (status, f"/problems/{slug}"), response.text
    return str(response.json()["detail"])


def test_each_row_has_a_line_and_the_last_line_is_the_summary(
    stack: ImportStack, api: httpx.Client, server: ImageServer
) -> None:
    feed = ndjson(
        *rows(server, 0, 1, title="Shirt", price="29.90 EUR"),
        b'{"id": "p2", "image_url": ',
        {"id": "p3", "image_url": server.url("/status/404")},
        {"id": "p4", "image": "/etc/passwd"},
        {"id": "p0", "image_url": server.url("/1.png")},
        {"id": "p5", "image_url": server.url("/redirect?to=http://10.0.0.1/")},
    )
    first, *outcomes, last = lines(post(api, feed, name="Tuesday's"))
    assert first["import"]["state"] == "running"
    assert {(row["line"], row["id"], row["outcome"]) for row in outcomes} == {
        (1, "p0", "imported"),
        (2, "p1", "imported"),
        (3, "p2", "rejected"),
        (4, "p3", "rejected"),
        (5, "p4", "rejected"),
        (6, "p0", "rejected"),
        (7, "p5", "rejected"),
    }
    reasons = {row["line"]: row["reason"] for row in outcomes if "reason" in row}
    assert "not JSON" in reasons[3]
    assert "404" in reasons[4]
    assert reasons[5] == "the image /etc/passwd is a path: this feed may only contain web addresses"
    assert reasons[6] == "the id p0 is already on line 1"
    assert "10.0.0.1 is not a public host" in reasons[7]
    done = last["import"]
    assert (done["state"], done["source"], done["imported"], done["rejected"]) == ("done", "Tuesday's", 2, 5)
    assert {row["line"] for row in done["rejected_rows"]} == {3, 4, 5, 6, 7}
    assert done["rate"] > 0
    product = stack.products("lookalike")["p0"]
    assert (product["title"], product["attributes"]) == ("Shirt", {"price": 29.9, "currency": "EUR"})
    again = lines(post(api, ndjson(*rows(server, 0, 1, title="Shirt", price="29.90 EUR"))))
    assert [row["outcome"] for row in again[1:-1]] == ["unchanged", "unchanged"]
    assert again[-1]["import"]["not_modified"] == 2
    listed = imports(api)
    assert [row["id"] for row in listed[:2]] == [again[-1]["import"]["id"], done["id"]]
    assert listed[1]["rejected_rows"] == []
    assert api.get(f"/v1/imports/{done['id']}").json()["rejected_rows"] == done["rejected_rows"]


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("text/csv; charset=utf-8", lambda url: f"id,image_url,title\nC1,{url},From CSV\nC2,,None\n"),
        ("text/tab-separated-values", lambda url: f"id\timage_url\nC1\t{url}\nC2\t\n"),
        ("application/xml", lambda url: GOOGLE.format(url=url)),
        (
            "application/json",
            lambda url: orjson.dumps(
                {"products": [{"handle": "S1", "images": [{"src": url}]}, {"handle": "S2", "images": []}]}
            ).decode(),
        ),
    ],
)
def test_the_content_type_names_the_format_of_a_feed(
    stack: ImportStack, api: httpx.Client, server: ImageServer, kind: str, make: Callable[[str], str]
) -> None:
    received = lines(post(api, make(server.url("/7.png")).encode(), kind))
    assert sorted(row["outcome"] for row in received[1:-1]) == ["imported", "rejected"]
    assert len(stack.products("lookalike")) == 1


def test_a_feed_may_be_compressed_and_have_a_mapping(
    stack: ImportStack, api: httpx.Client, server: ImageServer
) -> None:
    feed = f"sku,Bild\nA,{server.url('/1.png')}\n".encode()
    mapping = orjson.dumps({"columns": {"sku": "id", "Bild": "image_url"}}).decode()
    template = "https://shop.example/p/{id}"
    packed = gzip.compress(feed[:5]) + gzip.compress(feed[5:])
    encoding = {"Content-Encoding": "gzip"}
    received = lines(post(api, packed, "text/csv", mapping=mapping, url_template=template, headers=encoding))
    assert received[-1]["import"]["imported"] == 1
    assert stack.products("lookalike")["A"]["url"] == "https://shop.example/p/A"


def test_an_asynchronous_import_has_an_address(stack: ImportStack, api: httpx.Client, server: ImageServer) -> None:
    response = post(api, ndjson(*rows(server, *range(150)), b"{"), headers=LATER)
    assert response.status_code == 202, response.text
    assert response.headers["preference-applied"] == "respond-async"
    assert response.headers["location"] == f"/v1/imports/{response.json()['id']}"
    done = until_ended(api, response.json()["id"])
    assert (done["state"], done["imported"], done["rejected"], done["rejected_rows"][0]["line"]) == (
        "done",
        150,
        1,
        151,
    )
    assert done["progress"][0] == done["progress"][1] > 0
    assert done["started_at"] <= done["finished_at"]
    assert len(stack.products("lookalike")) == 150


def test_sync_removes_products_that_the_feed_no_longer_has_within_its_limit(
    stack: ImportStack, api: httpx.Client, server: ImageServer
) -> None:
    lines(post(api, ndjson(*rows(server, *range(10)))))
    half = lines(post(api, ndjson(*rows(server, *range(5))), sync="true"))[-1]["import"]
    assert (half["state"], "5 of 10 products (50%)" in half["reason"]) == ("failed", True)
    done = lines(post(api, ndjson(*rows(server, *range(5))), sync="true", sync_limit="0.5"))[-1]["import"]
    assert (done["state"], done["removed"]) == ("done", 5)
    assert set(stack.products("lookalike")) == {f"p{n}" for n in range(5)}


def test_one_import_runs_at_a_time_and_can_be_cancelled(
    stack: ImportStack, api: httpx.Client, server: ImageServer, tmp_path: Path
) -> None:
    feed = ndjson(*hold(server))
    first = post(api, feed, headers=LATER).json()
    wait_for_products(stack, "lookalike", at_least=1)
    second = post(api, ndjson(*rows(server, 1)))
    assert "another import is under way: api, since" in problem(second, 409, "import-under-way")
    assert second.json()["import_id"] == first["id"]
    assert int(second.headers["retry-after"]) >= 1
    other = tmp_path / "feed.ndjson"
    other.write_bytes(ndjson(*rows(server, 1)))
    from_the_command_line = stack.run("lookalike", other, "--allow-host", server.host, cwd=tmp_path)
    assert from_the_command_line.status == 1
    assert "another import is under way: api, since" in from_the_command_line.said
    under_way = api.get(f"/v1/imports/{first['id']}").json()
    assert (under_way["state"], under_way["finished_at"]) == ("running", None)
    assert api.post(f"/v1/imports/{first['id']}:cancel").status_code == 200
    server.release.set()
    ended = until_ended(api, first["id"])
    assert ended["state"] == "cancelled"
    assert ended["imported"] == len(stack.products("lookalike")) < MANY
    assert api.post(f"/v1/imports/{first['id']}:cancel").json()["state"] == "cancelled"
    again = lines(post(api, feed))[-1]["import"]
    assert (again["unchanged"], again["imported"]) == (ended["imported"], MANY - ended["imported"])


def test_an_import_from_the_command_line_is_shown_and_cancelled_through_the_api(
    stack: ImportStack, api: httpx.Client, server: ImageServer, tmp_path: Path
) -> None:
    path = tmp_path / "nightly.ndjson"
    path.write_bytes(ndjson(*hold(server)))
    server.busy, server.held = server.held, frozenset()  # the command's own deadline ends a request that is held
    process = stack.begin("lookalike", path, "--allow-host", server.host, cwd=tmp_path)
    try:
        wait_for_products(stack, "lookalike", at_least=1)
        shown = imports(api)[0]
        assert (shown["source"], shown["state"]) == ("nightly.ndjson", "running")
        api.post(f"/v1/imports/{shown['id']}:cancel").raise_for_status()
        last_beat = imports(api)[0]["updated_at"]
        eventually(lambda: imports(api)[0]["updated_at"] != last_beat)  # the process hears of it with its next beat
    finally:
        server.release.set()
        done = finish(process)
    assert (done.status, done.summary["status"]) == (130, "cancelled"), done.said
    assert api.get(f"/v1/imports/{shown['id']}").json()["state"] == "cancelled"


def test_a_client_that_disconnects_ends_its_import(stack: ImportStack, api: httpx.Client, server: ImageServer) -> None:
    feed = ndjson(*hold(server))
    with api.stream("POST", "/v1/products:import", content=feed, headers={"Content-Type": NDJSON}) as response:
        incoming = response.iter_lines()  # the connection is open for as long as it is held
        first = orjson.loads(next(incoming))
        wait_for_products(stack, "lookalike", at_least=1)
    server.release.set()
    ended = until_ended(api, first["import"]["id"])
    assert ended["state"] == "interrupted"
    assert 1 <= ended["imported"] < MANY


def test_after_a_gateway_is_killed_its_import_is_interrupted(
    stack: ImportStack, api: httpx.Client, server: ImageServer
) -> None:
    feed = ndjson(*hold(server))
    first = post(api, feed, headers=LATER).json()
    wait_for_products(stack, "lookalike", at_least=1)
    stack.kill("gateway")
    there = len(stack.products("lookalike"))
    server.release.set()
    with gateway(stack, server) as restarted:
        record = restarted.get(f"/v1/imports/{first['id']}").json()
        assert record["state"] == "interrupted"
        assert "import again, unchanged products are skipped" in record["reason"]
        again = lines(post(restarted, feed))[-1]["import"]
        assert again["state"] == "done"
        assert again["unchanged"] + again["updated"] >= there > 0
    assert set(stack.products("lookalike")) == {f"p{n}" for n in range(MANY)}


def test_a_gateway_that_stops_writes_the_batches_under_way_and_the_import_is_interrupted(
    stack: ImportStack, api: httpx.Client, server: ImageServer
) -> None:
    feed = ndjson(*hold(server))
    first = post(api, feed, headers=LATER).json()
    wait_for_products(stack, "lookalike", at_least=1)
    process = stack.running.pop("gateway")
    process.send_signal(signal.SIGTERM)
    server.release.set()
    assert process.wait(WITHIN_S) in (0, -signal.SIGTERM)
    with gateway(stack, server) as restarted:
        record = restarted.get(f"/v1/imports/{first['id']}").json()
    assert record["state"] == "interrupted"
    assert record["imported"] == len(stack.products("lookalike")) < MANY


def test_without_the_key_nothing_is_imported_shown_or_cancelled(api: httpx.Client, server: ImageServer) -> None:
    api.headers.pop("Authorization")
    for response in (
        post(api, ndjson(*rows(server, 1))),
        api.get("/v1/imports"),
        api.get("/v1/imports/x"),
        api.post("/v1/imports/x:cancel"),
    ):
        problem(response, 401, "unauthorised")


def test_an_unknown_import_is_a_404_problem(api: httpx.Client) -> None:
    problem(api.get("/v1/imports/nobody"), 404, "unknown-import")
    problem(api.post("/v1/imports/nobody:cancel"), 404, "unknown-import")


@pytest.mark.parametrize(
    ("kind", "body", "options", "status", "slug", "words"),
    [
        ("image/png", b"x", {}, 422, "invalid-request", "or as one of application/x-ndjson"),
        ("text/csv", b"name,picture\n", {}, 422, "invalid-feed", "the feed has no column id"),
        ("text/csv", b"", {}, 422, "invalid-feed", "the feed has no header"),
        (NDJSON, b"{}", {"encoding": "none"}, 422, "invalid-request", "encoding"),
        (NDJSON, b"x" * 1_000_001, {}, 413, "feed-too-large", "1,000,000 bytes"),
        (NDJSON, b"{}", {"limit": "0"}, 422, "invalid-request", "limit"),
        (NDJSON, b"{}", {"sync_limit": "2"}, 422, "invalid-request", "sync_limit"),
        (NDJSON, b"{}", {"url_template": "https://a/"}, 422, "invalid-request", "{id}"),
        (NDJSON, b"{}", {"mapping": "{"}, 422, "invalid-request", "mapping"),
        (NDJSON, b"{}", {"mapping": '{"column": {}}'}, 422, "invalid-request", "mapping"),
        (NDJSON, b"{}", {"unknown": "1"}, 422, "invalid-request", "unknown"),
        (NDJSON, b"{}", {"sync": "true", "limit": "5"}, 422, "invalid-request", "limit"),
    ],
)
def test_an_invalid_import_is_refused_before_anything_is_written(
    stack: ImportStack,
    api: httpx.Client,
    kind: str,
    body: bytes,
    options: dict[str, str],
    status: int,
    slug: str,
    words: str,
) -> None:
    detail = problem(post(api, body, kind, **options), status, slug)
    assert words in detail
    assert "/tmp" not in detail
    assert not any(row["state"] in ("receiving", "running") for row in imports(api))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"no gzip", "is not gzip"),
        (gzip.compress(b"{}\n" * 100, mtime=0)[:-4], "cut short"),
        (gzip.compress(b"0" * 5_000_000, mtime=0), "1,000,000 bytes"),
    ],
)
def test_damaged_compressed_feeds_are_refused(api: httpx.Client, body: bytes, words: str) -> None:
    response = post(api, body, headers={"Content-Encoding": "gzip"})
    assert response.status_code in (413, 422)
    assert words in response.json()["detail"]


def test_a_feed_that_is_cut_short_fails_with_its_line_and_earlier_rows_stay(
    stack: ImportStack, api: httpx.Client, server: ImageServer
) -> None:
    feed = GOOGLE.format(url=server.url("/3.png")).replace(" & ", " &amp; ")
    received = lines(post(api, feed[: feed.index("</item>", feed.index("G2"))].encode(), "text/xml", sync="true"))
    done = received[-1]["import"]
    assert (done["state"], done["imported"]) == ("failed", 1)
    assert done["reason"] == "the feed cannot be imported: it is truncated at line 3"
    assert set(stack.products("lookalike")) == {"G1"}
