"""Hidden products stay hidden: only a known word shows a product."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.importing.description import Placer
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow, RowError, SourceRow
from services.catalogue.sources.records.visibility import HIDDEN, NO, VISIBLE, YES, is_visible
from tests.support.feeds.rows import csv_rows, json_rows, reasons, shopify_rows, xml_rows

IMAGE = "https://a.test/1.jpg"
COLUMNS = ("Published", "Status", "visible", "Active", "Enabled", "Veröffentlicht", "Is visible?")


def outcome(row: SourceRow | RejectedRow) -> str:
    if isinstance(row, RejectedRow):
        return "rejected"
    return "skipped" if Placer(("Topwear",), FeedMapping()).place(row) is None else "shown"


def in_csv(folder: Path, word: str) -> SourceRow | RejectedRow:
    return csv_rows(folder, f"id;image;Published\n1;{IMAGE};{word}\n")[0]


def in_tsv(folder: Path, word: str) -> SourceRow | RejectedRow:
    return xml_rows(folder, f"id\timage_link\tstatus\n1\t{IMAGE}\t{word}\n", "feed.tsv")[0]


def in_xml(folder: Path, word: str) -> SourceRow | RejectedRow:
    item = f"<item><id>1</id><image_link>{IMAGE}</image_link><visibility>{word}</visibility></item>"
    return xml_rows(folder, f"<rss><channel>{item}</channel></rss>")[0]


def in_ndjson(folder: Path, word: str) -> SourceRow | RejectedRow:
    return json_rows(folder, {"id": "1", "image": IMAGE, "published": word})[0]


def in_shopify_csv(folder: Path, word: str) -> SourceRow | RejectedRow:
    return shopify_rows(folder, f"Handle,Title,Image Src,Published\n1,x,{IMAGE},{word}\n")[0]


def in_shopify_json(folder: Path, word: str) -> SourceRow | RejectedRow:
    text = f'{{"products": [{{"handle": "1", "images": [{{"src": "{IMAGE}"}}], "status": "{word}"}}]}}'
    return shopify_rows(folder, text, "products.json")[0]


FORMATS = [in_csv, in_tsv, in_xml, in_ndjson, in_shopify_csv, in_shopify_json]


@pytest.mark.parametrize("read", FORMATS)
@pytest.mark.parametrize(
    ("word", "expected"),
    [("TRUE", "shown"), ("WAHR", "shown"), ("oui", "shown"), ("active", "shown"), ("", "shown"), ("ใช่", "shown")]
    + [(word, "skipped") for word in ("FALSE", "FALSCH", "FAUX", "FALSO", "0", "no", "nein", "non", "draft")]
    + [("vielleicht", "rejected"), ("2026", "rejected")],
)
def test_every_format_shows_a_known_yes_skips_a_known_no_and_rejects_the_unknown(
    tmp_path: Path, read: Callable[[Path, str], SourceRow | RejectedRow], word: str, expected: str
) -> None:
    assert outcome(read(tmp_path, word)) == expected


@given(st.sampled_from(COLUMNS), st.sampled_from(sorted(YES)), st.sampled_from(sorted(NO)), st.booleans())
def test_words_are_known_in_any_case_and_with_spaces_around_them(column: str, yes: str, no: str, upper: bool) -> None:
    change = str.title if upper else str
    assert is_visible({column: f" {change(yes)}\t"})
    assert not is_visible({column: f" {change(no)}\u00a0"})


@given(st.sampled_from(sorted(VISIBLE | HIDDEN)), st.text(min_size=1, max_size=12))
def test_a_product_is_never_shown_by_an_unknown_word(column: str, word: str) -> None:
    try:
        shown = is_visible({column: word})
    except RowError:
        return
    folded = " ".join(word.split()).strip("\"'").lower()
    assert not shown or not folded or folded in YES | NO | {"2", "3", "4", "catalog", "search", "both", "everywhere"}


def test_no_word_means_both_yes_and_no() -> None:
    assert not YES & NO


@pytest.mark.parametrize(
    ("record", "visible"),
    [
        ({"published": 1}, True),
        ({"published": 0}, False),
        ({"published": -1}, False),
        ({"published": 1.0, "visibility in catalog": "hidden"}, False),
        ({"Visibility in catalog": "search"}, True),
        ({"visibility": "Catalog, Search"}, True),
        ({"visibility": "Not Visible Individually"}, False),
        ({"product_online": "2"}, False),
        ({"active": True}, True),
        ({"active": [True, False]}, False),
        ({"hidden": "nein"}, True),
        ({"hidden": "ja"}, False),
        ({"is_draft": True}, False),
        ({"published_at": "2026-05-01T10:00:00+02:00"}, True),
        ({"published_at": "2126-05-01"}, False),
        ({"status": None, "published": "", "colour": "FALSE"}, True),
        ({"status": "perhaps", "published": "no"}, False),
    ],
)
def test_the_columns_of_shop_systems_are_read(record: dict[str, Any], visible: bool) -> None:
    assert is_visible(record) is visible


def test_the_reason_names_the_column_the_word_and_the_way_out(tmp_path: Path) -> None:
    text = "id,image,Status\n1,1.jpg,bestseller\n2,2.jpg,active\n"
    ((line, key, reason),) = reasons(csv_rows(tmp_path, text))
    assert (line, key) == (2, "1")
    assert reason.startswith("Status is 'bestseller', and it is not known whether this shows or hides the product")
    rows = csv_rows(tmp_path, text, mapping=FeedMapping(columns={"Status": "label"}))
    assert [outcome(row) for row in rows] == ["shown", "shown"]


def test_a_hidden_product_needs_no_image_and_still_counts_as_a_duplicate(tmp_path: Path) -> None:
    rows = csv_rows(tmp_path, "id,image,published\n1,,no\n1,1.jpg,yes\n")
    assert [outcome(row) for row in rows] == ["skipped", "rejected"]


@pytest.mark.parametrize(
    "column",
    [
        "Visibilidad en el catálogo",
        "Visibilité",
        "visibilità nel catalogo",
        "Zichtbaarheid",
        "Visibilidade",
        "Widoczność",
    ],
)
def test_translated_columns_of_visibility_are_read(column: str) -> None:
    assert is_visible({column: "catalog"})
    assert not is_visible({column: "hidden"})


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ("SANT", "USANT"),
        ("taip", "ne"),
        ("jā", "nē"),
        ("TÕENE", "VÄÄR"),
        ("ISTINA", "NEISTINA"),
        ("có", "Không"),
        ("כן", "לא"),
        ("نعم", "لا"),
        ("हाँ", "नहीं"),
        ("真", "假"),
        ("참", "거짓"),
    ],
)  # fmt: skip
def test_words_of_other_languages_are_known(yes: str, no: str) -> None:
    assert is_visible({"published": yes})
    assert not is_visible({"published": no})
