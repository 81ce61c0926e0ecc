"""Amounts of money: the formats of feeds, and the values that are refused."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.money import (
    CODES,
    THREE_DECIMALS,
    Money,
    MoneyError,
    currency_of,
    is_money,
    read_money,
)
from tests.support.feeds.rows import csv_rows, json_rows, product, shopify_rows, xml_rows

IMAGE = "https://a.test/1.jpg"
NNBSP, NBSP = "\u202f", "\u00a0"


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("12,34 €", 12.34, "EUR"),
        ("€ 1.299,00", 1299, "EUR"),
        ("$3,999", 3999, None),
        ("1 299,00 PLN", 1299, "PLN"),
        (f"1{NBSP}299,00{NNBSP}PLN", 1299, "PLN"),
        ("1'299.00 CHF", 1299, "CHF"),
        ("CHF 1’299.–", 1299, "CHF"),
        ("29.90 eur", 29.9, "EUR"),
        ("£49.99", 49.99, "GBP"),
        ("49,- EUR", 49, "EUR"),
        ("49.–", 49, None),
        ("1.234.567 IDR", 1234567, "IDR"),
        ("R$ 199,90", 199.9, "BRL"),
        ("US$5", 5, "USD"),
        ("$5 USD", 5, "USD"),
        ("CA$ 1,299.50", 1299.5, "CAD"),
        ("A$5", 5, "AUD"),
        ("kr 1.299,50", 1299.5, None),
        ("5,00 zł", 5, "PLN"),
        ("1 299,90 Kč", 1299.9, "CZK"),
        ("₹1,23,456.50", 123456.5, "INR"),
        ("¥1,299", 1299, None),
        ("Fr. 5.00", 5, "CHF"),
        ("49.9500 EUR", 49.95, "EUR"),
        ("29.90", 29.9, None),
        ("29,90", 29.9, None),
        ("1,299.50", 1299.5, None),
        ("1.299,00 EUR", 1299, "EUR"),
        ("USD 5", 5, "USD"),
        ("0", 0, None),
        ("299:-", 299, None),
        ("1.299:- kr", 1299, None),
        (".99 USD", 0.99, "USD"),
        (",99 €", 0.99, "EUR"),
        ("59,000원", 59000, "KRW"),
        ("د.إ 100", 100, "AED"),
        ("55 ر.س", 55, "SAR"),
        ("MXN$ 299.00", 299, "MXN"),
        ("S/ 199.90", 199.9, "PEN"),
        ("KSh 1,200", 1200, "KES"),
        ("29,90 € *", 29.9, "EUR"),
        ("EUR 29,90 inkl. MwSt.", 29.9, "EUR"),
        ("£10 (inc. VAT)", 10, "GBP"),
        ("12,00 EUR TTC", 12, "EUR"),
        ("\\12,900", 12900, None),  # a yen sign in Shift JIS
    ],
)
def test_amounts_are_read_as_feeds_write_them(text: str, amount: float, currency: str | None) -> None:
    assert read_money(text) == Money(amount, currency)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1.299", 1299),
        ("1,299", 1299),
        ("1.299 EUR", 1299),
        ("999.999", 999_999),
        ("12.345 KWD", 12.345),
        ("0.125", 0.125),
        ("1234.567", 1234.567),
        ("1.2990", 1.299),
        ("1,29", 1.29),
    ],
)
def test_three_digits_after_a_single_separator_are_a_group(text: str, amount: float) -> None:
    assert read_money(text).amount == amount


@pytest.mark.parametrize("separator", [".", ","])
def test_a_setting_decides_the_ambiguous_and_nothing_else(separator: Any) -> None:
    other = "," if separator == "." else "."
    assert read_money(f"1{separator}299", separator).amount == 1.299
    assert read_money(f"1{other}299", separator).amount == 1299
    assert read_money(f"29{other}90", separator).amount == 29.9
    assert read_money(f"1{separator}234{separator}567", separator).amount == 1_234_567
    assert read_money(f"1{separator}299{other}50", separator).amount == 1299.5


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("2 for 30 EUR", "not one amount"),
        ("19.99 (was 29.99)", "not one amount"),
        ("10 - 20 EUR", "not one amount"),
        ("on request", "not one amount"),
        ("free", "not one amount"),
        ("", "not one amount"),
        ("1e3", "not one amount"),
        ("9" * 65, "not one amount"),
        ("-5.00", "negative"),
        ("−5 €", "negative"),
        ("€-5", "negative"),
        (-5, "negative"),
        (-0.01, "negative"),
        (float("inf"), "not a finite number"),
        (float("nan"), "not a finite number"),
        (True, "neither text nor a number"),
        ({"amount": 5}, "neither text nor a number"),
        ("1,2,3", "separators contradict"),
        ("1.299.00", "separators contradict"),
        ("12 34", "separators contradict"),
        ("5 pcs", "'pcs' is not a currency"),
        ("EUR 5 USD", "two currencies, EUR and USD"),
    ],
)
def test_a_value_that_is_not_one_amount_is_refused(value: Any, reason: str) -> None:
    with pytest.raises(MoneyError, match=reason):
        read_money(value)


@given(
    cents=st.integers(0, 10**11),
    group=st.sampled_from(["", ".", ",", " ", NBSP, NNBSP, "'", "’"]),
    decimals=st.sampled_from([0, 2, 4]),
    code=st.sampled_from(sorted(CODES)),
    before=st.booleans(),
    space=st.sampled_from(["", " ", NBSP]),
    lower=st.booleans(),
)
def test_every_grouping_decimal_separator_and_place_of_the_currency_is_read(
    cents: int, group: str, decimals: int, code: str, before: bool, space: str, lower: bool
) -> None:
    decimal = "." if group == "," else ","
    whole = f"{cents // 100:,}".replace(",", group)
    text = whole + (f"{decimal}{cents % 100:02}{'00' if decimals == 4 else ''}" if decimals else "")
    symbol = code.lower() if lower else code
    amount = cents // 100 + (cents % 100 / 100 if decimals else 0)
    if not decimals and group in (".", ",") and whole.count(group) == 1 and code in THREE_DECIMALS:
        return  # the single group of a currency with three decimals is its decimals
    money = read_money(symbol + space + text if before else text + space + symbol)
    assert money.amount == pytest.approx(amount, abs=1e-6)
    assert money.currency == code


@given(st.text(max_size=80))
def test_any_text_is_an_amount_of_at_least_zero_or_is_refused(text: str) -> None:
    try:
        assert read_money(text).amount >= 0
    except MoneyError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("name", "currency"),
    [
        *(
            (name, None)
            for name in ("price", "Sale price", "Regular-Price", "compare_at_price", "Compare-at price", "MSRP")
        ),
        *(
            (name, None)
            for name in ("best_price", "was_price", "price_old", "unit_price", "Price2", "price_all", "top_price")
        ),
        *((name, None) for name in ("Preis", "Verkaufspreis", "Preis inkl. MwSt.", "UVP", "prix TTC", "Prix barré")),
        *((name, None) for name in ("precio normal", "Prezzo di listino", "actieprijs", "Cena", "pris", "цена")),
        *((name, "EUR") for name in ("price_eur", "Preis (EUR)", "EUR price")),
        ("Price USD", "USD"),
    ],
)
def test_columns_of_money_are_known_by_their_names(name: str, currency: str | None) -> None:
    assert is_money(name)
    assert currency_of(name) == currency
    assert not is_money(f"{name}_effective_date")


@pytest.mark.parametrize(
    "name",
    ["", "price_type", "price_currency", "price_range", "price_label", "price_per_unit", "pricelist", "entreprise",
     "cost", "unit_pricing_measure", "special_price_from_date", "priced", "currency"],
)  # fmt: skip
def test_other_columns_have_no_money(name: str) -> None:
    assert not is_money(name)


def test_the_name_of_a_column_gives_the_currency_of_its_amounts(tmp_path: Path) -> None:
    (row,) = csv_rows(tmp_path, f"id;image;Preis (EUR);price_usd\n1;{IMAGE};1.299,50;12\n")
    assert product(row).attributes == {"Preis (EUR)": 1299.5, "currency": "EUR"}
    assert [str(problem) for problem in product(row).problems] == [
        "price_usd '12' is in USD, the record in EUR; it is left out"
    ]


def attributes(folder: Path, price: str, sale: str, **mapping: Any) -> list[dict[str, Any]]:
    """Return the attributes of a product in each format of feeds."""
    options: dict[str, Any] = {"mapping": FeedMapping(**mapping)}
    item = (
        f"<item><id>1</id><image_link>{IMAGE}</image_link><price>{price}</price><sale_price>{sale}</sale_price></item>"
    )
    rows = [
        *csv_rows(folder, f"id;image;price;sale_price\n1;{IMAGE};{price};{sale}\n", **options),
        *xml_rows(folder, f"id\timage_link\tprice\tsale_price\n1\t{IMAGE}\t{price}\t{sale}\n", "feed.tsv", **options),
        *xml_rows(folder, f"<rss><channel>{item}</channel></rss>", **options),
        *json_rows(folder, {"id": "1", "image": IMAGE, "price": price, "sale_price": sale}, **options),
    ]
    return [product(row).attributes for row in rows]


@pytest.mark.parametrize(
    ("price", "sale", "mapping", "expected"),
    [
        ("1.299,00 €", "999,- €", {}, {"price": 1299, "sale_price": 999, "currency": "EUR"}),
        ("£49.99", "39.99", {}, {"price": 49.99, "sale_price": 39.99, "currency": "GBP"}),
        ("$3,999", "$2,999", {"currency": "usd"}, {"price": 3999, "sale_price": 2999, "currency": "USD"}),
        ("$3,999", "$2,999", {}, {"price": 3999, "sale_price": 2999}),
        ("1.299", "0.5", {"decimal_separator": "."}, {"price": 1.299, "sale_price": 0.5}),
        ("10 EUR", "8 USD", {}, {"price": 10, "currency": "EUR"}),
        ("ask", "5 EUR", {}, {"sale_price": 5, "currency": "EUR"}),
    ],
)
def test_every_format_has_the_same_prices(
    tmp_path: Path, price: str, sale: str, mapping: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert attributes(tmp_path, price, sale, **mapping) == [expected] * 4


def test_a_price_that_is_not_understood_is_left_out_and_named(tmp_path: Path) -> None:
    (row,) = csv_rows(tmp_path, "id;image;price;sale_price;currency\n1;1.jpg;on request;8 USD;eur\n")
    item = product(row)
    assert item.attributes == {"currency": "EUR"}
    assert [(problem.column, str(problem)) for problem in item.problems] == [
        (
            "price",
            "price 'on request' is not an amount of money: it is not one amount with one currency; it is left out",
        ),
        ("sale_price", "sale_price '8 USD' is in USD, the record in EUR; it is left out"),
    ]


def test_numbers_keep_their_type_and_several_amounts_are_named(tmp_path: Path) -> None:
    documents: list[dict[str, Any]] = [{"price": 5}, {"price": 5.5}, {"price": [5, 6]}, {"price": ["5 EUR", "5 EUR"]}]
    rows = json_rows(tmp_path, *({"id": str(n), "image": IMAGE, **d} for n, d in enumerate(documents)))
    assert [product(row).attributes for row in rows] == [
        {"price": 5},
        {"price": 5.5},
        {},
        {"price": 5, "currency": "EUR"},
    ]
    assert "it has several amounts" in str(product(rows[2]).problems[0])


def test_shopify_has_the_lowest_price_and_names_the_variant_prices_that_are_none(tmp_path: Path) -> None:
    text = f'Handle,Title,Image Src,SKU,Price\n1,x,{IMAGE},a,"1.299,00 €"\n1,,,b,ask\n1,,,c,999 EUR\n'
    item = product(shopify_rows(tmp_path, text)[0])
    assert (item.attributes["price"], item.attributes["currency"]) == (999, "EUR")
    assert [problem.column for problem in item.problems] == ["price"]
    assert "'ask'" in str(item.problems[0])


def test_the_mapping_refuses_a_currency_that_is_none_and_another_separator() -> None:
    for settings in ({"currency": "$"}, {"currency": "EURO COIN"}, {"decimal_separator": "'"}):
        with pytest.raises(ValidationError):
            FeedMapping.model_validate(settings)
    assert FeedMapping(currency="€").currency == "EUR"
