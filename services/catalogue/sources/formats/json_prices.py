"""Prices in JSON: objects, ranges, offers of schema.org → an amount and `currency` of the record."""

from functools import lru_cache
from typing import Any

from services.catalogue.sources.formats.json_values import plain
from services.catalogue.sources.records.images import listed_images
from services.catalogue.sources.records.money import currency_code, is_money

AMOUNTS = ("amount", "value", "price", "lowPrice", "gross")
CURRENCIES = ("currency", "currencyCode", "currency_code", "priceCurrency")
RANGES = ("priceRange", "priceRangeV2", "pricing", "prices")
LOWEST = ("minVariantPrice", "priceRange", "start", "min")  # where they have the lowest price
OFFER = {"availability": "availability", "condition": "itemCondition", "url": "url"}


def take_prices(record: dict[str, Any]) -> None:
    """Replace prices that are objects by their amounts; offers and ranges give a price that is missing."""
    if "offers" in record:
        _offers(record)
    if record.get("price") in (None, ""):
        _price_range(record)
    for name in _money_names(tuple(record)):
        if type(record[name]) in (dict, list):
            _price(record, name)


@lru_cache(maxsize=4096)
def _money_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of a record's names that are amounts of money."""
    return tuple(filter(is_money, names))


def _offers(record: dict[str, Any]) -> None:
    """Take the price, currency, availability, condition and address of schema.org's offers: the cheapest one."""
    offers = [offer for offer in listed_images(record.get("offers")) if isinstance(offer, dict)]
    if not offers:
        return
    del record["offers"]
    offer = min(offers, key=_offered)
    if record.get("price") in (None, ""):
        record["price"] = offer
    for field, name in OFFER.items():
        if record.get(field) in (None, "") and isinstance(offer.get(name), str):
            record[field] = offer[name]


def _price_range(record: dict[str, Any]) -> None:
    """Take the lowest price of a range, as of GraphQL, or the prices in an object, as of WooCommerce's store API."""
    name = next((name for name in RANGES if isinstance(record.get(name), dict)), None)
    if name is None:
        return
    value = record[name]
    while (inner := next((value[key] for key in LOWEST if isinstance(value.get(key), dict)), None)) is not None:
        value = inner
    if _amount(value) is not None:
        record["price"] = value
        del record[name]


def _offered(offer: dict[str, Any]) -> float:
    try:
        return float(_first(offer, AMOUNTS))
    except (TypeError, ValueError):
        return float("inf")


def _price(record: dict[str, Any], name: str) -> None:
    """Split a price that is an object: `{"amount": "29.90", "currency": "EUR"}`.

    A price in another currency than the record's stays an object, which is left out.
    """
    value = record[name]
    while isinstance(inner := value[0] if isinstance(value, list) and value else _amount(value), dict):
        value = inner  # `[{"gross": {"amount": 1}}]`
    if not isinstance(value, dict) or (amount := _amount(value)) is None:
        return
    minor = value.get("currency_minor_unit")
    if isinstance(minor, int) and isinstance(amount, int | str) and str(amount).isdecimal():
        amount = int(amount) / 10**minor  # WooCommerce's store API counts in cents
    if isinstance(currency := _first(value, CURRENCIES), str):
        known = record.get("currency")
        if known in (None, ""):
            record["currency"] = currency
        elif isinstance(known, str) and _code(known) != _code(currency):
            return
    record[name] = amount


def _amount(value: Any) -> Any:
    return plain(_first(value, AMOUNTS)) if isinstance(value, dict) else None


def _code(currency: str) -> str:
    return currency_code(currency) or currency


def _first(document: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((document[name] for name in names if document.get(name) is not None), None)
