"""Every failure has its own message on the page, and no input is injected as HTML or script."""

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from services.sample_shop.catalogue import sample_query
from tests.e2e.steps import CARDS, base64_query, choose, choose_file, deliver, product, wait_for_first, without_garments
from tests.support.servers.shop import Shop, second_gateway
from tests.support.waiting import eventually
from tests.support.web.browser import Watch, watched_page
from tests.support.web.http import ImageServer

HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + b"\x00" * 500
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("name", "data", "title"),
    [
        ("photo.heic", HEIC, "This browser cannot open HEIC photos"),
        ("photo.jpg", b"%PDF-1.7\n%..." + b"0" * 300, "This is a PDF, not a photo"),
        ("photo.png", b"just a few words of text " * 20, "This is not a picture"),
        ("photo.jpg", sample_query(3)[:900], "The photo cannot be read"),
        ("photo.jpg", b"", "The file is empty"),
        ("photo.svg", SVG, "This is a drawing, not a photo"),
        (
            "film.mp4",
            b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1" + b"\x00" * 99,
            "This is a video, not a photo",
        ),
    ],
)
def test_a_file_that_is_no_photo_is_named_by_its_format(
    page: Page, tmp_path: Path, name: str, data: bytes, title: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    choose_file(page, path)
    alert = page.get_by_role("alert")
    expect(alert.get_by_role("heading")).to_have_text(title)
    alert.get_by_role("button", name="Choose another photo").click()
    expect(page.get_by_role("button", name="Choose a photo")).to_be_visible()


def test_a_forty_megapixel_photo_is_made_smaller_and_searched(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    Image.open(io.BytesIO(sample_query(3, "Shoes"))).resize((5400, 7400)).save(path, quality=60)
    choose_file(page, path)
    expect(page.get_by_text("A very large photo: it was made smaller before it was sent.")).to_be_visible()
    expect(page.locator(CARDS)).to_have_count(20)


def test_an_animated_gif_is_searched_by_its_first_frame(page: Page, tmp_path: Path) -> None:
    first = Image.open(io.BytesIO(sample_query(3, "Shoes"))).convert("P")
    path = tmp_path / "moving.gif"
    first.save(path, save_all=True, append_images=[Image.new("P", first.size, 9)], duration=80)
    choose_file(page, path)
    expect(page.get_by_text("An animated picture: only its first frame is used.")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Similar shoes")


@pytest.mark.parametrize("path", ["/missing.jpg", "/text.jpg"])
def test_an_address_without_a_picture_says_so_with_the_request_id(
    page: Page, watch: Watch, pictures: ImageServer, path: str
) -> None:
    watch.expect("status of 4", "Failed to load")
    page.goto("/")
    page.get_by_label("Address of a picture").fill(pictures.url(path))
    page.get_by_role("button", name="Search", exact=True).click()
    alert = page.get_by_role("alert")
    expect(alert.get_by_role("heading")).to_contain_text("picture")
    expect(alert.locator(".request-id code")).not_to_be_empty()
    expect(page.get_by_text("The picture cannot be shown here.")).to_be_visible()


def test_an_address_inside_the_network_is_refused(page: Page, watch: Watch) -> None:
    watch.expect("status of 422", "169.254", "Failed to load")
    page.goto("/")
    page.get_by_label("Address of a picture").fill("http://169.254.169.254/latest.jpg")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_role("alert").get_by_role("heading")).to_have_text("We cannot open this address")


def test_a_connection_lost_during_the_upload_keeps_the_photo_for_a_retry(page: Page, watch: Watch, photo: Path) -> None:
    watch.expect("ERR_CONNECTION_RESET")
    page.route("**/v1/search", lambda route: route.abort("connectionreset"), times=1)
    choose_file(page, photo)
    alert = page.get_by_role("alert")
    expect(alert.get_by_role("heading")).to_have_text("The connection was lost")
    alert.get_by_role("button", name="Try again").click()
    expect(page.locator(CARDS)).to_have_count(20)
    expect(page.locator(".stage canvas")).to_be_visible()


def test_being_offline_has_its_own_message(page: Page, watch: Watch, photo: Path) -> None:
    watch.expect("ERR_INTERNET_DISCONNECTED")
    page.goto("/")
    expect(page.get_by_role("button", name="Choose a photo")).to_be_visible()
    page.context.set_offline(True)
    page.locator("input[type=file]").first.set_input_files(photo)
    expect(page.get_by_role("alert").get_by_role("heading")).to_have_text("You are offline")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(CARDS)).to_have_count(20)


def test_the_same_photo_given_twice_is_searched_for_once(page: Page) -> None:
    requests: list[Route] = []
    page.route("**/v1/search", lambda route: requests.append(route))
    page.goto("/")
    expect(page.get_by_role("button", name="Choose a photo")).to_be_visible()
    data = sample_query(3, "Shoes")
    deliver(page, "drop", data)
    deliver(page, "drop", data)
    expect(page.get_by_role("status").last).to_have_text("This search is already in progress.")
    wait_for_first(page, requests).continue_()
    expect(page.locator(CARDS)).to_have_count(20)
    assert len(requests) == 1


def another_bag(shop: Shop, key: str, **fields: Any) -> AbstractContextManager[None]:
    return product(shop, key, category="Bags", **{"image_base64": base64_query(77, "Bags"), **fields})


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    path = tmp_path / "bag.jpg"
    path.write_bytes(sample_query(77, "Bags"))
    return path


def test_a_title_with_html_in_it_is_text_and_an_address_with_script_is_refused(
    page: Page, shop: Shop, bag: Path
) -> None:
    title = "<img src=x onerror=\"window.hacked=1\"><b>Bag</b> & 'quotes'"
    fields = {"title": title, "attributes": {"<b>": "<script>1</script>"}}
    script = {"url": "javascript:window.hacked=1", "image_base64": base64_query(77, "Bags")}
    assert shop.api.put("/v1/products/html-title", json=script).status_code == 422
    with another_bag(shop, "html-title", **fields):
        choose(page, bag)
        page.goto(page.url.replace("#", "?category=Bags#"))
        card = page.locator(".card[data-id=html-title]")
        expect(card.locator(".card-title")).to_have_text(title)
        assert card.locator("b").count() == 0
        assert page.evaluate("window.hacked") is None


def test_a_product_whose_picture_does_not_load_says_so(
    page: Page, shop: Shop, watch: Watch, pictures: ImageServer, bag: Path
) -> None:
    watch.expect("status of 404")
    title = "A bag without its picture"
    with another_bag(shop, "missing-picture", title=title, image_url=pictures.url("/missing.jpg")):
        page.goto("/?like=missing-picture")
        expect(page.locator(".product-panel").get_by_text("The picture is no longer available")).to_be_visible()


def test_a_product_that_the_shop_no_longer_has_says_so(page: Page, watch: Watch) -> None:
    watch.expect("status of 404")
    page.goto("/?like=unknown")
    alert = page.get_by_role("alert")
    expect(alert.get_by_role("heading")).to_have_text("This product is no longer in the shop")
    alert.get_by_role("button", name="New search").click()
    expect(page.get_by_role("button", name="Choose a photo")).to_be_visible()


def changed(change: Callable[[dict[str, Any]], None]) -> Callable[[Route], None]:
    def handle(route: Route) -> None:
        response = route.fetch().json()
        change(response)
        route.fulfill(json=response)

    return handle


@pytest.mark.parametrize(
    ("outcome", "title"),
    [
        ("no_clothing", "We see nothing to wear here"),
        ("other_clothing", "This kind of garment is not in our photo search"),
    ],
)
def test_without_clothing_the_page_says_so_and_one_click_shows_the_nearest_products(
    page: Page, photo: Path, outcome: str, title: str
) -> None:
    page.route("**/v1/search", changed(lambda response: response.update(outcome=outcome)))
    choose_file(page, photo)
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    assert page.locator(CARDS).count() == 0
    expect(page.get_by_role("group", name="Search in")).to_have_count(0)
    expect(page.get_by_role("heading", name="Filters")).to_be_hidden()
    expect(page.locator(".results-count")).to_have_text("")
    page.get_by_role("button", name="Show the closest anyway").click()
    expect(page.locator(CARDS)).to_have_count(20)


def test_without_a_close_match_the_page_says_so_above_the_nearest_products(page: Page, photo: Path) -> None:
    page.route("**/v1/search", changed(lambda response: response.update(outcome="no_close_match")))
    choose(page, photo)
    expect(page.get_by_role("heading", name="Nothing very similar")).to_be_visible()


def test_the_best_result_has_a_badge_if_it_is_very_similar(page: Page, photo: Path) -> None:
    labels = iter(["nearly the same", "alike"])

    def relabelled(response: dict[str, Any]) -> None:
        label = next(labels)
        for result in response["results"]:
            result["similarity"] = {"value": 0.9, "label": label}

    without_garments(page)
    page.route("**/v1/search", changed(relabelled))
    choose(page, photo)
    expect(page.locator(".badge")).to_have_text(["Nearly the same"])
    page.get_by_role("button", name="Upper part").click()
    expect(page.locator(".badge")).to_have_count(0)


def test_filters_that_no_product_matches_can_be_cleared(page: Page, photo: Path) -> None:
    choose(page, photo)
    page.get_by_label("From", exact=True).fill("99999")
    page.get_by_label("From", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="Nothing like it with these filters")).to_be_visible()
    page.locator(".notice").get_by_role("button", name="Clear them").click()
    expect(page.locator(CARDS)).to_have_count(20)


