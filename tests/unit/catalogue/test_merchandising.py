"""Merchandising rules: what is accepted, and when they hold."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from services.catalogue.merchandising import MAX_BY, NO_RULES, Merchandising, Rule
from services.contracts.domain.filtering.filter_match import matches
from services.contracts.domain.filtering.filters import any_of
from services.contracts.domain.filtering.instants import EPOCH
from services.contracts.wire.filter_json import parse_filter

SHOES = frozenset(("shoes", "1"))
NOON = datetime(2026, 12, 24, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
BOOST: dict[str, Any] = {"id": "sale", "action": "boost", "by": 0.1, "filter": {"sale": True}}
PIN: dict[str, Any] = {"id": "top", "action": "pin", "pins": [{"id": "a", "position": 1}]}
TWENTY = [{"id": f"p{number}", "position": 1} for number in range(20)]
HIDE: dict[str, Any] = {"id": "recall", "action": "hide", "filter": {"recalled": True}}


def rules(*given: dict[str, Any], **fields: Any) -> Merchandising:
    return Merchandising.model_validate({"rules": given, **fields})


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({**BOOST, "by": None}, "a rule that says boost needs by"),
        ({**BOOST, "filter": {}}, "a rule that says boost needs filter"),
        ({**BOOST, "action": "bury", "by": None}, "a rule that says bury needs by"),
        ({**BOOST, "pins": PIN["pins"]}, "a rule that says boost takes no pins"),
        ({**HIDE, "filter": {}}, "a rule that says hide needs filter"),
        ({**HIDE, "by": 0.1}, "a rule that says hide takes no by"),
        ({**PIN, "pins": []}, "a rule that says pin needs pins"),
        ({**PIN, "by": 0.1}, "a rule that says pin takes no by"),
        ({**PIN, "pins": [{"id": "a", "position": n} for n in (1, 2)]}, "the product 'a' is pinned twice"),
        ({**PIN, "pins": [{"id": "a", "position": 101}]}, "less than or equal to 100"),
        ({**BOOST, "by": MAX_BY + 0.01}, "less than or equal to 0.5"),
        ({**BOOST, "by": 0}, "greater than 0"),
        ({**BOOST, "starts": "24.12.2026"}, "give a date or time in ISO 8601"),
        ({**BOOST, "starts": "2026-12-25", "ends": "2026-12-24"}, "the rule ends before it starts"),
        ({**BOOST, "id": "no spaces"}, "should match pattern"),
        ({**BOOST, "filter": {"$nor": []}}, "unknown operator"),
        ({**BOOST, "margin": 1}, "Extra inputs are not permitted"),
        ({**BOOST, "categories": [True]}, "Input should be a valid string"),
        ({**BOOST, "categories": [["Shoes"]]}, "Input should be a valid string"),
        ({**BOOST, "starts": "2026-12-24T12:00:01Z", "ends": "2026-12-24T12:00:00Z"}, "the rule ends before it starts"),
    ],
)
def test_a_rule_that_means_nothing_is_refused_by_its_place(rule: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        rules(HIDE, rule)
    (error,) = caught.value.errors()
    assert error["loc"][:2] == ("rules", 1)
    assert text in error["msg"]


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"rules": [BOOST, BOOST]}, "two rules have the id 'sale'"),
        ({"apart": [{"id": "a", "garments": [{"category": "Socks"}, {}]}]}, "name a category or give a filter"),
        ({"apart": [{"id": "a", "garments": [{"category": "Socks"}]}]}, "Field required"),
        ({"out_of_stock": "last"}, "Input should be 'show' or 'hide'"),
        (
            {"rules": [{**HIDE, "id": f"r{n}", "filter": {f"a{m}": 1 for m in range(10)}} for n in range(10)]},
            "the rules that hide are too large together",
        ),
        (
            {"rules": [{**BOOST, "id": f"r{n}", "filter": {f"a{m}": 1 for m in range(6)}} for n in range(84)]},
            "at most 500 conditions together",
        ),
        (
            {"rules": [{**PIN, "id": f"r{n}", "pins": TWENTY} for n in range(6)]},
            "pin at most 100 products",
        ),
    ],
)
def test_rules_that_do_not_fit_together_are_refused(document: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        Merchandising.model_validate(document)


@pytest.mark.parametrize(
    ("fields", "moment", "holds"),
    [
        ({}, NOON, True),
        ({"enabled": False}, NOON, False),
        ({"starts": "2026-12-24"}, NOON, True),
        ({"starts": "2026-12-25"}, NOON, False),
        ({"starts": "2026-12-24T12:00:00Z"}, NOON, True),
        ({"starts": "2026-12-24T12:00:00Z"}, NOON - MICROSECOND, False),
        ({"starts": "1970-01-01"}, EPOCH, True),
        ({"starts": "1970-01-01"}, EPOCH - MICROSECOND, False),
        ({"starts": "2026-12-25", "ends": "2026-12-25"}, NOON, False),
        ({"ends": "2026-12-24"}, NOON, True),
        ({"ends": "2026-12-24"}, NOON + timedelta(hours=12) - MICROSECOND, True),
        ({"ends": "2026-12-24"}, NOON + timedelta(hours=12), False),
        ({"ends": "2026-12-23"}, NOON, False),
        ({"ends": "2026-12-24T12:00:00Z"}, NOON, True),
        ({"ends": "2026-12-24T12:00:00Z"}, NOON + MICROSECOND, False),
        ({"ends": "2026-12-24T12:00:00+01:00"}, NOON, False),
        ({"categories": ["SHOES"]}, NOON, True),
        ({"categories": [1]}, NOON, True),
        ({"categories": ["Bags", "Topwear"]}, NOON, False),
    ],
)
def test_a_rule_holds_at_its_time_and_in_its_categories(fields: dict[str, Any], moment: datetime, holds: bool) -> None:
    assert Rule.model_validate({**BOOST, **fields}).holds(moment, SHOES) is holds


def test_rules_are_read_from_their_own_json() -> None:
    written = rules(BOOST, PIN, HIDE, apart=[{"id": "a", "garments": [{"category": "Socks"}, {"filter": {"x": 1}}]}])
    assert Merchandising.model_validate_json(written.model_dump_json()) == written
    assert Merchandising.model_validate(written.model_dump(mode="json")).model_dump() == written.model_dump()


def test_stored_rules_hide_products_out_of_stock_unless_they_say_otherwise() -> None:
    (hidden,) = rules().hidden(NOON, SHOES)
    assert matches(hidden, {"availability": "out_of_stock"})
    assert not matches(hidden, {"availability": "in_stock"})
    assert not matches(hidden, {})
    assert rules(out_of_stock="show").hidden(NOON, SHOES) == NO_RULES.hidden(NOON, SHOES) == []


def test_what_any_rule_hides_is_one_filter_of_the_index() -> None:
    hidden = any_of(rules(HIDE, {**HIDE, "id": "two", "filter": {"age": {"gt": 3}}}).hidden(NOON, SHOES))
    assert parse_filter(hidden.source) == hidden
    assert [matches(hidden, attributes) for attributes in ({"recalled": True}, {"age": 4}, {"age": 3})] == [
        True,
        True,
        False,
    ]


def test_rules_name_their_attributes_and_categories() -> None:
    given = rules(
        {**BOOST, "categories": ["Shoes"]},
        HIDE,
        apart=[{"id": "a", "garments": [{"category": "Socks"}, {"filter": {"style": "Formal"}}]}],
    )
    assert given.attributes == {"sale", "recalled", "style"}
    assert given.categories == {"Shoes", "Socks"}


def boosts(*filters: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**BOOST, "id": f"r{number}", "filter": filter_} for number, filter_ in enumerate(filters)]


def wide(number: int) -> dict[str, Any]:
    """Return a filter of so many conditions, some of them nested."""
    nested = {"$or": [{"a": 1}, {"b": 2}], "$not": {"c": 3}}
    return {**nested, **{f"d{each}": 1 for each in range(number - 3)}}


def test_limits_hold_up_to_their_number() -> None:
    rules(*({**PIN, "id": f"r{n}", "pins": TWENTY} for n in range(5)))
    rules(*boosts(*[wide(10)] * 50))
    with pytest.raises(ValidationError, match="at most 500 conditions together"):
        rules(*boosts(*[wide(10)] * 49, wide(11)))
    side = {"filter": {f"d{each}": 1 for each in range(10)}}
    apart = {"id": "a", "garments": [side, {"filter": {"x": 1}}]}
    with pytest.raises(ValidationError, match="at most 500 conditions together"):
        rules(*boosts(*[wide(10)] * 49), apart=[apart])


@pytest.mark.parametrize(
    ("given", "is_empty"),
    [
        (rules(out_of_stock="show"), True),
        (rules(), False),
        (rules(BOOST, out_of_stock="show"), False),
        (rules(BOOST), False),
    ],
)
def test_rules_that_change_no_search_are_empty(given: Merchandising, is_empty: bool) -> None:
    assert given.is_empty is is_empty


def test_the_rules_that_hold_are_those_of_the_actions_and_of_now() -> None:
    over = {**BOOST, "id": "over", "ends": "2026-12-23"}
    given = rules(BOOST, over, PIN, HIDE)
    assert [rule.id for rule in given.holding(NOON, SHOES, "boost", "pin")] == ["sale", "top"]
    assert given.holding(NOON, SHOES) == []
