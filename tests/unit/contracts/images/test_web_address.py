"""Web addresses as feeds and redirects write them."""

import ada_url
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.contracts.images.web_address import HOST, WebAddressError, is_normalised, normalised, normalised_path


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://a.test/1.jpg?w=300&h=400", "https://a.test/1.jpg?w=300&h=400"),
        (" https://a.test/rotes Kleid.jpg ", "https://a.test/rotes%20Kleid.jpg"),
        (
            "https://a.test/Größe/夹克.jpg?q=ü ä",
            "https://a.test/Gr%C3%B6%C3%9Fe/%E5%A4%B9%E5%85%8B.jpg?q=%C3%BC%20%C3%A4",
        ),
        ("https://a.test/%C3%BC%20x%2Fy", "https://a.test/%C3%BC%20x%2Fy"),
        ("https://a.test/100%.jpg", "https://a.test/100%.jpg"),
        ("https://bücher.test/a", "https://xn--bcher-kva.test/a"),
        ("https://Ａ.test/a", "https://a.test/a"),
        (r"https:\\a.test\b\c.jpg", "https://a.test/b/c.jpg"),
        ("https://a.test/a\tb\r\nc.jpg", "https://a.test/abc.jpg"),
        ("//cdn.test/a b.jpg", "https://cdn.test/a%20b.jpg"),
        ("HTTP://A.TEST:80/x/../y", "http://a.test/y"),
        ("https://a.test:443/", "https://a.test/"),
        ("https://a.test:8443", "https://a.test:8443/"),
        ("https://a_b.test/a#part two", "https://a_b.test/a#part%20two"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://[0:0::1]/", "http://[::1]/"),
    ],
)
def test_an_address_is_normalised_as_in_browsers(text: str, address: str) -> None:
    assert normalised(text) == address
    assert normalised(address) == address


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("ftp://a.test/", "must start with http:// or https://"),
        ("javascript:alert(1)", "must start with http:// or https://"),
        ("a.test/1.jpg", "must start with http:// or https://"),
        ("/1.jpg", "must start with http:// or https://"),
        (r"/\a.test/", "must start with http:// or https://"),
        ("https:/a.test/", "must start with http:// or https://"),
        ("https:///a.jpg", "has no valid host"),
        ("http://", "has no valid host"),
        ("https://a b.test/", "has a space in its host 'a b.test'"),
        ("https://a.test:port/", "has no valid host or port: 'a.test:port'"),
        ("https://a.test:99999/", "has no valid host or port: 'a.test:99999'"),
        ("https://[::1/", r"has no valid host or port: '\[::1'"),
        ("https://a!b.test/", "has no valid host"),
        ("https://a.test,b.test/", "has no valid host"),
        ("https://a~b/", "has no valid host"),
        ("https://:secret@a.test/", "must not contain a user name or password"),
        ("https://a.test/\0", "has a NUL character"),
        ("https://a.test/\ud800", "has no valid host"),
        ("https://user@a.test/", "must not contain a user name or password"),
        ("https://user:secret@a.test/", "must not contain a user name or password"),
    ],
)
def test_another_text_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(WebAddressError, match=reason):
        normalised(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/ä b", "https://a.test/%C3%A4%20b"),
        ("b.jpg", "https://a.test/x/b.jpg"),
        ("//b.test/c", "http://b.test/c"),
        (r"\\b.test\c", "http://b.test/c"),
        ("https://b.test/?ü", "https://b.test/?%C3%BC"),
    ],
)
def test_a_relative_address_refers_to_its_base(text: str, address: str) -> None:
    scheme = "http" if "b.test/c" in address else "https"
    assert normalised(text, f"{scheme}://a.test/x/y") == address


def test_a_path_of_the_site_stays_a_path() -> None:
    assert normalised_path("/p/Größe 1?a=ü#x y") == "/p/Gr%C3%B6%C3%9Fe%201?a=%C3%BC#x%20y"
    with pytest.raises(WebAddressError, match="not a path of the shop's site"):
        normalised_path(r"/\evil.test/")


@given(st.text(st.characters(codec="utf-8"), max_size=40), st.sampled_from(["/", "?", "#", ":", "@", ""]))
def test_an_address_is_ascii_and_stable_or_refused(text: str, separator: str) -> None:
    try:
        address = normalised(f"https://a.test{separator}{text}")
    except WebAddressError:
        return
    assert address.isascii()
    assert " " not in address
    assert normalised(address) == address
    assume(separator in ("/", "?", "#") and text)
    assert ada_url.URL(address).host == "a.test"


@given(
    st.sampled_from(["http", "https", "HTTP", "ftp"]),
    st.lists(
        st.sampled_from(["a", "shop-1", "xn--bcher-kva", "1", "0x7f", "B", "-a", "a_b", ""]), min_size=1, max_size=3
    ),
    st.sampled_from(["test", "co", "1", "TEST", "test:443", "test:8080", "test."]),
    st.text(st.sampled_from("ab.A1/%2e?#'=&;:@!()*+,~_- \\|\"<>[]^`{}ä"), max_size=12),
)
def test_an_address_is_taken_as_normalised_only_if_a_parser_would_not_change_it(
    scheme: str, labels: list[str], end: str, path: str
) -> None:
    text = f"{scheme}://{'.'.join([*labels, end])}/{path}"
    if is_normalised(text):
        assert ada_url.URL(text).href == text
        assert HOST.fullmatch(ada_url.URL(text).hostname)


@pytest.mark.parametrize(
    "text", ["https://cdn.shop.example/a/b.c/1.jpg?v=1&w=2", "http://a.test/", "https://a.test/a//b"]
)
def test_usual_addresses_are_normalised_already(text: str) -> None:
    assert is_normalised(text)
