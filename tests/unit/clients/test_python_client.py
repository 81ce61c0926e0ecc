"""The Python client: what each method sends, and how it reads responses and errors."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from lookalike_client import Lookalike, Problem, Unreachable

Handler = Callable[[httpx.Request], httpx.Response]


def client(handler: Handler, **options: Any) -> Lookalike:
    return Lookalike("http://gateway.test/shop/", transport=httpx.MockTransport(handler), **options)


def recorded(sent: list[httpx.Request], document: Any, status: int = 200) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        request.read()
        sent.append(request)
        return httpx.Response(status, json=document)

    return handler


@pytest.mark.parametrize("kind", ["bytes", "path", "text", "file"])
def test_a_photo_is_bytes_a_path_or_a_file(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"\xff photo")
    sent: list[httpx.Request] = []
    with client(recorded(sent, {"results": []})) as shop, path.open("rb") as file:
        shop.search({"bytes": b"\xff photo", "path": path, "text": str(path), "file": file}[kind])  # type: ignore[arg-type]
    assert (sent[0].url.path, sent[0].content) == ("/shop/v1/search", b"\xff photo")
    assert sent[0].headers["content-type"] == "application/octet-stream"


def test_options_are_sent_as_the_api_reads_them() -> None:
    sent: list[httpx.Request] = []
    shop = client(recorded(sent, {}), key="secret", catalogue="shoes")
    box = {"x": 0.1, "y": 0.2, "width": 0.5, "height": 0.7}
    shop.search(b"photo", k=5, filter={"a": [1]}, box=box, facets=True, category=None)
    assert dict(sent[0].url.params) == {
        "k": "5",
        "filter": '{"a": [1]}',
        "box": "0.1,0.2,0.6,0.8999999999999999",
        "facets": "true",
    }
    assert sent[0].url.path == "/shop/catalogues/shoes/v1/search"
    assert sent[0].headers["authorization"] == "Bearer secret"
    shop.search(url="https://shop.example/a.jpg", box=box, k=None)
    assert json.loads(sent[1].content) == {"image_url": "https://shop.example/a.jpg", "box": box}
    with pytest.raises(ValueError, match="exactly one"):
        shop.search()


def test_events_are_sent_as_a_list_and_a_visitor_is_deleted() -> None:
    sent: list[httpx.Request] = []
    shop = client(recorded(sent, {"accepted": 1}))
    event = {"action_name": "click", "event_attributes": {"object": {"object_id": "a"}}}
    assert shop.send_events([event]) == {"accepted": 1}
    shop.delete_visitor("v:1")
    assert (sent[0].url.path, json.loads(sent[0].content)) == ("/shop/v1/events", [event])
    assert (sent[1].method, sent[1].url.raw_path) == ("DELETE", b"/shop/v1/visitors/v%3A1")


def test_an_id_is_one_part_of_an_address() -> None:
    sent: list[httpx.Request] = []
    shop = client(recorded(sent, {}))
    shop.get("a/image?")
    shop.similar("a.b", k=3)
    shop.delete("ä b", wait=True)
    assert [request.url.raw_path for request in sent] == [
        b"/shop/v1/products/a%2Fimage%3F",
        b"/shop/v1/products/a.b/similar?k=3",
        b"/shop/v1/products/%C3%A4%20b?wait=true",
    ]


def test_a_product_is_sent_as_json_or_as_a_form() -> None:
    sent: list[httpx.Request] = []
    shop = client(recorded(sent, {"id": "a"}))
    shop.put("a", title="T")
    shop.patch("a", {"title": None}, wait=True)
    shop.put("a", b"\xff", images=[b"\xfe"], title="T")
    assert (sent[0].method, sent[0].content, sent[0].headers["content-type"]) == (
        "PUT",
        b'{"title": "T"}',
        "application/json",
    )
    assert (sent[1].method, sent[1].content, sent[1].url.query) == ("PATCH", b'{"title": null}', b"wait=true")
    assert sent[1].headers["content-type"] == "application/merge-patch+json"
    form = sent[2].content
    assert form.count(b'name="images"') == 1
    assert form.index(b'name="image"') < form.index(b'name="images"') < form.index(b'name="product"')


def test_the_list_follows_its_cursors() -> None:
    pages = {None: (["a", "b"], "2"), "2": ([], "3"), "3": (["c"], None)}

    def handler(request: httpx.Request) -> httpx.Response:
        ids, following = pages[request.url.params.get("cursor")]
        assert request.url.params["filter"] == '{"a": 1}'
        return httpx.Response(200, json={"products": [{"id": id} for id in ids], "next_cursor": following})

    assert [product["id"] for product in client(handler).products(filter={"a": 1}, limit=2)] == ["a", "b", "c"]


def test_the_pages_of_a_search_follow_each_other() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        offset = int(request.url.params.get("offset", 0))
        following = {"k": 2, "offset": offset + 2} if offset < 4 else None
        return httpx.Response(200, json={"results": [], "next_page": following, "offset": offset})

    assert len(list(client(handler).search_pages(b"photo", k=2))) == 3
    assert len(list(client(handler).search_pages(b"photo", k=2, pages=2))) == 2


def test_an_error_is_a_problem_with_its_places() -> None:
    document = {
        "type": "/shop/problems/invalid-request",
        "title": "The request is not valid",
        "detail": "k: too large",
        "errors": [{"pointer": "#/query/k", "detail": "too large"}],
        "request_id": "1",
    }
    with pytest.raises(Problem, match="k: too large") as caught:
        client(recorded([], document, 422)).search(b"photo")
    problem = caught.value
    assert (problem.slug, problem.status, problem.request_id, problem.retry_after_s) == (
        "invalid-request",
        422,
        "1",
        None,
    )
    assert problem.errors == [{"pointer": "#/query/k", "detail": "too large"}]


def test_an_error_of_a_proxy_is_a_problem_too() -> None:
    answer = httpx.Response(503, text="<html>", headers={"Retry-After": "7"})
    with pytest.raises(Problem, match="answered 503") as caught:
        client(lambda _: answer).stats()
    assert (caught.value.slug, caught.value.retry_after_s) == ("http-503", 7.0)


def test_no_response_and_another_server_are_unreachable() -> None:
    def refused(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(Unreachable, match="no gateway answers"):
        client(refused).stats()
    with pytest.raises(Unreachable, match="not a Lookalike gateway"):
        client(lambda _: httpx.Response(200, text="hello")).stats()


def test_an_import_yields_its_lines() -> None:
    lines = b'{"import": {"state": "running"}}\n{"line": 1, "outcome": "imported"}\n'
    shop = client(lambda _: httpx.Response(200, content=lines))
    assert list(shop.import_feed(b"feed", sync=True)) == [
        {"import": {"state": "running"}},
        {"line": 1, "outcome": "imported"},
    ]
