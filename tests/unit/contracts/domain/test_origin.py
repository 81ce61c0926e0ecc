import pytest

from services.contracts.domain.origin import origin_of, parse_origin


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://shop.example", "https://shop.example"),
        ("https://Shop.Example/", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_an_origin_has_the_form_that_browsers_send(text: str, origin: str) -> None:
    assert parse_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "null",
        "shop.example",
        "ftp://shop.example",
        "https://",
        "https://a/b",
        "https://a?b",
        "https://u@a",
        "https://a:x",
    ],
)
def test_another_text_is_no_origin(text: str) -> None:
    with pytest.raises(ValueError, match="is not an origin"):
        parse_origin(text)


def test_a_web_address_has_an_origin() -> None:
    assert origin_of("https://shop.example/p/1?q=2#top") == "https://shop.example"
    assert [origin_of(text) for text in ("null", "", "about:blank", "https://a b/", "https://[")] == [None] * 5


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://a:80/", "http://a"),
        ("http://a:443/", "http://a:443"),
        ("https://a:443", "https://a"),
        ("https://a:80", "https://a:80"),
        ("https://a:0", "https://a:0"),
        ("https://a:65535/", "https://a:65535"),
        ("https://[2001:DB8::1]/x", "https://[2001:db8::1]"),
        ("https://user@A/", "https://a"),
        ("https://a:65536", None),
        ("https://", None),
        ("ws://a", None),
        ("//a", None),
    ],
)
def test_the_port_of_an_origin_is_that_of_the_address_unless_its_scheme_has_it(url: str, origin: str | None) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize("text", ["https://a//", "https://a/?", "https://a/#", "https://a?", "https://a#b"])
def test_an_address_with_more_than_an_origin_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not an origin"):
        parse_origin(text)


def test_blanks_around_an_origin_do_not_count() -> None:
    assert parse_origin(" https://a/ \n") == "https://a"
