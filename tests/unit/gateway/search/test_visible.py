"""The attributes that searchers see: all, or those of a list."""

import pytest

from services.contracts.domain.errors import InvalidRequest
from services.contracts.domain.filtering.facets import Facet
from services.contracts.domain.filtering.filters import EVERYTHING
from services.contracts.wire.filter_json import parse_filter
from services.gateway.search.visible import VisibleAttributes

ALL, LISTED = VisibleAttributes(), VisibleAttributes(frozenset({"colour", "size"}))


def test_without_a_list_everything_is_shown() -> None:
    facets = [Facet(attribute="cost")]
    assert (ALL.of({"cost": 1}), ALL.facets(facets)) == ({"cost": 1}, facets)
    ALL.check(parse_filter({"cost": 1}), "maker")


def test_with_a_list_only_its_attributes_are_shown() -> None:
    assert LISTED.of({"colour": "red", "cost": 1}) == {"colour": "red"}
    facets = LISTED.facets([Facet(attribute="cost"), Facet(attribute="size")])
    assert [facet.attribute for facet in facets] == ["size"]


def test_with_a_list_only_its_attributes_filter() -> None:
    LISTED.check(EVERYTHING)
    LISTED.check(parse_filter({"colour": "red", "size": "M"}))
    hidden = dict.fromkeys("gfedcba", 1)
    with pytest.raises(InvalidRequest, match=r"cannot be filtered by a, b, c, d, e$"):
        LISTED.check(parse_filter({"colour": "red", **hidden}))


@pytest.mark.parametrize(("name", "is_allowed"), [("colour", True), ("group", True), (None, True), ("cost", False)])
def test_with_a_list_only_its_attributes_and_the_variants_group(name: str | None, is_allowed: bool) -> None:
    if is_allowed:
        LISTED.check(EVERYTHING, name)
    else:
        with pytest.raises(InvalidRequest, match="cannot be grouped by 'cost'"):
            LISTED.check(EVERYTHING, name)
