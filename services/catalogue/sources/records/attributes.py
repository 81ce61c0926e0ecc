"""The attributes of a record: values for filters, and the values that cannot be understood."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from services.catalogue.product import MAX_ATTRIBUTES
from services.catalogue.sources.records.availability import TABLES, google_word
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.money import Money, MoneyError, currency_code, currency_of, is_money, read_money
from services.catalogue.sources.records.rows import Attributes, ValueProblem
from services.contracts.domain.filtering.filters import AttributeValue

# Attributes are in the index's memory: a description of 5 kB per product would take most of it.
MAX_TEXT = 256
MAX_LIST = 50
# The currency of its prices and the shop's category are added to these and the prices.
MAX_NAMES = MAX_ATTRIBUTES - 2
MAX_NAMES_BEFORE_PRICES = MAX_NAMES - 8
CURRENCY = "currency"


@dataclass(slots=True)
class ReadAttributes:
    """The attributes of a record, the names of fields that cannot be attributes, and the values not understood."""

    attributes: Attributes = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    problems: list[ValueProblem] = field(default_factory=list)


class AttributeReader:
    """Reads the attributes of a feed's records."""

    def __init__(self, mapping: FeedMapping) -> None:
        """Create the reader of a feed with the settings for its prices."""
        self._decimal_separator = mapping.decimal_separator
        self._currency = mapping.currency

    def read(self, items: Iterable[tuple[str, Any]]) -> ReadAttributes:
        """Return the attributes of a record by name."""
        result = ReadAttributes()
        prices: list[tuple[str, Any, Money]] = []
        for name, value in items:
            if value is None or value == [] or (isinstance(value, str) and not value.strip()):
                continue
            if is_money(name) and not isinstance(value, dict):
                prices.extend(self._price(name, value, result))
            else:
                self._add(name, value, result)
        if prices:
            self._add_prices(prices, result)
        return result

    def _add(self, name: str, value: Any, result: ReadAttributes) -> None:
        clean = _attribute(value)
        if clean is None or len(result.attributes) >= MAX_NAMES_BEFORE_PRICES:
            result.left_out.append(name)
        elif (meaning := _meaning(name)) in TABLES:
            result.attributes[name] = _googles(name, clean, result)
        elif meaning == CURRENCY and isinstance(clean, str):
            result.attributes[CURRENCY] = currency_code(clean) or clean
        else:
            result.attributes[name] = clean

    def _price(self, name: str, value: Any, result: ReadAttributes) -> list[tuple[str, Any, Money]]:
        values = value if isinstance(value, list) else [value]
        try:
            if len(values) > 1 and any(other != values[0] for other in values):
                raise MoneyError("it has several amounts")
            money = read_money(values[0], self._decimal_separator)
            if money.currency is None and (own := currency_of(name)) is not None:
                money = replace(money, currency=own)
            return [(name, values[0], money)]
        except MoneyError as error:
            result.problems.append(price_problem(name, value, error))
            return []

    def _add_prices(self, prices: list[tuple[str, Any, Money]], result: ReadAttributes) -> None:
        """Add the prices of a record in one currency: that of its column, of the first price, or of the mapping."""
        named = (money.currency for _, _, money in prices if money.currency is not None)
        column = result.attributes.get(CURRENCY)
        currency = column if isinstance(column, str) else next(named, self._currency)
        for name, value, money in prices:
            if money.currency not in (None, currency):
                reason = f"is in {money.currency}, the record in {currency}; it is left out"
                result.problems.append(ValueProblem(name, value, reason))
                continue
            if len(result.attributes) >= MAX_NAMES:
                result.left_out.append(name)
                continue
            # A whole number stays one: 5 and 5.0 are different descriptions of a product.
            is_whole = isinstance(value, int) and -(2**63) <= value < 2**63
            result.attributes[name] = value if is_whole else money.amount
            if currency is not None:
                result.attributes.setdefault(CURRENCY, currency)


@lru_cache(maxsize=4096)  # a feed has the same names in every row
def _meaning(name: str) -> str | None:
    """Return the attribute in lower case if its values have a meaning, None for other attributes."""
    lower = name.lower()
    return lower if lower in TABLES or lower == CURRENCY else None


def _googles(name: str, value: AttributeValue | list[AttributeValue], result: ReadAttributes) -> Any:
    """Return Google's word for an availability or a condition; a value that is not known is named and kept as it is."""
    values = value if isinstance(value, list) else [value]
    words = [google_word(name.lower(), item) for item in values]
    result.problems.extend(
        ValueProblem(name, item, f"is not a known {name.lower()}; it is kept as it is")
        for item, word in zip(values, words, strict=True)
        if word is None
    )
    known = list(dict.fromkeys(item if word is None else word for item, word in zip(values, words, strict=True)))
    return known[0] if len(known) == 1 else known


def price_problem(name: str, value: Any, error: MoneyError) -> ValueProblem:
    """Return the problem of a price that is left out."""
    return ValueProblem(name, value, f"is not an amount of money: {error}; it is left out")


def _attribute(value: Any) -> AttributeValue | list[AttributeValue] | None:
    if isinstance(value, list):
        scalars = [_scalar(item) for item in value[:MAX_LIST]]
        valid = [scalar for scalar in scalars if scalar is not None]
        return valid if len(valid) == len(value) else None
    return _scalar(value)


def _scalar(value: Any) -> AttributeValue | None:
    if isinstance(value, str):
        text = value.strip()
        return text if 0 < len(text) <= MAX_TEXT else None
    if isinstance(value, bool) or (isinstance(value, int) and -(2**63) <= value < 2**63):
        return value
    return float(value) if isinstance(value, int | float) else None
