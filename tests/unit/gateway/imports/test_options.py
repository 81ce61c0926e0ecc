"""The options of an import through the API."""

import pytest
from pydantic import ValidationError

from services.gateway.imports.options import ImportParameters


def test_the_options_of_prices_take_precedence_over_the_mapping() -> None:
    mapping = '{"currency": "EUR", "decimal_separator": ",", "columns": {"Preis": "price"}}'
    parameters = ImportParameters.model_validate({"mapping": mapping, "currency": "usd"})
    assert (parameters.feed_mapping.currency, parameters.feed_mapping.decimal_separator) == ("USD", ",")
    assert parameters.feed_mapping.columns == {"Preis": "price"}


@pytest.mark.parametrize("options", [{"currency": "$"}, {"currency": "EURO COIN"}, {"decimal_separator": ";"}])
def test_a_currency_or_separator_that_is_not_known_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ImportParameters.model_validate(options)
