"""What commands print for people, whole: every line, in its order."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from services.catalogue.importing.report import Summary, Tally
from services.catalogue.model_switch.comparison import ModelReport, Overlap
from services.catalogue.model_switch.reembedding_report import ReembedSummary, ReembedTally
from services.cli.imports import display as imports
from services.cli.models import display as models
from services.cli.models import reembed_display as reembedding
from services.cli.rules import display as rules

Captured = pytest.CaptureFixture[str]


def lines(capsys: Captured) -> list[str]:
    """Return the lines of stdout without blanks at their ends."""
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_the_summary_of_an_import(capsys: Captured) -> None:
    left_out = Counter({f"field [f{n}]": n for n in range(1, 8)})
    counts = {"updated": 3, "unchanged": 4, "not_modified": 5, "skipped": 6, "hidden": 7, "rejected": 8}
    counts |= {"images_rejected": 9, "values_not_understood": 10, "removed": 11, "would_remove": 12}
    tally = Tally(read=1500, imported=1200, **counts, category_conflicts=13, left_out=left_out, notes=["a [b]"])  # type: ignore[arg-type]
    summary = Summary(tally, "interrupted", "fashion/1", 2.0, "no [network]", Path("r.ndjson"))
    imports.show(summary, as_json=False)
    captured = capsys.readouterr()
    assert captured.err == "lookalike: no [network]\n"
    assert [line.rstrip() for line in captured.out.splitlines()] == [
        "Import interrupted: run it again to continue (2.0 s, 604 products/s)",
        " rows read                                     1,500",
        " imported                                      1,200",
        " updated                                       3",
        " unchanged                                     4",
        " images unchanged on their web server          5",
        " skipped (outside the categories)              6",
        " hidden in the shop                            7",
        " rejected                                      8",
        " additional images rejected                    9",
        " values not understood                         10",
        " removed, no longer in the feed                11",
        " to be removed, no longer in the feed          12",
        " category by the feed, but not by the network  13",
        "fields left out (too long, nested, or not for shoppers): field [f7] (7), field [f6] (6), field [f5] (5), "
        "field [f4] (4), field [f3] (3)",
        "note: a [b]",
        "rejected rows and values, with reasons: r.ndjson",
    ]


def test_the_summary_of_a_check(capsys: Captured) -> None:
    imports.show(Summary(Tally(read=2, checked=2, imported=9), "done", "fashion/1", 0.0, dry_run=True), as_json=False)
    assert lines(capsys) == ["Check done (0.0 s, 0 products/s)", " rows read  2", " valid      2"]


REPORT = [
    "fashion/2 in place of fashion/1",
    " products that searches find now                  2,000",
    " of them with a vector of fashion/2               1,999 (99.9 %)",
    " products that would be in another category       1,013",
    " the 10 results of 200 products: share in common  87.6 %",
    "   queries with the same products                 12",
    "   queries with no product in common              3",
    "without a vector: p0, p1, p2, p3, p4, p5, p6, p7, p8, p9 and 90 more",
    " category    now   then",
    " Topwear   1,500  1,490",
    " Shoes       500    510",
    "Topwear → Shoes: 1,012 (a0, a1, a2, a3, a4, a5, a6, a7, a8, a9 and 1,002 more)",
    "Shoes → Topwear: 1 (b)",
]


@pytest.mark.parametrize(
    ("promoted", "end"),
    [
        (None, ["next: lookalike promote 2"]),
        (True, ["searches use fashion/2 now; lookalike rollback goes back to fashion/1"]),
        (False, []),
    ],
)
def test_what_another_model_changes(capsys: Captured, promoted: bool | None, end: list[str]) -> None:
    report = ModelReport(
        "fashion/1",
        "fashion/2",
        ["Topwear", "Shoes"],
        products=2000,
        covered=1900,
        missing=[f"p{n}" for n in range(12)],
        counts=[[1500, 1490], [500, 510]],
        moves=Counter({(0, 1): 1012, (1, 0): 1}),
        overlap=Overlap(200, 10, 0.8765, 12, 3),
        catalogues={"default": [2000, 1999]},
    )
    report.examples[0, 1] = [f"a{n}" for n in range(11)]
    report.examples[1, 0] = ["b"]
    models.show_report(report, as_json=False, promoted=promoted)
    assert lines(capsys) == [line.replace("1,999", "1,900") for line in REPORT] + end


def test_the_ten_most_frequent_moves_are_shown(capsys: Captured) -> None:
    report = ModelReport("fashion/1", "fashion/2", list("ABCD"), counts=[[0, 0]] * 4)
    pairs = [(old, new) for old in range(4) for new in range(4) if old != new]
    report.moves = Counter({pair: 20 - number for number, pair in enumerate(pairs)})
    for pair in pairs:
        report.examples[pair] = ["x"]
    models.show_report(report, as_json=False)
    moves = [line for line in lines(capsys) if "→" in line]
    assert (len(moves), moves[0], moves[-1]) == (10, "A → B: 20 (x and 19 more)", "D → A: 11 (x and 10 more)")


TABLE = [
    " model              products  without a vector  problem",
    " fashion/2  active  1,500     1",
    " fashion/3                                      it [is] not served",
]


@pytest.mark.parametrize(
    ("changes", "begin"),
    [
        (
            {},
            [
                "active: fashion/2, promoted; the settings name fashion/1",
                "searches still use fashion/1: the index is not ready to switch",
            ],
        ),
        ({"promoted": False, "searched": "fashion/2"}, ["active: fashion/2, by the settings"]),
        ({"active": "fashion/1"}, ["active: fashion/1, promoted"]),
    ],
)
def test_the_table_of_models(capsys: Captured, changes: dict[str, Any], begin: list[str]) -> None:
    served = {"model": "fashion/2", "role": "active", "products": 1500, "without_vector": 1, "problem": None}
    other = {"model": "fashion/3", "role": None, "products": None, "without_vector": None}
    overview = {"active": "fashion/2", "first": "fashion/1", "promoted": True, "searched": "fashion/1"}
    overview |= {"models": [served, {**other, "problem": "it [is] not served"}]}
    models.show_models({**overview, **changes}, as_json=False)
    assert lines(capsys) == begin + TABLE


def test_the_summary_of_a_reembedding(capsys: Captured) -> None:
    tally = ReembedTally(found=1500, embedded=1400, overtaken=1, rejected=2, images_rejected=3, other_pictures=4)
    summary = ReembedSummary(tally, "done", "fashion/2", 2.0, None, Path("r.ndjson"), "shoes")
    reembedding.show(summary, as_json=False)
    headline, *rest = lines(capsys)
    assert headline.startswith("Vectors of fashion/2 in the catalogue shoes done (2.0 s, ")
    assert rest == [
        " products without a vector at the start              1,500",
        " embedded                                            1,400",
        " written or deleted by others meanwhile              1",
        " rejected                                            2",
        " additional images rejected                          3",
        " embedded from an image that has changed at its URL  4",
        "rejected products, with reasons: r.ndjson",
        "next: lookalike compare-models 2",
    ]


def test_the_summary_of_a_reembedding_that_did_not_begin(capsys: Captured) -> None:
    reembedding.show(ReembedSummary(ReembedTally(), "interrupted", None, 2.0, "stopped"), as_json=False)
    captured = capsys.readouterr()
    assert captured.err == "lookalike: stopped\n"
    assert [line.rstrip() for line in captured.out.splitlines()] == [
        "Vectors of the model interrupted: run it again to continue (2.0 s, 0 products/s)",
        " products without a vector at the start  0",
        " embedded                                0",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "an unknown time"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (7325, "2 h 2 min"),
    ],
)
def test_a_duration_has_two_units(seconds: float | None, text: str) -> None:
    assert reembedding._duration(seconds) == text


RULES: dict[str, Any] = {
    "out_of_stock": "hide",
    "rules": [
        {
            "id": "sale",
            "action": "boost",
            "by": 0.05,
            "filter": {"sale": True},
            "pins": [],
            "categories": ["Shoes"],
            "starts": "2026-11-01",
            "ends": None,
            "enabled": True,
        },
        {
            "id": "top",
            "action": "pin",
            "by": None,
            "filter": {"a": 1},
            "pins": [{"id": "p1", "position": 1}, {"id": "p2", "position": 3}],
            "categories": [],
            "starts": None,
            "ends": "2026-12-31",
            "enabled": False,
        },
    ],
    "apart": [
        {"id": "no", "garments": [{"category": "Shoes", "filter": {}}, {"category": "Bags", "filter": {"c": "[x]"}}]}
    ],
}


def test_the_table_of_rules(capsys: Captured) -> None:
    rules.show_rules(RULES)
    captured = capsys.readouterr()
    assert captured.err == "products out of stock: hide\n"
    assert [line.rstrip() for line in captured.out.splitlines()] == [
        "id    action  by    products                         categories  from        to          enabled",
        'sale  boost   0.05  {"sale":true}                    Shoes       2026-11-01              yes',
        'top   pin           p1 at 1, p2 at 3 if {"a":1}      all                     2026-12-31  no',
        'no    apart         Shoes and Bags with {"c":"[x]"}                                      yes',
    ]


def test_rules_about_looks_alone_are_a_table_too(capsys: Captured) -> None:
    rules.show_rules({**RULES, "rules": []})
    assert len(lines(capsys)) == 2
    rules.show_rules({**RULES, "rules": [], "apart": []})
    captured = capsys.readouterr()
    assert (captured.out, "there are no rules" in captured.err) == ("", True)


def test_the_plain_order_next_to_the_ruled_one(capsys: Captured) -> None:
    a, b = {"id": "a", "title": "A [x]"}, {"id": "b", "title": None}
    moves = [{"reason": "pin", "rule": "top"}, {"reason": "diversity"}]
    ruled = [{**b, "moved": moves}, {**a, "moved": []}, {"id": "c", "title": "C"}]
    rules.show_preview({"plain": [a, b], "ruled": ruled})
    assert lines(capsys) == [
        "place  plain    by the rules  moved by",
        "1      a A [x]  b             pin top, diversity",
        "2      b        a A [x]",
        "3               c C",
    ]
