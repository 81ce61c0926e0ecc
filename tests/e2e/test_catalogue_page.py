"""The catalogue page, for the shop's engineers."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.e2e.steps import base64_query, product
from tests.support.servers.shop import OTHERS, SHOES, Shop, second_gateway
from tests.support.servers.stack import ROOT
from tests.support.web.browser import Watch, watched_page
from tools.page_states.check import violations


def figure(page: Page, name: str) -> Locator:
    return page.locator(".figure", has=page.get_by_text(name, exact=True)).locator("dd")


def products(page: Page, category: str) -> Locator:
    table = page.get_by_role("table", name="Products by category")
    return table.get_by_role("row", name=category).get_by_role("cell").nth(1)


def test_counts_sync_model_and_a_sample_are_shown(page: Page) -> None:
    page.goto("/catalogue")
    expect(page.get_by_text("Live: updated every 5 seconds")).to_be_visible()
    expect(figure(page, "Model")).to_have_text("fashion/3")
    expect(figure(page, "Sync")).to_have_text("Following")
    expect(figure(page, "Behind the database")).to_have_text(re.compile(r"^[\d.]+ s$"))
    expect(products(page, "Shoes")).to_have_text(str(SHOES))
    expect(page.locator(".row-of-products")).to_have_count(6)
    expect(page.locator(".neighbours").first.locator("li").first).to_be_visible()


def test_another_sample_is_drawn_on_demand(page: Page) -> None:
    page.goto("/catalogue")
    names = page.locator(".row-of-products > .product .name")
    expect(names).to_have_count(6)
    titles = [f"Sample {number}" for number in range(6)]

    def with_titles(route: Route) -> None:
        products = route.fetch().json()["products"]
        renamed = [{**product, "title": title} for product, title in zip(products, titles, strict=True)]
        route.fulfill(json={"products": renamed})

    page.route("**/v1/products:sample?count=6", with_titles)
    page.get_by_role("button", name="Another sample").click()
    expect(names).to_have_text(titles)


def test_a_new_product_is_counted_without_a_reload(page: Page, shop: Shop) -> None:
    """In a category that no other test changes: a deleted product may still count when the next test starts."""
    page.goto("/catalogue")
    expect(products(page, "Socks")).to_have_text(str(OTHERS))
    with product(shop, "another", category="Socks", image_base64=base64_query(5, "Socks")):
        expect(products(page, "Socks")).to_have_text(str(OTHERS + 1))


def test_with_an_admin_key_the_page_asks_for_it_and_forgets_it_on_demand(
    chromium: Browser, shop: Shop, tmp_path: Path
) -> None:
    with (
        second_gateway(shop, tmp_path / "gateway.log", GATEWAY_ADMIN_KEY="open sesame") as url,
        watched_page(chromium, url) as (page, watch),
    ):
        watch.expect("status of 401")
        page.goto("/catalogue")
        key = page.get_by_label("Admin key")
        expect(key).to_be_focused()
        expect(page.locator(".figures")).to_have_count(0)
        key.fill("wrong")
        key.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("The key is wrong.")
        page.get_by_label("Admin key").fill("open sesame")
        page.get_by_role("button", name="Open").click()
        expect(page.locator(".figures").first).to_be_visible()
        page.reload()
        expect(page.locator(".figures").first).to_be_visible()
        page.get_by_role("button", name="Forget the key").click()
        expect(page.get_by_label("Admin key")).to_be_visible()
        assert page.evaluate("sessionStorage.getItem('lookalike.admin-key')") is None
        assert watch.unexpected == []


def test_the_last_import_is_shown_with_the_rows_it_rejected(page: Page, shop: Shop, tmp_path: Path) -> None:
    feed = tmp_path / "feed.ndjson"
    feed.write_text('{"id": "broken-1", "image": "nowhere.jpg", "category": "Bags"}\n')
    command = [sys.executable, "-m", "services.cli.main", "import", str(feed), "--rejected", str(tmp_path / "rejected")]
    settings = {"EMBEDDING_URL": shop.settings.embedding_url, "MONGO_URL": shop.settings.mongo_url}
    subprocess.run(command, env={**os.environ, **settings}, cwd=ROOT, check=False, capture_output=True)
    page.goto("/catalogue")
    expect(page.get_by_role("heading", name="Last import")).to_be_visible()
    expect(page.locator(".import-line")).to_have_text(re.compile(r"^Done · feed\.ndjson · .+ · .*1 rejected"))
    expect(page.get_by_role("region", name="Rejected rows").get_by_role("row").last).to_contain_text("broken-1")


def test_a_product_is_looked_up_with_its_neighbours_and_the_place_at_which_a_photo_finds_it(
    page: Page, watch: Watch, photo: Path
) -> None:
    watch.expect("status of 404")
    page.goto("/catalogue")
    page.get_by_label("Id of the product").fill("sample-shoes-001")
    page.get_by_role("button", name="Look up").click()
    panel = page.locator(".inspection")
    expect(panel.locator(".checks li")).to_contain_text(
        [
            "The catalogue has it",
            "vector of the active model, fashion/3",
            "The index has it",
            "Its category is Shoes",
            "It was added on",
            "A request for this product last changed it on",
        ]
    )
    expect(panel.locator(".neighbours li")).to_have_count(8)
    panel.locator("input[type=file]").set_input_files(photo)
    expect(panel.get_by_role("status")).to_contain_text(re.compile(r"It is number \d+, with the score 0\.\d+"))
    panel.locator(".neighbours button").first.click()
    explanation = panel.locator(".explanation")
    expect(explanation.get_by_role("heading")).to_have_text(re.compile(r"^Why .+: cosine similarity [01]\.\d{3}$"))
    expect(explanation.locator(".heat span")).to_have_count(2 * 49)
    expect(explanation.locator("figcaption")).to_have_text([re.compile("^Searched picture: "), re.compile("^Result: ")])
    for image in explanation.locator("img").all():
        expect(image).not_to_have_js_property("naturalWidth", 0)
    assert violations(page) == []
    panel.locator(".trial [role=status] button").click()
    expect(explanation.get_by_role("heading")).to_contain_text("Why ")
    expect(explanation.locator("img").first).to_have_attribute("src", re.compile("^data:image/jpeg"))
    page.get_by_label("Id of the product").fill("nothing")
    page.get_by_role("button", name="Look up").click()
    expect(panel).to_contain_text("The catalogue has no product with this id")


def test_the_doctors_findings_are_shown_with_their_examples(page: Page, shop: Shop) -> None:
    page.goto("/catalogue")
    expect(page.get_by_text("The catalogue has not been examined yet")).to_be_visible()
    body = {"image_base64": base64_query(8, "Shoes"), "category": "Bags"}
    settings = {"EMBEDDING_URL": shop.settings.embedding_url, "MONGO_URL": shop.settings.mongo_url}
    command = [sys.executable, "-m", "services.cli.main", "doctor"]
    with product(shop, "twin-1", **body), product(shop, "twin-2", **body):
        doctor = subprocess.run(command, env={**os.environ, **settings}, cwd=ROOT, check=False, capture_output=True)
    assert doctor.returncode == 3
    page.goto("/catalogue")
    expect(page.get_by_text("Images that several products have: 1")).to_be_visible()
    page.get_by_text("Products whose category in the feed is not the predicted one").click()
    expect(page.get_by_role("listitem").filter(has_text="twin-1").last).to_be_visible()
    assert violations(page) == []


@pytest.fixture
def rules(shop: Shop) -> Iterator[list[str]]:
    """A pin of a shoe's fourth similar product, and a rule that has ended; yields the ids of the plain order."""
    path = "/v1/merchandising/rules"
    similar = [result["id"] for result in shop.api.get("/v1/products/sample-shoes-001/similar").json()["results"]]
    document: dict[str, Any] = {
        "rules": [
            {"id": "campaign", "action": "pin", "pins": [{"id": similar[3], "position": 1}], "note": "Spring"},
            {"id": "recall", "action": "hide", "filter": {"recalled": True}, "ends": "2020-01-01"},
        ]
    }
    shop.api.put(path, json=document).raise_for_status()
    yield similar
    shop.api.put(path, json={"rules": [], "out_of_stock": "show"}).raise_for_status()


def test_rules_are_listed_with_their_state_and_previewed_next_to_the_plain_order(page: Page, rules: list[str]) -> None:
    page.goto("/catalogue")
    rows = page.get_by_role("table", name="Rules, the first before the others").get_by_role("row")
    pin = ["campaign: Spring", f"Pin {rules[3]} to place 1", "all", "all", "always", "In force"]
    expect(rows.nth(1).get_by_role("cell")).to_have_text(pin)
    hide = ["recall", "Hide", "recalled = true", "all", "until 2020-01-01", "Ended"]
    expect(rows.nth(2).get_by_role("cell")).to_have_text(hide)
    page.get_by_label("Preview similar products of").fill("sample-shoes-001")
    page.get_by_role("button", name="Preview", exact=True).click()
    orders = page.locator(".inspection ul")
    expect(orders).to_have_count(2)
    expect(orders.first.locator(".score").nth(3)).to_have_text("4, now 1")
    expect(orders.last.locator(".score").first).to_have_text("1, before 4 · pin campaign")
    assert violations(page) == []
