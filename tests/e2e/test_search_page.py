"""The search page, as a shopper uses it."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from services.contracts.domain.garments import overlaps
from services.sample_shop.catalogue import sample_query
from tests.e2e.steps import (
    CARDS,
    choose,
    choose_file,
    deliver,
    titles,
    wait_for_first,
    with_variants,
    without_garments,
)
from tests.support.pictures.scenes import table
from tests.support.servers.shop import SHOES, Shop
from tests.support.web.browser import Watch
from tests.support.web.http import ImageServer
from tools.page_states.states import GARMENTS

RECORD_FIELDS = """
window.fields = [];
const append = FormData.prototype.append;
FormData.prototype.append = function (name, ...value) {
  window.fields.push(`${name}=${value[0]}`);
  return append.call(this, name, ...value);
};
"""


def test_a_chosen_photo_brings_its_category_and_products_with_their_details(page: Page, photo: Path) -> None:
    choose(page, photo)
    expect(page.get_by_role("heading", level=1)).to_have_text("Similar shoes")
    expect(page.locator(CARDS)).to_have_count(20)
    first = page.locator(CARDS).first
    assert (first.get_by_role("link").get_attribute("href") or "").startswith("https://shop.example/products/")
    expect(first.locator(".price")).to_have_text(re.compile(r"€\d+\.\d\d"))
    assert page.locator(".badge").count() <= 1  # of the best result only
    assert "%" not in page.locator(".results").inner_text()
    image = first.locator("img")
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("image => image.naturalWidth") == 240
    assert "w=240" in (image.get_attribute("src") or "")


def test_images_have_sizes_and_those_out_of_sight_load_lazily(page: Page, photo: Path) -> None:
    choose(page, photo)
    images = page.locator(f"{CARDS} img")
    assert images.first.get_attribute("loading") == "eager"
    assert images.last.get_attribute("loading") == "lazy"
    assert all(image.get_attribute("width") and image.get_attribute("height") for image in images.all())


def test_a_photo_is_made_smaller_before_it_is_sent(page: Page, tmp_path: Path) -> None:
    big = tmp_path / "big.jpg"
    Image.effect_noise((2400, 3200), 60).convert("RGB").save(big, quality=90)
    with page.expect_request("**/v1/search") as request:
        page.goto("/")
        page.locator("input[type=file]").first.set_input_files(big)
    size = int(request.value.all_headers()["content-length"])
    assert big.stat().st_size > 3_000_000
    assert 1_000 < size < 600_000


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_photo_can_be_dropped_and_pasted_anywhere(page: Page, event: str) -> None:
    page.goto("/")
    expect(page.get_by_role("button", name="Choose a photo")).to_be_visible()
    deliver(page, event, sample_query(3, "Shoes"))
    expect(page.locator(CARDS)).to_have_count(20)


def test_a_picture_is_searched_by_its_address(page: Page, pictures: ImageServer) -> None:
    page.goto("/")
    page.get_by_label("Address of a picture").fill(pictures.url("/shoe.jpg"))
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator(CARDS)).to_have_count(20)
    assert "?image=http" in page.url


def test_a_text_that_is_no_address_is_refused_in_its_field(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Address of a picture").fill("my shoes")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_text("Enter an address that starts with https://")).to_be_visible()
    expect(page.get_by_label("Address of a picture")).to_be_focused()


def test_a_photo_is_taken_with_the_camera(page: Page) -> None:
    page.context.grant_permissions(["camera"])
    page.goto("/")
    page.get_by_role("button", name="Take a photo").click()
    dialog = page.get_by_role("dialog", name="Take a photo")
    snap = dialog.get_by_role("button", name="Take the photo")
    expect(snap).to_be_enabled()
    expect(snap).to_be_focused()
    snap.click()
    expect(dialog).to_be_hidden()
    expect(page.locator(".stage canvas")).to_be_visible()
    expect(page.locator(".results")).to_have_attribute("aria-busy", "false")


def test_the_frame_is_dragged_and_only_its_part_of_the_photo_is_sent(page: Page, photo: Path) -> None:
    choose(page, photo)
    whole = page.locator(".stage").bounding_box()
    assert whole is not None
    with page.expect_request("**/v1/search") as request:
        page.mouse.move(whole["x"] + 4, whole["y"] + 4)
        page.mouse.down()
        page.mouse.move(whole["x"] + whole["width"] * 0.4, whole["y"] + whole["height"] * 0.3, steps=5)
        page.mouse.up()
    assert request.value.method == "POST"
    left = int(page.get_by_role("slider", name="Left edge").get_attribute("aria-valuenow") or "0")
    top = int(page.get_by_role("slider", name="Top edge").get_attribute("aria-valuenow") or "0")
    assert 35 <= left <= 42
    assert 25 <= top <= 32
    expect(page.locator(CARDS).first).to_be_visible()


def test_the_frame_is_set_with_one_click(page: Page, photo: Path) -> None:
    without_garments(page)
    choose(page, photo)
    with page.expect_request("**/v1/search"):
        page.get_by_role("button", name="Lower part").click()
    expect(page.get_by_role("button", name="Lower part")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("slider", name="Top edge")).to_have_attribute("aria-valuenow", "45")


def test_one_click_searches_another_category_and_the_back_button_returns(page: Page, photo: Path) -> None:
    choose(page, photo)
    page.get_by_role("button", name="All categories").click()
    page.get_by_role("button", name=re.compile("^Bags")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Similar bags")
    assert "category=Bags" in page.url
    expect(page.get_by_role("button", name="Bags", exact=True)).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Similar shoes")
    page.go_forward()
    expect(page.get_by_role("heading", level=1)).to_have_text("Similar bags")


def test_a_filter_leaves_as_many_products_as_its_count(page: Page, photo: Path) -> None:
    choose(page, photo)
    box = page.locator(".facet", has=page.get_by_text("For", exact=True)).get_by_role("checkbox").first
    count = int(re.search(r"(\d+) product", box.get_attribute("aria-label") or "").group(1))  # type: ignore[union-attr]
    value = (box.get_attribute("aria-label") or "").split(",")[0]
    box.check()
    expect(page.locator(CARDS)).to_have_count(min(20, count))
    assert "filter=" in page.url
    expect(page.get_by_role("checkbox", name=re.compile(f"^{value}"))).to_be_focused()
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator(CARDS)).to_have_count(20)


def test_a_price_range_filters(page: Page, photo: Path) -> None:
    choose(page, photo)
    page.get_by_label("To", exact=True).fill("60")
    page.get_by_label("To", exact=True).press("Tab")
    expect(page.get_by_text("1 filter set")).to_be_visible()
    page.wait_for_function(  # the results of the whole range are shown until the others come
        """() => {
          const prices = [...document.querySelectorAll(".results > .grid .price")];
          return prices.length > 0 && prices.every((price) => Number(price.innerText.slice(1)) <= 60);
        }"""
    )


def test_more_like_this_searches_with_the_product_and_moves_the_focus(page: Page, photo: Path) -> None:
    choose(page, photo)
    before = titles(page)
    card = page.locator(CARDS).nth(2)
    card.get_by_role("button", name=re.compile("^More like this")).click()
    expect(page.locator(".product-title")).to_have_text(before[2])
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert "?like=sample-" in page.url
    page.go_back()
    expect(page.locator(".stage canvas")).to_be_visible()
    expect(page.locator(f"{CARDS} .card-title").first).to_have_text(before[0])
    assert titles(page) == before


def test_a_link_to_similar_products_opens_for_others(page: Page, shop: Shop) -> None:
    page.goto("/?like=sample-shoes-001")
    expect(page.locator(CARDS)).to_have_count(20)
    expect(page.locator(".product-title")).not_to_have_text("sample-shoes-001")
    assert page.title().startswith("Similar shoes")


def test_variants_are_one_tile_with_their_colours_and_products_with_one_picture_are_its_offers(
    page: Page, photo: Path
) -> None:
    with_variants(page)
    choose(page, photo)
    expect(page.locator(CARDS)).to_have_count(16)
    dots = page.locator(CARDS).first.get_by_role("list", name="Other colours").get_by_role("link")
    expect(dots).to_have_text(["Navy Blue", "Red", "Sunset"])
    assert dots.nth(1).evaluate("dot => getComputedStyle(dot, '::before').backgroundColor") == "rgb(255, 0, 0)"
    offers = page.locator(CARDS).nth(1).locator(".offers")
    expect(offers.locator("summary")).to_have_text("2 offers from €10.00")
    offers.locator("summary").click()
    expect(offers.get_by_role("link")).to_have_count(2)


def test_garments_that_arrive_late_do_not_move_the_page(page: Page, photo: Path) -> None:
    held: list[Route] = []
    page.route("**/v1/detect", lambda route: held.append(route))
    choose(page, photo)
    route = wait_for_first(page, held)
    card = page.locator(CARDS).nth(8)
    before = card.evaluate("card => { scrollTo(0, 600); return card.getBoundingClientRect().top; }")
    route.fulfill(json={**route.fetch().json(), "garments": GARMENTS})
    expect(page.locator(".garment-chips")).to_have_count(1)
    assert abs(card.evaluate("card => card.getBoundingClientRect().top") - before) < 2


def test_a_response_does_not_move_the_frame_under_the_shoppers_hand(page: Page, photo: Path) -> None:
    without_garments(page)
    choose(page, photo)
    held: list[Route] = []
    page.route("**/v1/search", lambda route: held.append(route))
    edge = page.get_by_role("slider", name="Left edge")
    edge.press("ArrowRight")
    route = wait_for_first(page, held)
    box = edge.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 6, box["y"] + box["height"] / 4)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + box["height"] / 4)
    moved = edge.get_attribute("aria-valuenow")
    assert int(moved or 0) > 2
    route.continue_()
    expect(page.locator(".results")).to_have_attribute("aria-busy", "false")
    expect(edge).to_have_attribute("aria-valuenow", moved or "")
    page.mouse.up()


def test_more_results_are_shown_on_demand(page: Page, photo: Path) -> None:
    choose(page, photo)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator(CARDS)).to_have_count(SHOES)
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)


def test_a_reload_keeps_the_photo_and_its_results(page: Page, photo: Path) -> None:
    choose(page, photo)
    before = titles(page)
    page.reload()
    expect(page.locator(CARDS)).to_have_count(20)
    assert len(set(before) & set(titles(page))) >= 15


def test_a_reload_during_the_search_keeps_the_photo(page: Page, photo: Path) -> None:
    page.route("**/v1/search", lambda route: None)
    choose_file(page, photo)
    page.wait_for_url("**/#visit=*")
    page.unroute("**/v1/search")
    page.reload()
    expect(page.locator(".stage canvas")).to_be_visible()
    expect(page.locator(CARDS)).to_have_count(20)


def test_a_late_response_does_not_restore_forgotten_searches(page: Page) -> None:
    requests: list[Route] = []
    page.route("**/v1/products/sample-shoes-001", lambda route: requests.append(route))
    page.goto("/?like=sample-shoes-001")
    expect(page.locator(".visit-item")).to_have_count(1)
    request = wait_for_first(page, requests)
    page.get_by_role("button", name="Forget them").click()
    request.continue_()
    expect(page.locator(".product-panel")).to_be_visible()
    expect(page.locator(".visit-item")).to_have_count(0)
    assert page.evaluate("sessionStorage.getItem('lookalike.visit')") == "[]"


def test_a_shared_link_carries_the_photo_in_its_fragment_and_nowhere_else(
    page: Page, photo: Path, watch: Watch
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    choose(page, photo)
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_text("It contains a small copy of your photo")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert len(link) < 9000
    other = page.context.new_page()
    watch.listen(other)
    other.goto(link)
    expect(other.locator(CARDS).first).to_be_visible()
    expect(other.get_by_role("heading", level=1)).to_have_text("Similar shoes")
    packed = link.partition("#photo=")[2][:40]
    assert len(packed) == 40
    assert not any(packed in request for request in watch.requests)


def test_the_address_of_another_tabs_photo_says_that_it_is_not_here(page: Page) -> None:
    page.goto("/#visit=0a1b2c3d")
    expect(page.get_by_text("This photo is no longer here")).to_be_visible()
    expect(page.get_by_role("button", name="Choose a photo")).to_be_visible()


def test_the_searches_of_the_visit_can_be_repeated_and_forgotten(page: Page, photo: Path) -> None:
    choose(page, photo)
    page.locator(CARDS).first.get_by_role("button").click()
    expect(page.locator(".product-title")).to_be_visible()
    expect(page.locator(CARDS)).to_have_count(20)
    page.get_by_role("button", name="New search").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Find it by how it looks")
    history = page.locator(".visit-item")
    expect(history).to_have_count(2)
    history.last.click()
    expect(page.locator(".stage canvas")).to_be_visible()
    expect(page.locator(CARDS)).to_have_count(20)
    page.get_by_role("button", name="Forget them").click()
    expect(history).to_have_count(0)
    assert page.evaluate("sessionStorage.getItem('lookalike.visit')") == "[]"


def test_a_search_can_start_from_a_product_of_the_shop(page: Page) -> None:
    page.goto("/")
    page.locator(".sample").first.click()
    expect(page.locator(CARDS).first).to_be_visible()


def test_a_tap_on_a_garments_chip_searches_with_its_box_and_its_category_as_a_prior(page: Page, photo: Path) -> None:
    box = {"x": 0.1, "y": 0.2, "width": 0.5, "height": 0.4}
    garments = [{"box": box, "category": {"id": 1, "name": "Shoes", "probability": 0.91}}]
    page.add_init_script(RECORD_FIELDS)
    page.route("**/v1/detect", lambda route: route.fulfill(json={**route.fetch().json(), "garments": garments}))
    choose(page, photo)
    chips = page.get_by_role("group", name="In your photo")
    expect(chips.get_by_role("button", name="Whole photo")).to_have_attribute("aria-pressed", "true")
    with page.expect_response("**/v1/search"):
        chips.get_by_role("button", name="Shoes").click()
    expect(page.get_by_role("slider", name="Left edge")).to_have_attribute("aria-valuenow", "10")
    expect(page.get_by_role("slider", name="Bottom edge")).to_have_attribute("aria-valuenow", "60")
    expect(page.locator(".results")).to_have_attribute("aria-busy", "false")
    expect(chips.get_by_role("button", name="Shoes")).to_have_attribute("aria-pressed", "true")
    fields = page.evaluate("window.fields")
    assert {"crop=none", "prior=Shoes"} <= set(fields)


def test_the_frame_shows_the_garment_that_the_search_has_found_by_itself(page: Page, photo: Path) -> None:
    box = {"x": 0.1, "y": 0.2, "width": 0.5, "height": 0.4}
    crops = [{"box": box, "category": {"id": 1, "name": "Shoes", "probability": 0.91}}, None]
    page.add_init_script(RECORD_FIELDS)
    without_garments(page)
    page.route("**/v1/search", lambda route: route.fulfill(json={**route.fetch().json(), "crop": crops.pop(0)}))
    choose(page, photo)
    left = page.get_by_role("slider", name="Left edge")
    expect(left).to_have_attribute("aria-valuenow", "10")
    assert not [field for field in page.evaluate("window.fields") if field.startswith("crop=")]
    with page.expect_response("**/v1/search"):
        page.get_by_role("button", name="Whole photo").click()
    expect(left).to_have_attribute("aria-valuenow", "0")
    assert [field for field in page.evaluate("window.fields") if field.startswith("crop=")] == ["crop=none"]


def test_where_the_whole_photo_is_refused_the_surest_garment_of_an_outfit_is_searched_at_once(
    page: Page, photo: Path
) -> None:
    shoe, bag = {"x": 0.1, "y": 0.2, "width": 0.5, "height": 0.4}, {"x": 0.6, "y": 0, "width": 0.3, "height": 1}
    boxes = [("Shoes", shoe), ("Bags", bag)]
    garments = [{"box": box, "category": {"id": 1, "name": name, "probability": 0.9}} for name, box in boxes]
    outcomes = iter(["other_clothing", "ok"])
    page.route("**/v1/detect", lambda route: route.fulfill(json={**route.fetch().json(), "garments": garments}))
    page.route("**/v1/search", lambda route: route.fulfill(json={**route.fetch().json(), "outcome": next(outcomes)}))
    choose(page, photo)
    chips = page.get_by_role("group", name="In your photo")
    expect(chips.get_by_role("button", name="Shoes")).to_have_attribute("aria-pressed", "true")


def test_the_garments_of_a_photo_are_detected_once_and_stay_while_its_parts_are_searched_with(
    page: Page, tmp_path: Path
) -> None:
    """With the shipped detector: a shirt and a shoe on a table."""
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    data, boxes = table()
    (tmp_path / "table.jpg").write_bytes(data)
    choose(page, tmp_path / "table.jpg")
    proposed = page.get_by_role("group", name="In your photo").get_by_role("button")
    names = {"Topwear": "Tops", "Shoes": "Shoes"}
    for category in boxes:
        expect(proposed.filter(has_text=names[category])).to_have_count(1)
    count = proposed.count()
    page.get_by_role("button", name="Whole photo").click()  # the frame is then around no garment
    for category, box in boxes.items():
        with page.expect_response("**/v1/search"):
            proposed.filter(has_text=names[category]).click()
        sides = [page.get_by_role("slider", name=f"{side} edge") for side in ("Left", "Top", "Right", "Bottom")]
        crop = [float(side.get_attribute("aria-valuenow") or 0) / 100 for side in sides]
        assert overlaps(np.array([crop], np.float32), np.array([box], np.float32))[0, 0] > 0.5
    expect(page.locator(".results")).to_have_attribute("aria-busy", "false")
    expect(proposed).to_have_count(count)
    assert len([url for url in requests if url.endswith("/v1/detect")]) == 1


def test_dark_and_light_follow_the_system_until_the_visitor_chooses(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto("/")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Dark or light").click()
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark == "rgb(20, 19, 18)"
    assert light == "rgb(248, 246, 242)"
    page.reload()
    expect(page.get_by_role("button", name="Choose a photo")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == light
