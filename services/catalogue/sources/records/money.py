"""Amounts of money in feeds: text such as `1.299,00 €` → an amount and a currency.

price-parser reads the digits and the currency. The rules here decide which text is one amount, and which separator is
the decimal one (docs/import.md, docs/adr/0020).
"""

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from price_parser import Price

DecimalSeparator = Literal[".", ","]
MAX_CHARS = 64


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words for a price in the names of columns, and the names without such a word.
PRICE = _set("price preis prix precio prezzo prijs preço preco cena pris hinta cijena preț pret fiyat цена")
PRICE_ENDINGS = ("preis", "prijs", "price")  # of compounds: Verkaufspreis, actieprijs, oldprice
CAMEL_CASE, HUMP = re.compile(r"[a-z]+(?:[A-Z][a-z]*)+"), re.compile(r"(?=[A-Z])")  # `salePrice`
MONEY = _set("msrp rrp uvp pvp tarif_régulier tarif_promo")
# What may follow the price: `price_eur`, `Preis inkl. MwSt.`, `prix de vente`, `precio normal`.
QUALIFIERS = _set(
    """
    gross net netto brutto incl inkl including excl exkl excluding with without tax vat mwst ust iva tva ttc ht btw moms
    regular normal original old new now was final current sale special promo promotional discount discounted base retail
    min max from in de di do des du con sin avec sans vente barré barre rebajado oferta scontato listino promocional
    promocyjna regularna normale régulier final finale vendita venta venda barrato ordinarie
    """
)
NOT_LETTERS = re.compile(r"[\W_\d]+")
# ISO 4217, the currencies in use, and those that feeds of earlier years have.
_CODES = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD "
    "CAD CDF CHF CLF CLP CNH CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GGP "
    "GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS IMP INR IQD IRR ISK JEP JMD JOD JPY KES KGS KHR "
    "KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR "
    "MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK "
    "SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS "
    "VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWL"
)
CODES = frozenset(_CODES.split())
ORDINARY_WORDS = frozenset({"all", "top", "cup"})  # also codes: `price_all` is not in lek
# Currencies whose amounts have three decimals (ISO 4217): in `12.345 KWD` the point is the decimal separator.
THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
SYMBOLS = {
    "€": "EUR",
    "euro": "EUR",
    "euros": "EUR",
    "£": "GBP",
    "us$": "USD",
    "u$s": "USD",
    "usd$": "USD",
    "ca$": "CAD",
    "c$": "CAD",
    "cad$": "CAD",
    "a$": "AUD",
    "au$": "AUD",
    "aud$": "AUD",
    "nz$": "NZD",
    "hk$": "HKD",
    "s$": "SGD",
    "sg$": "SGD",
    "nt$": "TWD",
    "r$": "BRL",
    "mx$": "MXN",
    "mex$": "MXN",
    "zł": "PLN",
    "zl": "PLN",
    "kč": "CZK",
    "kc": "CZK",
    "jp¥": "JPY",
    "cn¥": "CNY",
    "円": "JPY",
    "元": "CNY",
    "rmb": "CNY",
    "₹": "INR",
    "₽": "RUB",
    "rur": "RUB",
    "руб": "RUB",
    "₺": "TRY",
    "tl": "TRY",
    "₴": "UAH",
    "грн": "UAH",
    "₩": "KRW",
    "₪": "ILS",
    "฿": "THB",
    "₫": "VND",
    "đ": "VND",
    "₱": "PHP",
    "₦": "NGN",
    "₸": "KZT",
    "₾": "GEL",
    "ft": "HUF",
    "lei": "RON",
    "лв": "BGN",
    "fr": "CHF",
    "sfr": "CHF",
    "rp": "IDR",
    "rm": "MYR",
    "dkr": "DKK",
    "nkr": "NOK",
    "skr": "SEK",
    "원": "KRW",
    "nis": "ILS",
    "dhs": "AED",
    "د.إ": "AED",
    "ر.س": "SAR",
    "ج.م": "EGP",
    "ر.ق": "QAR",
    "د.ك": "KWD",
    "s/": "PEN",
    "ksh": "KES",
    "tk": "BDT",
    "৳": "BDT",
    "₵": "GHS",
    "₡": "CRC",
    "₲": "PYG",
    "₭": "LAK",
    "₮": "MNT",
    "₼": "AZN",
    "֏": "AMD",
}
# Symbols of several currencies name none: `currency` in the mapping does.
# The yen and won signs of Shift JIS and EUC-KR are the backslash of ASCII.
SHARED = frozenset({"$", "kr", "¥", "￥", "\\", "rs", "r", "₨", "peso", "pesos", "dollar", "dollars"})
SPACES = re.compile(r"[\s\u200b\ufeff]+")
NUMBER = r"(?P<number>[.,]?\d[\d.,' ]*)"
WORD = r"(?:S/|[^\W\d_]\.[^\W\d_]|[^\W\d_]{0,5}[$€£¥￥₹₽₺₴₩₪฿₫₱₦₸₾₨৳₵₡₲₭₮₼֏\\]?[^\W\d_]{0,5})"
AMOUNT = re.compile(
    rf"(?P<before>(?:{WORD}(?<=\w)\.|{WORD})) ?(?P<sign>[-+]?) ?{NUMBER}(?P<dash>[.,:] ?[-_]{{1,2}})? ?"
    rf"(?P<after>{WORD}\.?)"
)
DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-") | dict.fromkeys("’‘ʼ´`′＇", "'") | {"٫": ".", "٬": "'"})
GROUPED = re.compile(r"\d{1,3}(?P<group>[.,' ])\d{3}(?:(?P=group)\d{3})*(?:(?P<decimal>[.,])\d+)?")
INDIAN = re.compile(r"\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?")
PLAIN = re.compile(r"\d+(?:[.,]\d+)?")
# After a price: a footnote, or whether it has tax.
TAX_NOTE = re.compile(
    r" ?\*+$| \(?(?:(?:inkl|incl|inc|exkl|excl|zzgl)\.? ?(?:mwst|ust|vat|tax|btw|iva|tva|moms)|ttc|ht)\.?\)?$",
    re.IGNORECASE,
)
LEADING_ZERO = re.compile(r"0\d*[.,]")


class MoneyError(ValueError):
    """The value is not one amount of money. The text says why."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount, at least 0, and its ISO 4217 code, or None if the text names no currency."""

    amount: float
    currency: str | None = None


@lru_cache(maxsize=4096)
def is_money(name: str) -> bool:
    """Return whether a column has amounts of money, by its name: `price_eur`, `Verkaufspreis`, `prix TTC`.

    `price_type` and `sale_price_effective_date` have none.
    """
    words = _words(name)
    if not words or "_".join(words) in MONEY:
        return bool(words)
    first, last = _is_price(words[0]), _is_price(words[-1])
    if first:
        return all(word in QUALIFIERS or word.upper() in CODES for word in words[1:])
    return last


@lru_cache(maxsize=4096)
def currency_of(name: str) -> str | None:
    """Return the currency in the name of a column of amounts, for example of `price_eur`."""
    codes = (word.upper() for word in _words(name) if word not in ORDINARY_WORDS)
    return next((code for code in codes if code in CODES), None)


def _words(name: str) -> list[str]:
    separated = HUMP.sub("_", name) if CAMEL_CASE.fullmatch(name) else name
    return [word for word in NOT_LETTERS.split(separated.lower()) if word]


def _is_price(word: str) -> bool:
    return word in PRICE or word.endswith(PRICE_ENDINGS)


def read_money(value: Any, decimal_separator: DecimalSeparator | None = None) -> Money:
    """Return the amount and the currency of a value.

    Args:
        value: text or a number.
        decimal_separator: decides text such as `1.299`; without it, three digits after a single separator are a group.

    Raises:
        MoneyError: it is not one amount, is negative, or has a currency that is not known.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Money(_positive(float(value)))
    if not isinstance(value, str):
        raise MoneyError("it is neither text nor a number")
    return _read_text(value, decimal_separator)


def currency_code(text: str) -> str | None:
    """Return the ISO 4217 code of a code or a symbol in any case; None if it is neither, or the symbol is shared."""
    word = text.strip().rstrip(".")
    code = word.removesuffix("$").upper()  # `MXN$`
    return code if code in CODES else SYMBOLS.get(word.lower())


@lru_cache(maxsize=4096)  # prices repeat; reading one takes 20 µs
def _read_text(value: str, decimal_separator: DecimalSeparator | None) -> Money:
    text = TAX_NOTE.sub("", SPACES.sub(" ", value).strip().translate(DASHES))
    match = AMOUNT.fullmatch(text) if len(text) <= MAX_CHARS else None
    if match is None:
        raise MoneyError("it is not one amount with one currency")
    currency = _currency(match["before"], match["after"])
    number = match["number"].strip()
    number = f"0{number}" if number[0] in ".," else number
    if match["sign"] == "-":
        raise MoneyError("it is negative")
    separator = _decimal_separator(number, currency, decimal_separator)
    digits = number.replace("'", "").replace(" ", "")
    amount = Price.fromstring(digits, decimal_separator=separator).amount
    if amount is None:
        raise MoneyError("it is not one amount with one currency")
    return Money(_positive(float(amount)), currency)


def _positive(amount: float) -> float:
    if not math.isfinite(amount):
        raise MoneyError("it is not a finite number")
    if amount < 0:
        raise MoneyError("it is negative")
    return amount


def _currency(*words: str) -> str | None:
    """Return the currency of the words before and after an amount: `$ 5 USD` names one, `€ 5 USD` two."""
    codes: set[str] = set()
    for word in filter(None, (word.strip(" .") for word in words)):
        code = currency_code(word)
        if code is None and word.lower() not in SHARED:
            raise MoneyError(f"{word!r} is not a currency")
        codes |= {code} if code is not None else set()
    if len(codes) > 1:
        raise MoneyError(f"it names two currencies, {' and '.join(sorted(codes))}")
    return next(iter(codes), None)


def _decimal_separator(number: str, currency: str | None, setting: DecimalSeparator | None) -> DecimalSeparator:
    """Return the decimal separator of a number of digits, points, commas, spaces and apostrophes.

    Raises:
        MoneyError: the separators contradict each other.
    """
    grouped = GROUPED.fullmatch(number)
    if PLAIN.fullmatch(number) and not grouped:
        return "," if "," in number else "."
    if INDIAN.fullmatch(number):
        return "."
    if grouped is None or grouped["decimal"] == grouped["group"]:
        raise MoneyError("its separators contradict each other")
    group = grouped["group"]
    if grouped["decimal"] is not None or group in "' " or number.count(group) > 1:
        return "," if group == "." or grouped["decimal"] == "," else "."
    own: DecimalSeparator = "," if group == "," else "."
    if setting == own or currency in THREE_DECIMALS or LEADING_ZERO.match(number):
        return own
    return "." if own == "," else ","
