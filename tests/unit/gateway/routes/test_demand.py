"""The route of the demand report, around fakes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from services.contracts.domain.errors import CatalogueUnavailable
from tests.support.fakes.gateway_fakes import Gateway, running_gateway
from tests.support.values.events import make_query

NOW = datetime.now(UTC)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway(events_enabled=True) as gateway:
        gateway.catalogue.events.searches += [
            make_query("q1", NOW - timedelta(days=1), outcome="no_close_match", nearest_similarity=0.2),
            make_query("q2", NOW - timedelta(days=1)),
            make_query("q3", NOW - timedelta(days=1), outcome="no_close_match", category="Shoes"),
            make_query("q4", NOW - timedelta(days=40), outcome="no_close_match"),
        ]
        yield gateway


def test_the_report_has_days_and_clusters_of_the_last_thirty_days(gateway: Gateway) -> None:
    document = gateway.client.get("/v1/demand").json()
    assert (document["searches"], document["unmet"], document["grouped_by"]) == (3, 2, "attributes")
    assert {(day["category"], day["searches"]) for day in document["days"]} == {("Topwear", 2), ("Shoes", 1)}
    shoes, tops = sorted(document["clusters"], key=lambda cluster: cluster["category"])
    assert (shoes["category"], shoes["gap"]) == ("Shoes", None)
    assert (tops["category"], tops["similarity"], tops["gap"]) == ("Topwear", 0.2, 0.3)
    assert tops["nearest"] == [{"id": "a", "title": None, "searches": 1, "score": None}]


def test_a_time_a_category_and_a_number_of_clusters_can_be_chosen(gateway: Gateway) -> None:
    def searches(**parameters: str) -> int:
        return int(gateway.client.get("/v1/demand", params=parameters).json()["searches"])

    assert searches(since=f"{NOW - timedelta(days=50):%Y-%m-%d}") == 4
    assert searches(until=f"{NOW - timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}") == 1
    assert searches(category="1") == searches(category="Shoes") == 1
    cut = gateway.client.get("/v1/demand", params={"limit": 1}).json()
    assert (len(cut["clusters"]), cut["clusters_left_out"]) == (1, 1)


def test_the_report_is_a_csv_of_clusters_or_of_days(gateway: Gateway) -> None:
    clusters = gateway.client.get("/v1/demand", params={"format": "csv"})
    assert clusters.headers["content-type"] == "text/csv; charset=utf-8"
    assert "demand-by-cluster.csv" in clusters.headers["content-disposition"]
    assert len(clusters.text.splitlines()) == 3
    days = gateway.client.get("/v1/demand", params={"format": "csv", "by": "day"}).text
    assert days.startswith("day,category,searches")


@pytest.mark.parametrize(
    ("query", "status", "slug"),
    [
        ("since=soon", 422, "invalid-request"),
        ("since=2026-02-01&until=2026-01-01", 422, "invalid-request"),
        ("since=0001-01-01T00:00:00%2B01:00", 422, "invalid-request"),
        ("until=9999-12-31T23:59:00-01:00", 422, "invalid-request"),
        ("until=0001-01-01T00:00:00Z", 422, "invalid-request"),
        ("limit=0", 422, "invalid-request"),
        ("format=xml", 422, "invalid-request"),
        ("sinse=2026-01-01", 422, "invalid-request"),
        ("category=Hats", 404, "unknown-category"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_a_problem(gateway: Gateway, query: str, status: int, slug: str) -> None:
    assert gateway.problem("GET", f"/v1/demand?{query}")[:2] == (status, slug)


@pytest.mark.parametrize("query", ["until=0001-01-02", "since=0001-01-01&until=9999-12-31T23:59:59Z"])
def test_a_period_may_have_any_length(gateway: Gateway, query: str) -> None:
    assert gateway.client.get(f"/v1/demand?{query}").status_code == 200


def test_the_report_needs_events_one_catalogue_and_the_database(gateway: Gateway) -> None:
    assert gateway.problem("GET", "/catalogues/all/v1/demand")[:2] == (404, "unknown-catalogue")
    gateway.catalogue.events.trouble = CatalogueUnavailable("no")
    assert gateway.problem("GET", "/v1/demand")[0] == 503
    gateway.catalogue.events.trouble = None
    with running_gateway() as off:
        assert off.problem("GET", "/v1/demand")[:2] == (409, "events-off")
