"""What routes see of a path: without a proxy's prefix and a catalogue, and with a product's id as it was sent."""

from typing import Any

import pytest

from services.gateway.public_path import PublicPathMiddleware, _without, checked_prefix
from services.gateway.request_path import _routed

CATALOGUE = "lookalike.catalogue"


def scope(path: str, raw: str | None = None, **facts: Any) -> dict[str, Any]:
    return {"type": "http", "path": path, "raw_path": None if raw is None else raw.encode(), **facts}


@pytest.mark.parametrize(
    ("raw", "path", "catalogue"),
    [
        ("/", "/", None),
        ("/v1/search", "/v1/search", None),
        ("/catalogues", "/catalogues", None),
        ("/catalogues/shoes", "/", "shoes"),
        ("/catalogues/shoes/", "/", "shoes"),
        ("/catalogues/shoes/v1/search", "/v1/search", "shoes"),
        ("/%63atalogues/sh%6Fes/docs", "/docs", "shoes"),
        ("/v1/products", "/v1/products", None),
        ("/v1/products:sample", "/v1/products:sample", None),
        ("/v1/products/", "/v1/products/", None),
        ("/v1/products/a%2Fb", "/v1/products/a%2Fb", None),
        ("/%761/products/a%2Fb/image", "/v1/products/a%2Fb/image", None),
        ("/catalogues/shoes/v1/products/a%2Fb", "/v1/products/a%2Fb", "shoes"),
        ("/v2/products/a%2Fb", "/v2/products/a/b", None),
        ("/v1/imports/a%20b", "/v1/imports/a b", None),
    ],
)
def test_the_catalogue_is_cut_off_and_a_products_id_stays_as_it_was_sent(
    raw: str, path: str, catalogue: str | None
) -> None:
    routed = _routed(scope("", raw))
    assert (routed["path"], routed.get(CATALOGUE)) == (path, catalogue)


def test_a_server_without_the_raw_path_gives_the_decoded_one() -> None:
    assert _routed(scope("/v1/products/a b"))["path"] == "/v1/products/a%20b"


@pytest.mark.parametrize(
    ("prefix", "path", "raw", "shorter"),
    [
        ("", "/v1/a", "/v1/a", ("/v1/a", "/v1/a")),
        ("/shop", "/shop", "/shop", ("/", "/")),
        ("/shop", "/shop/", "/shop/", ("/", "/")),
        ("/shop", "/shop/v1/a b", "/shop/v1/a%20b", ("/v1/a b", "/v1/a%20b")),
        ("/shop", "/shopping", "/shopping", ("/shopping", "/shopping")),
        ("/shop", "/v1/shop", "/v1/shop", ("/v1/shop", "/v1/shop")),
        ("/shop", "/shop/v1", None, ("/v1", None)),
        ("/shop", "/shop/v1", "/%73hop/v1", ("/v1", "/%73hop/v1")),
    ],
)
def test_a_prefix_is_cut_off_whole_segments(
    prefix: str, path: str, raw: str | None, shorter: tuple[str, str | None]
) -> None:
    cut = _without(prefix, scope(path, raw))
    assert (cut["path"], cut["raw_path"]) == (shorter[0], None if shorter[1] is None else shorter[1].encode())


@pytest.mark.parametrize(
    ("text", "path"), [("", ""), ("/", ""), (" /a/ ", "/a"), ("/a/b//", "/a/b"), ("/a.b", "/a.b"), ("/...", "/...")]
)
def test_a_prefix_is_a_path_without_the_slash_at_its_end(text: str, path: str) -> None:
    assert checked_prefix(text) == path


@pytest.mark.parametrize("text", ["a", "//a", "/a//b", "/.", "/a/..", "/../a", "/a b", "/ä", "/a?b"])
def test_what_is_no_path_is_no_prefix(text: str) -> None:
    with pytest.raises(ValueError, match="is not a path such as /lookalike"):
        checked_prefix(text)


@pytest.mark.parametrize(
    ("trusted", "peer", "is_taken"),
    [
        (("*",), "client", True),
        (("10.0.0.0/8", "*"), None, True),
        (("10.0.0.0/8",), "10.1.2.3", True),
        (("192.0.2.1", "10.0.0.0/8"), "10.1.2.3", True),
        (("10.0.0.0/8",), "11.1.2.3", False),
        (("10.0.0.0/8",), "client", False),
        (("10.0.0.0/8",), None, False),
        ((), "10.1.2.3", False),
    ],
)
def test_only_trusted_proxies_name_the_prefix(trusted: tuple[str, ...], peer: str | None, is_taken: bool) -> None:
    app: Any = None
    middleware = PublicPathMiddleware(app, "/own", trusted)
    client = None if peer is None else (peer, 1)
    for value, expected in (("/shop/", "/shop"), ("/shop, /other", "/shop"), ("shop", "/own"), ("", "")):
        named = scope("/", client=client, headers=[(b"x-forwarded-prefix", value.encode())])
        assert middleware._prefix(named) == (expected if is_taken else "/own")
    assert middleware._prefix(scope("/", client=client, headers=[])) == "/own"
