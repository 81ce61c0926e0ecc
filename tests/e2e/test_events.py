"""What the page and the widget report of a shopper, and that they name a visitor only with consent."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.e2e.test_accessibility import check as assert_accessible
from tests.support.servers.shop import Shop
from tests.support.web.browser import Watch, watched_page
from tests.support.web.foreign import ForeignSite

TILE = ".grid .card:not(.skeleton)"
CARD = "lookalike-search .card:not(.skeleton)"

CLUSTER: dict[str, Any] = {
    "category": "Topwear",
    "type": "Dress",
    "colour": "Red",
    "searches": 12,
    "visitors": 4,
    "no_close_match": 9,
    "without_click": 3,
    "similarity": 0.2,
    "gap": 0.3,
    "nearest": [
        {"id": "x1", "title": "Red top", "searches": 8, "score": None},
        {"id": "x2", "title": None, "searches": 4, "score": None},
    ],
    "days": [["2026-11-30", 12]],
}


def sends(request: Request, action: str) -> bool:
    return request.url.endswith("/v1/events") and event_of(request)["action_name"] == action


def event_of(request: Request) -> dict[str, Any]:
    assert request.post_data is not None
    event: dict[str, Any] = orjson.loads(request.post_data)
    return event


def search(page: Page, photo: Path) -> dict[str, Any]:
    """Search on the page; return the impression of the results in view."""
    with page.expect_request(lambda request: sends(request, "impression")) as impression:
        page.locator("input[type=file]").first.set_input_files(photo)
        expect(page.locator(TILE).first).to_be_visible()
    return event_of(impression.value)


def test_the_page_reports_seen_results_and_clicks_and_no_visitor_without_consent(page: Page, photo: Path) -> None:
    page.goto("/")
    event = search(page, photo)
    shown = event["event_attributes"]["objects"]
    first = page.locator(TILE).first.get_attribute("data-id")
    assert {"object_id": first, "ordinal": 1} in shown
    assert "visitor" not in event
    assert page.evaluate("Object.keys(localStorage).filter((name) => name.includes('visitor'))") == []
    page.evaluate("document.addEventListener('click', (event) => event.preventDefault())")
    with (
        page.expect_request(lambda request: sends(request, "click")) as click,
        page.expect_response(lambda response: sends(response.request, "click")) as response,
    ):
        page.locator(f"{TILE} a.card-link").first.click()
    assert event_of(click.value)["event_attributes"] == {"object": {"object_id": first}, "position": {"ordinal": 1}}
    assert event_of(click.value)["request_id"] == event["request_id"]
    assert response.value.status == 202


def test_the_pieces_of_a_look_are_reported_with_the_request_of_the_look(page: Page) -> None:
    page.goto("/?like=sample-shoes-001")
    expect(page.locator(TILE).first).to_be_visible()
    with page.expect_response("**/look?*") as look:
        page.locator(".completion-holder").scroll_into_view_if_needed()
    request_id = look.value.json()["request_id"]
    page.evaluate("document.addEventListener('click', (event) => event.preventDefault())")
    piece = page.locator(".completion .card").nth(1)
    with page.expect_request(lambda request: sends(request, "click")) as click:
        piece.locator("a.card-link").click()
    assert event_of(click.value)["request_id"] == request_id
    assert event_of(click.value)["event_attributes"] == {
        "object": {"object_id": piece.get_attribute("data-id")},
        "position": {"ordinal": 2},
    }


def test_with_consent_searches_and_events_name_the_same_visitor(page: Page, photo: Path) -> None:
    page.goto("/")
    page.evaluate("lookalike.consent(true)")
    event = search(page, photo)
    assert len(event["visitor"]) == 32
    with page.expect_request("**/similar?*") as sent:
        page.locator(f"{TILE} .card-like").first.click()
    assert f"visitor={event['visitor']}" in sent.value.url
    page.evaluate("lookalike.consent(false)")
    assert page.evaluate("Object.keys(localStorage).filter((name) => name.includes('visitor'))") == []


def test_the_catalogue_page_shows_searches_by_day_and_what_was_not_found(page: Page, photo: Path) -> None:
    page.goto("/")
    search(page, photo)

    def without_match(route: Route) -> None:
        document = route.fetch().json()
        assert document["searches"] > 0
        route.fulfill(json={**document, "clusters": [CLUSTER]})

    page.route("**/v1/demand", without_match)
    expect(page.locator(TILE).first).to_be_visible()
    page.goto("/catalogue")
    row = page.get_by_role("table", name="Wanted most").get_by_role("row", name="Dress · Red")
    expect(row.get_by_role("cell")).to_have_text(["Dress · Red", "Topwear", "12", "9", "3", "0.30", "Red top, x2"])
    days = page.get_by_role("table", name="Searches by day and outcome")
    expect(days.get_by_role("row")).not_to_have_count(1)
    assert_accessible(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    assert download.value.path().read_text().startswith("category,type,colour,searches")


@pytest.fixture
def visit(chromium: Browser, shop: Shop, foreign: ForeignSite) -> Iterator[tuple[Page, Watch]]:
    link = 'link-template="https://elsewhere.example/p/{id}"'
    foreign.gateway, foreign.attributes = shop.url, f'k="4" events data-visitor="shop-7" {link}'
    with watched_page(chromium, foreign.url, {shop.url.removeprefix("http://")}) as (page, watch):
        page.goto("/")
        yield page, watch
        assert watch.unexpected == []


def test_the_widget_reports_the_pieces_of_a_look(
    chromium: Browser, shop: Shop, foreign: ForeignSite, photo: Path
) -> None:
    link = 'link-template="https://elsewhere.example/p/{id}"'
    foreign.gateway, foreign.attributes = shop.url, f'k="4" events complete {link}'
    with watched_page(chromium, foreign.url, {shop.url.removeprefix("http://")}) as (page, watch):
        page.goto("/")
        page.evaluate("document.addEventListener('lookalike-click', (event) => event.preventDefault())")
        page.locator("lookalike-search input[type=file]").set_input_files(photo)
        with page.expect_response("**/v1/look") as look:
            page.locator("lookalike-search .completion").scroll_into_view_if_needed()
        with page.expect_request(lambda request: sends(request, "click")) as click:
            page.locator("lookalike-search .completion .card a").first.click()
        assert event_of(click.value)["request_id"] == look.value.json()["request_id"]
        assert watch.unexpected == []


def test_the_widget_reports_with_the_visitor_that_the_shop_names(visit: tuple[Page, Watch], photo: Path) -> None:
    page, _ = visit
    page.evaluate("document.addEventListener('lookalike-click', (event) => event.preventDefault())")
    with page.expect_request(lambda request: sends(request, "impression")) as impression:
        page.locator("lookalike-search input[type=file]").set_input_files(photo)
        expect(page.locator(CARD)).to_have_count(4)
        page.locator(CARD).first.scroll_into_view_if_needed()
    assert event_of(impression.value)["visitor"] == "shop-7"
    with page.expect_request(lambda request: sends(request, "click")) as click:
        page.locator(f"{CARD} a").first.click()
    assert event_of(click.value)["event_attributes"]["position"] == {"ordinal": 1}
    assert click.value.header_value("content-type") in (None, "text/plain;charset=UTF-8")
