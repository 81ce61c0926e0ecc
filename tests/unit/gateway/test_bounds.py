"""The bounds of settings and options, each exactly at its edge, and what is taken without a value."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from services.catalogue.merchandising import Merchandising
from services.gateway.imports.options import ImportParameters
from services.gateway.imports.responses import ImportResponse
from services.gateway.look.options import LookOptions, ProductLookOptions
from services.gateway.search.options import ExplainOptions, PhotoOptions, PreviewOptions, SimilarOptions
from services.gateway.search.request import PhotoBody
from services.gateway.search.responses import Similarity
from services.gateway.settings import GatewaySettings
from services.gateway.shop_page import ShopPage

ADDRESS = "https://shop.example/"
COUNTS = (
    *("max_tastes", "max_image_bytes", "max_connections", "max_client_connections", "min_body_bytes_per_s"),
    *("max_bytes_in_flight", "max_client_bytes_in_flight", "max_concurrent_searches", "max_concurrent_similar"),
    *("max_concurrent_writes", "max_import_bytes"),
)
TIMES = (
    *("embedding_timeout_s", "index_timeout_s", "index_refresh_s", "baskets_refresh_s", "rules_refresh_s"),
    *("taste_timeout_s", "taste_ttl_s", "learned_refresh_s", "wait_s", "head_timeout_s", "write_timeout_s"),
    *("search_timeout_s", "keys_refresh_s", "events_days", "fetch_timeout_s"),
)
SHARES = ("index_shadow_share", "index_hedge_share", "baskets_weight", "taste_weight")


def settings(name: str, value: Any) -> GatewaySettings:
    values: dict[str, Any] = {name: value}
    return GatewaySettings(**values)


@pytest.mark.parametrize(
    ("name", "least", "too_low"),
    [
        *((name, 1, 0) for name in COUNTS),
        *((name, 0.01, 0) for name in TIMES),
        *((name, 0, -0.01) for name in SHARES),
        ("taste_attributes", 0, -0.01),
        ("learned_bound", 0, -0.01),
        ("kept_responses_bytes", 0, -1),
        ("port", 0, -1),
        ("admin_port", 0, -1),
        ("index_urls", "http://a:1", ","),
    ],
)
def test_a_setting_has_a_lower_bound(name: str, least: Any, too_low: Any) -> None:
    assert getattr(settings(name, least), name) in (least, (least,))
    with pytest.raises(ValidationError, match=name):
        settings(name, too_low)


@pytest.mark.parametrize(
    ("name", "most", "too_high"),
    [
        *((name, 1, 1.01) for name in SHARES),
        ("taste_attributes", 0.1, 0.11),
        ("learned_bound", 2, 2.01),
        ("port", 65535, 65536),
        ("admin_port", 65535, 65536),
        ("events_days", 3660, 3660.5),
    ],
)
def test_a_setting_has_an_upper_bound(name: str, most: float, too_high: float) -> None:
    assert getattr(settings(name, most), name) == most
    with pytest.raises(ValidationError, match=name):
        settings(name, too_high)


def test_nothing_that_shoppers_or_others_have_to_allow_is_on_by_default() -> None:
    defaults = GatewaySettings()
    assert not (defaults.events_enabled or defaults.events_vectors or defaults.fetch_enabled or defaults.log_json)


@pytest.mark.parametrize(
    ("model", "at_the_bound", "beyond"),
    [
        (PhotoOptions, {"engine": "x" * 64}, {"engine": "x" * 65}),
        (PhotoOptions, {"engine": "x"}, {"engine": ""}),
        (PhotoOptions, {"like": [str(n) for n in range(10)]}, {"like": [str(n) for n in range(11)]}),
        (PhotoOptions, {"unlike": ["x" * 256]}, {"unlike": ["x" * 257]}),
        (PhotoOptions, {"like": '["x"]'}, {"like": '[""]'}),
        (PhotoOptions, {"diversity": 0}, {"diversity": -0.01}),
        (PhotoOptions, {"diversity": 1}, {"diversity": 1.01}),
        (PreviewOptions, {"product": "x" * 256}, {"product": "x" * 257}),
        (PreviewOptions, {"product": "x"}, {"product": ""}),
        (ExplainOptions, {"query_product": "x" * 256}, {"query_product": "x" * 257}),
        (ExplainOptions, {"query_product": "x"}, {"query_product": ""}),
        (ExplainOptions, {"image_index": 0}, {"image_index": -1}),
        (ExplainOptions, {"image_index": 19}, {"image_index": 20}),
        (LookOptions, {"k": 1}, {"k": 0}),
        (LookOptions, {"k": 20}, {"k": 21}),
        (LookOptions, {"diversity": 0}, {"diversity": -0.01}),
        (LookOptions, {"diversity": 1}, {"diversity": 1.01}),
        (LookOptions, {"categories": ["0"] * 50}, {"categories": ["0"] * 51}),
        (PhotoBody, {"image_url": "x" * 2048}, {"image_url": "x" * 2049}),
        (Similarity, {"value": 0.0, "label": "alike"}, {"value": -0.01, "label": "alike"}),
        (Similarity, {"value": 1.0, "label": "alike"}, {"value": 1.01, "label": "alike"}),
        (ImportParameters, {"name": "x" * 200}, {"name": "x" * 201}),
        (ImportParameters, {"name": "x"}, {"name": ""}),
        (ImportParameters, {"limit": 1}, {"limit": 0}),
        (ImportParameters, {"sync_limit": 0}, {"sync_limit": -0.01}),
        (ImportParameters, {"sync_limit": 1}, {"sync_limit": 1.01}),
        (ImportParameters, {"url_template": "{id}".ljust(2048, "x")}, {"url_template": "{id}".ljust(2049, "x")}),
        (
            ImportParameters,
            {"image_base_url": ADDRESS.ljust(2047, "x") + "/"},
            {"image_base_url": ADDRESS.ljust(2048, "x") + "/"},
        ),
        (ShopPage, {"links": [{"text": "x", "url": "/x"}] * 6}, {"links": [{"text": "x", "url": "/x"}] * 7}),
        (ShopPage, {"starters": ["x"] * 8}, {"starters": ["x"] * 9}),
        (ShopPage, {"logo": "/".ljust(2000, "x")}, {"logo": "/".ljust(2001, "x")}),
        (ShopPage, {"name": "x" * 2000}, {"name": "x" * 2001}),
        (ShopPage, {"name": "x"}, {"name": ""}),
    ],
)
def test_an_option_is_taken_up_to_its_bound(
    model: type[BaseModel], at_the_bound: dict[str, Any], beyond: dict[str, Any]
) -> None:
    name = next(iter(at_the_bound))
    assert getattr(model.model_validate(at_the_bound), name) is not None
    with pytest.raises(ValidationError, match=name):
        model.model_validate(beyond)


@pytest.mark.parametrize("name", ["currency", "encoding"])
def test_a_long_name_is_refused_before_it_is_looked_up(name: str) -> None:
    longest = {"currency": 8, "encoding": 40}[name]
    for length, kind in ((longest, "value_error"), (longest + 1, "string_too_long")):
        with pytest.raises(ValidationError) as caught:
            ImportParameters.model_validate({name: "x" * length})
        assert [error["type"] for error in caught.value.errors()] == [kind]


def test_options_that_are_left_out_change_nothing() -> None:
    photo = PhotoOptions()
    assert (photo.like, photo.unlike, photo.garments, photo.crop) == ([], [], "one", "auto")
    assert (photo.diversity, photo.personal, photo.rules, photo.visitor, photo.out_of_stock) == (0, True, *[None] * 3)
    assert not any(options.absolute_urls for options in (photo, SimilarOptions(), LookOptions(), ProductLookOptions()))
    assert (LookOptions().k, LookOptions().categories, LookOptions().diversity) == (4, [], 0.3)
    assert ExplainOptions().image_index == 0
    assert (ImportParameters().name, ImportParameters().sync, ImportParameters().sync_limit) == ("api", False, 0.2)
    assert ImportParameters().feed_mapping == ImportParameters().mapping
    assert ShopPage().look


def test_sync_needs_the_whole_feed() -> None:
    assert ImportParameters(sync=True).sync
    assert ImportParameters(limit=1).limit == 1
    with pytest.raises(ValidationError, match="sync needs the whole feed"):
        ImportParameters(sync=True, limit=1)


def test_a_record_of_an_import_counts_nothing_that_it_does_not_name() -> None:
    times = dict.fromkeys(("started_at", "updated_at"), "2026-05-01T12:00:00+00:00")
    shown = ImportResponse.of({"id": "i", "state": "done", "source": "api", **times}).model_dump()
    counts = {name: value for name, value in shown.items() if isinstance(value, int | float)}
    assert len(counts) == 15
    assert set(counts.values()) == {0}
    assert (shown["progress"], shown["rejected_rows"], shown["notes"]) == ((0, 0), [], [])
    assert "searchable" not in shown
    old = ImportResponse.of({"id": "i", "state": "done", "source": "", **times, "outside": 3, "disagreeing": 4})
    assert (old.skipped, old.category_conflicts) == (3, 4)
    waited = ImportResponse.of({"id": "i", "state": "done", "source": "", **times, "searchable": False})
    assert waited.model_dump()["searchable"] is False


def test_rules_in_text_have_a_bound() -> None:
    text = '{"rules": []}'
    longest = text.ljust(64 * 1024)
    assert SimilarOptions.model_validate({"rules": longest}).rules == Merchandising(rules=[])
    with pytest.raises(ValidationError, match="65,537 characters: at most 65,536"):
        SimilarOptions.model_validate({"rules": longest + " "})
    with pytest.raises(ValidationError, match="the rules are not a JSON object"):
        SimilarOptions.model_validate({"rules": "{"})