def test_an_unavailable_service_is_reported_with_the_request_id_and_a_retry(
    chromium: Browser, shop: Shop, photo: Path, tmp_path: Path
) -> None:
    with (
        second_gateway(shop, tmp_path / "gateway.log", INDEX_URL="http://127.0.0.1:9") as url,
        watched_page(chromium, url) as (page, watch),
    ):
        watch.expect("status of 503")
        choose_file(page, photo)
        alert = page.get_by_role("alert")
        expect(alert.get_by_role("heading")).to_have_text("Search is temporarily unavailable")
        alert.get_by_text("Details").click()
        request_id = alert.locator(".request-id code").inner_text()
        eventually(lambda: request_id in (tmp_path / "gateway.log").read_text())
        expect(alert.get_by_text("the index service cannot be reached")).to_be_visible()
        with page.expect_request("**/v1/search"):
            alert.get_by_role("button", name="Try again").click()
        assert watch.unexpected == []


def test_a_page_whose_files_do_not_all_arrive_reloads_itself_once(page: Page, watch: Watch) -> None:
    watch.expect("ERR_CONNECTION_RESET")
    page.route("**/search/bundle.js", lambda route: route.abort("connectionreset"), times=1)
    page.goto("/")
    expect(page.get_by_role("button", name="Choose a photo")).to_be_visible()
    eventually(lambda: page.evaluate("sessionStorage.getItem('lookalike.reloaded') === null"))
