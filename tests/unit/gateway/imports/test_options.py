"""The options of an import through the API."""

import orjson
import pytest
from pydantic import ValidationError
from starlette.requests import Request

from services.gateway.imports.options import ImportParameters
from services.gateway.routes.imports import parameters_of


def test_the_options_of_prices_take_precedence_over_the_mapping() -> None:
    mapping = '{"currency": "EUR", "decimal_separator": ",", "columns": {"Preis": "price"}}'
    parameters = ImportParameters.model_validate({"mapping": mapping, "currency": "usd"})
    assert (parameters.feed_mapping.currency, parameters.feed_mapping.decimal_separator) == ("USD", ",")
    assert parameters.feed_mapping.encoding is None
    assert parameters.feed_mapping.columns == {"Preis": "price"}


@pytest.mark.parametrize(
    "options", [{"currency": "$"}, {"currency": "EURO COIN"}, {"decimal_separator": ";"}, {"encoding": "none"}]
)
def test_a_currency_separator_or_encoding_that_is_not_known_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ImportParameters.model_validate(options)


@pytest.mark.parametrize(
    ("content_type", "query", "encoding"),
    [
        ("text/csv; charset=windows-1252", b"", "cp1252"),
        ('text/csv; header=present; charset="ISO-8859-2"', b"", "iso8859-2"),
        ("text/csv; charset=windows-1252", b"encoding=cp1250", "cp1250"),
        ("text/csv; charset=utf-8", b"", None),
        ("text/csv", b"", None),
    ],
)
def test_the_content_type_may_name_the_encoding(content_type: str, query: bytes, encoding: str | None) -> None:
    headers = [(b"content-type", content_type.encode())]
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": headers, "query_string": query})
    assert parameters_of(request).feed_mapping.encoding == encoding


def test_a_mapping_may_be_json_in_text_or_an_object() -> None:
    columns = {"columns": {"Preis": "price"}}
    for mapping in (columns, orjson.dumps(columns).decode()):
        assert ImportParameters.model_validate({"mapping": mapping}).feed_mapping.columns == columns["columns"]
    for wrong in (5, "5", "{", None):
        with pytest.raises(ValidationError, match="mapping"):
            ImportParameters.model_validate({"mapping": wrong})


def test_the_options_of_a_table_take_precedence_over_the_mapping() -> None:
    parameters = ImportParameters.model_validate(
        {"mapping": {"encoding": "cp1252"}, "encoding": "UTF-8", "image_base_url": "https://shop.example/i/"}
    )
    mapping = parameters.feed_mapping
    assert (mapping.encoding, mapping.image_base_url) == ("utf-8", "https://shop.example/i")
    for wrong in ({"image_base_url": "shop.example"}, {"url_template": "https://shop.example/p"}):
        with pytest.raises(ValidationError, match=next(iter(wrong))):
            ImportParameters.model_validate(wrong)
