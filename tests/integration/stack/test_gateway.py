"""The public API of a whole running stack: what a shop's engineers rely on."""

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image, ImageDraw

from services.local.stack import Stack
from services.sample_shop.catalogue import sample_products, sample_query
from tests.support.servers.shop import Shop, second_gateway
from tests.support.waiting import WITHIN_S, eventually
from tests.support.web.http import ImageServer

PHOTO = sample_query(3)
IMAGE = {"Content-Type": "image/jpeg"}


def picture(colour: tuple[int, ...] = (200, 30, 30), size: tuple[int, int] = (120, 160), **save: Any) -> bytes:
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).rectangle((30, 40, size[0] - 30, size[1] - 20), fill=colour)
    file = io.BytesIO()
    image.save(file, save.pop("format", "JPEG"), **save)
    return file.getvalue()


def search(api: httpx.Client, data: bytes, **options: Any) -> httpx.Response:
    return api.post("/v1/search", content=data, headers=IMAGE, params=options)


@pytest.fixture(scope="module")
def catalogue(api: httpx.Client) -> list[str]:
    """Three drawn products a category, put through the API."""
    keys = []
    for product in sample_products(per_category=3):
        body = {
            "title": product.title,
            "url": product.url,
            "category": product.category,
            "attributes": dict(product.attributes),
            "image_base64": base64.b64encode(product.jpeg()).decode(),
        }
        assert api.put(f"/v1/products/{product.id}", json=body).status_code == 201
        keys.append(product.id)
    eventually(lambda: api.get("/v1/stats").json()["products"] >= len(keys))
    return keys


def test_a_search_returns_a_category_and_products_with_urls_best_first(api: httpx.Client, catalogue: list[str]) -> None:
    response = search(api, PHOTO).json()
    assert response["outcome"] == "ok"
    assert response["category"]["probability"] == max(response["probabilities"].values())
    assert sum(response["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    scores = [result["score"] for result in response["results"]]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) >= 3
    assert all(result["category"] == response["category"]["name"] for result in response["results"])
    assert all(result["url"] == f"https://shop.example/products/{result['id']}" for result in response["results"])
    assert {"decode", "network", "index", "total"} <= set(response["timings_ms"])
    assert response["model"] == "fashion/3"


def test_form_raw_body_and_base64_give_the_same_results(api: httpx.Client, catalogue: list[str]) -> None:
    responses = [
        search(api, PHOTO).json(),
        api.post("/v1/search", files={"image": ("a.jpg", PHOTO, "image/jpeg")}).json(),
        api.post("/v1/search", json={"image_base64": base64.b64encode(PHOTO).decode()}).json(),
    ]
    results = [[(r["id"], round(r["score"], 5)) for r in response["results"]] for response in responses]
    assert results[0] == results[1] == results[2]


def test_each_result_has_its_similarity_as_label_and_value(api: httpx.Client, catalogue: list[str]) -> None:
    results = search(api, PHOTO, k=100).json()["results"]
    values = [result["similarity"]["value"] for result in results]
    assert values == sorted(values, reverse=True)
    category = next(c for c in api.get("/v1/categories").json()["categories"] if c["name"] == results[0]["category"])
    assert [value >= 0.5 for value in values] == [result["score"] >= category["close_score"] for result in results]
    assert all(
        ("alike" in result["similarity"]["label"]) or result["similarity"]["value"] >= 0.95 for result in results
    )


def test_the_picture_of_a_product_is_nearly_the_same_as_it(api: httpx.Client, catalogue: list[str]) -> None:
    picture = api.get(f"/v1/products/{catalogue[0]}/image").content
    first = search(api, picture, category="Topwear").json()["results"][0]
    assert (first["id"], first["similarity"]["label"]) == (catalogue[0], "nearly the same")


def test_a_product_put_is_first_for_its_own_image_and_gone_after_its_delete(api: httpx.Client) -> None:
    data = picture((20, 90, 160))
    put = api.put(
        "/v1/products/own-image", files={"image": data}, data={"product": '{"url": "https://shop.example/o"}'}
    )
    assert put.status_code == 201

    def first() -> dict[str, Any]:
        results = search(api, data).json()["results"]
        return results[0] if results and results[0]["id"] == "own-image" else {}

    result = eventually(first)
    assert result["score"] > 0.999
    assert result["url"] == "https://shop.example/o"
    assert api.get(result["image_url"]).content == data
    assert api.delete("/v1/products/own-image").status_code == 204
    eventually(lambda: all(r["id"] != "own-image" for r in search(api, data, k=100).json()["results"]))
    assert api.get("/v1/products/own-image").status_code == 404
    assert api.get(result["image_url"]).status_code == 404


def test_a_product_is_found_by_each_of_its_images_and_once(api: httpx.Client, pictures: ImageServer) -> None:
    front, back, label = (
        picture((250, 120, 10)),
        picture((10, 250, 240)),
        picture((90, 10, 250), (300, 400), format="PNG"),
    )
    pictures.pages["/back.jpg"] = back
    listed = [{"url": pictures.url("/back.jpg")}, {"base64": base64.b64encode(label).decode()}]
    body = {"category": "Bags", "image_base64": base64.b64encode(front).decode(), "images": listed}
    put = api.put("/v1/products/several", json=body)
    assert put.status_code == 201, put.text
    assert api.get("/v1/products/several").json() == put.json()
    linked, stored = (image["url"] for image in put.json()["images"])
    assert linked == pictures.url("/back.jpg")
    kept = api.get(stored)
    assert (kept.content, kept.headers["content-type"]) == (label, "image/png")
    assert "immutable" in kept.headers["cache-control"]
    assert api.get(f"{stored}&w=120").headers["content-type"] == "image/webp"

    def matches(data: bytes) -> list[tuple[int, str]]:
        results = search(api, data, category="Bags", k=100).json()["results"]
        return [(r["image_index"], r["image_url"]) for r in results if r["id"] == "several" and r["score"] > 0.999]

    for number, (data, url) in enumerate([(front, put.json()["image_url"]), (back, linked), (label, stored)]):
        assert eventually(lambda data=data: matches(data)) == [(number, url)]  # type: ignore[misc]
    files: Any = [("image", front), ("images", back), ("product", (None, b'{"category": "Bags"}'))]
    assert api.put("/v1/products/several", files=files).status_code == 200
    eventually(lambda: not matches(label))
    assert api.get(stored).status_code == 404
    shown = api.get("/v1/products/several").json()["images"]
    assert [api.get(image["url"]).content for image in shown] == [back]
    again = api.put("/v1/products/several", json={"title": "Renamed", "images": [*shown, *shown]})
    assert (again.status_code, again.json()["images"]) == (200, shown)
    assert api.delete("/v1/products/several").status_code == 204
    assert api.get(shown[0]["url"]).status_code == 404


def test_an_invalid_additional_image_is_named_and_nothing_is_written(api: httpx.Client, pictures: ImageServer) -> None:
    good = base64.b64encode(picture()).decode()
    for wrong, status, slug, text in [
        ({"url": pictures.url("/status/404")}, 422, "image-url-failed", "images.1: the image URL answered 404"),
        ({"url": "http://10.0.0.1/a.png"}, 422, "image-url-refused", "images.1: "),
        ({"base64": base64.b64encode(b"no picture").decode()}, 415, "unsupported-image", "images.1: "),
        ({"base64": "%"}, 422, "invalid-image", "images.1: "),
        ({"url": "u", "base64": good}, 422, "invalid-request", "images.1: "),
        ({}, 422, "invalid-request", "images.1: "),
    ]:
        response = api.put("/v1/products/wrong", json={"image_base64": good, "images": [{"base64": good}, wrong]})
        assert (response.status_code, response.json()["type"]) == (status, f"/problems/{slug}"), response.text
        assert response.json()["detail"].startswith(text)
        assert api.get("/v1/products/wrong").status_code == 404
        assert api.get("/v1/products/wrong/image").status_code == 404
    many = api.put("/v1/products/wrong", json={"image_base64": good, "images": [{"base64": good}] * 20})
    assert (many.status_code, many.json()["type"]) == (422, "/problems/invalid-request")
    assert api.get("/v1/products/x/image", params={"picture": "../../x"}).status_code == 422


def test_a_product_is_read_back_as_it_was_put(api: httpx.Client) -> None:
    body = {
        "title": "A shirt with <b>mark-up</b>",
        "category": "Shoes",
        "attributes": {"price": 29.9, "sizes": ["S", "M"], "sale": True, "baseColour": "Blue"},
        "image_base64": base64.b64encode(picture()).decode(),
    }
    created = api.put("/v1/products/folder/with%20space", json=body)
    assert created.status_code == 201
    read = api.get("/v1/products/folder/with%20space").json()
    assert read == created.json()
    assert (read["id"], read["category"], read["category_source"]) == ("folder/with space", "Shoes", "feed")
    assert read["prediction"]["probability"] > 0
    assert read["attributes"] == body["attributes"]
    renamed = api.put("/v1/products/folder/with%20space", json={"title": "Another", "category": 1})
    assert renamed.status_code == 200
    assert renamed.json()["title"] == "Another"
    assert renamed.json()["image_url"] == read["image_url"]
    assert api.delete("/v1/products/folder/with%20space").status_code == 204
    eventually(lambda: api.get("/v1/products/folder/with%20space/similar").status_code == 404)


def test_similar_leaves_the_product_itself_out(api: httpx.Client, catalogue: list[str]) -> None:
    response = api.get(f"/v1/products/{catalogue[0]}/similar", params={"k": 2}).json()
    assert len(response["results"]) == 2
    assert catalogue[0] not in {result["id"] for result in response["results"]}
    assert response["category"]["name"] == "Topwear"


def test_a_category_may_be_chosen_and_the_prediction_stays_in_the_response(
    api: httpx.Client, catalogue: list[str]
) -> None:
    response = search(api, PHOTO, category="watches", k=2).json()
    assert response["category"]["name"] == "Watches"
    assert {result["category"] for result in response["results"]} == {"Watches"}
    assert response["category"]["probability"] == response["probabilities"]["Watches"]


def test_a_filter_keeps_the_products_that_match(api: httpx.Client, catalogue: list[str]) -> None:
    everything = search(api, PHOTO, category="Shoes").json()["results"]
    colour = everything[-1]["attributes"]["baseColour"]
    kept = search(api, PHOTO, category="Shoes", filter=f'{{"baseColour": "{colour}"}}').json()["results"]
    assert [r["id"] for r in kept] == [r["id"] for r in everything if r["attributes"]["baseColour"] == colour]


def test_a_k_larger_than_the_category_returns_all_of_it(api: httpx.Client, catalogue: list[str]) -> None:
    assert 3 <= len(search(api, PHOTO, category="Socks", k=100).json()["results"]) < 100


def test_a_min_score_above_every_product_is_no_close_match(api: httpx.Client, catalogue: list[str]) -> None:
    response = search(api, picture((1, 2, 3)), category="Watches", min_score=1.0).json()
    assert (response["outcome"], response["results"]) == ("no_close_match", [])


def test_categories_and_stats_count_the_products(api: httpx.Client, catalogue: list[str]) -> None:
    categories = api.get("/v1/categories").json()["categories"]
    assert [c["id"] for c in categories] == list(range(9))
    stats = api.get("/v1/stats").json()
    assert stats["products"] == sum(c["products"] for c in stats["categories"]) >= len(catalogue)
    assert stats["sync"]["state"] == "following"


def bomb(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (width, height)).save(file, "PNG")
    return file.getvalue()


BAD_IMAGES: list[tuple[str, Callable[[], bytes], int, str]] = [
    ("an empty body", lambda: b"", 422, "invalid-image"),
    ("a text file", lambda: b"this is not a picture, whatever its name is", 415, "unsupported-image"),
    ("a truncated JPEG", lambda: picture()[:900], 422, "invalid-image"),
    ("a damaged header", lambda: picture()[:20], 422, "invalid-image"),
    ("50 megapixels", lambda: bomb(8000, 6250), 413, "image-too-large"),
    ("a decompression bomb", lambda: bomb(20000, 20000), 413, "image-too-large"),
    ("a PDF", lambda: b"%PDF-1.7 and so on", 415, "unsupported-image"),
    ("an SVG", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported-image"),
    ("11 MB", lambda: picture() + b"\0" * (11 << 20), 413, "image-too-large"),
    ("30 MB", lambda: b"\0" * (30 << 20), 413, "image-too-large"),
]


@pytest.mark.parametrize(
    ("make", "status", "slug"), [row[1:] for row in BAD_IMAGES], ids=[row[0] for row in BAD_IMAGES]
)
def test_an_invalid_image_is_a_problem_of_its_type(
    api: httpx.Client, make: Callable[[], bytes], status: int, slug: str
) -> None:
    response = search(api, make())
    problem = response.json()
    assert (response.status_code, problem["type"]) == (status, f"/problems/{slug}")
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["request_id"] == response.headers["x-request-id"]
    assert api.get("/livez").status_code == 200


ODD_IMAGES: dict[str, Callable[[], bytes]] = {
    "1×1": lambda: _saved(Image.new("RGB", (1, 1), "red"), "PNG"),
    "CMYK": lambda: _saved(Image.new("CMYK", (60, 80), (0, 200, 200, 0)), "JPEG"),
    "16-bit grey": lambda: _saved(Image.new("I;16", (60, 80), 40000), "PNG"),
    "palette with alpha": lambda: _saved(Image.new("RGBA", (60, 80), (200, 0, 0, 90)).quantize(), "PNG"),
    "WebP": lambda: picture(format="WEBP"),
    "AVIF": lambda: picture(format="AVIF"),
    "BMP": lambda: picture(format="BMP"),
    "animated GIF": lambda: _saved(
        Image.new("P", (60, 80)), "GIF", save_all=True, append_images=[Image.new("P", (60, 80), 1)]
    ),
}


def _saved(image: Image.Image, kind: str, **save: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **save)
    return file.getvalue()


@pytest.mark.parametrize("name", ODD_IMAGES)
def test_unusual_but_valid_images_are_searched(api: httpx.Client, name: str) -> None:
    response = search(api, ODD_IMAGES[name]())
    assert response.status_code == 200, response.text


def test_a_photo_with_exif_orientation_is_searched_upright(api: httpx.Client) -> None:
    upright = Image.open(io.BytesIO(PHOTO)).convert("RGB")
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    plain, rotated = _saved(upright, "PNG"), _saved(turned, "PNG", exif=exif)
    assert search(api, rotated).json()["probabilities"] == pytest.approx(
        search(api, plain).json()["probabilities"], abs=1e-3
    )


def test_a_photo_may_be_given_by_its_url(api: httpx.Client, catalogue: list[str], pictures: ImageServer) -> None:
    by_url = api.post("/v1/search", json={"image_url": pictures.url("/photo.jpg"), "k": 3}).json()
    assert by_url["results"] == search(api, PHOTO, k=3).json()["results"]


TWO = "/shoe-and-bag.jpg"
LEFT, RIGHT = [0, 0, 0.5, 1], [0.5, 0, 1, 1]


@pytest.fixture(scope="module")
def two_garments(pictures: ImageServer) -> bytes:
    """A shoe next to a bag, in a file with an EXIF orientation."""
    parts = [
        Image.open(io.BytesIO(sample_query(3, kind))).convert("RGB").resize((300, 400)) for kind in ("Shoes", "Bags")
    ]
    both = Image.new("RGB", (600, 400))
    both.paste(parts[0], (0, 0))
    both.paste(parts[1], (300, 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    data = _saved(both.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95, exif=exif)
    pictures.pages[TWO] = data
    return data


@pytest.mark.parametrize(("edges", "category"), [(LEFT, "Shoes"), (RIGHT, "Bags")])
def test_a_box_searches_with_a_part_of_the_photo_in_every_form(
    api: httpx.Client,
    catalogue: list[str],
    pictures: ImageServer,
    two_garments: bytes,
    edges: list[float],
    category: str,
) -> None:
    text = ",".join(map(str, edges))
    named = {"x": edges[0], "y": edges[1], "width": edges[2] - edges[0], "height": edges[3] - edges[1]}
    sent = [
        search(api, two_garments, box=text),
        api.post("/v1/search", files={"image": ("a.jpg", two_garments)}, data={"box": text}),
        api.post("/v1/search", json={"image_base64": base64.b64encode(two_garments).decode(), "box": edges}),
        api.post("/v1/search", json={"image_url": pictures.url(TWO), "box": named}),
    ]
    responses = [response.json() for response in sent]
    assert {response["category"]["name"] for response in responses} == {category}, [response.text for response in sent]
    results = [[(r["id"], round(r["score"], 5)) for r in response["results"]] for response in responses]
    assert results[0]
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("box", ["", "1,2,3", "0,0,1.5,1", "0.5,0,0.5,1", "0,0,0.001,0.001", "0.5,0,0.2,1", "a,b,c,d"])
def test_a_wrong_box_is_an_invalid_request_that_names_it(api: httpx.Client, box: str) -> None:
    responses = [
        search(api, PHOTO, box=box),
        api.post("/v1/search", json={"image_base64": base64.b64encode(PHOTO).decode(), "box": box.split(",")}),
    ]
    for response in responses:
        assert (response.status_code, response.json()["type"]) == (422, "/problems/invalid-request")
        assert response.json()["detail"].startswith("box: ")


BAD_URLS = {
    "/status/404": (422, "image-url-failed"),
    "/text.jpg": (415, "unsupported-image"),
    "/empty": (422, "image-url-failed"),
    "/huge": (413, "image-too-large"),
    "/loop": (422, "image-url-failed"),
    "http://192.168.0.1/a.jpg": (422, "image-url-refused"),
    "http://127.0.0.1:22/": (422, "image-url-refused"),
    "http://[::ffff:127.0.0.1]/": (422, "image-url-refused"),
    "file:///etc/passwd": (422, "image-url-refused"),
}


@pytest.mark.parametrize("url", BAD_URLS)
def test_an_image_url_without_an_image_is_a_problem_of_its_type(
    api: httpx.Client, pictures: ImageServer, url: str
) -> None:
    full = pictures.url(url) if url.startswith("/") else url
    response = api.post("/v1/search", json={"image_url": full})
    status, slug = BAD_URLS[url]
    assert (response.status_code, response.json()["type"]) == (status, f"/problems/{slug}"), response.text
    put = api.put("/v1/products/by-url", json={"image_url": full})
    is_address = full.startswith("http")  # a product's addresses are checked before anything is fetched
    assert (put.status_code, put.json()["type"]) == (status, f"/problems/{slug if is_address else 'invalid-request'}")
    assert api.get("/v1/products/by-url").status_code == 404


def test_an_image_url_whose_server_hangs_is_a_timeout(stack: Stack, pictures: ImageServer, tmp_path: Path) -> None:
    fetching = {"GATEWAY_FETCH_ALLOWED_HOSTS": pictures.host, "GATEWAY_FETCH_TIMEOUT_S": "0.2"}
    with (
        second_gateway(Shop("", stack.settings, httpx.Client()), tmp_path / "log", **fetching) as url,
        httpx.Client(base_url=url, timeout=WITHIN_S, trust_env=False) as http,
    ):
        body = {"image_url": pictures.url("/hang")}
        for response in (http.post("/v1/search", json=body), http.put("/v1/products/by-url", json=body)):
            assert (response.status_code, response.json()["type"]) == (504, "/problems/upstream-timeout")


def test_a_product_put_by_its_image_url_links_the_picture(api: httpx.Client, pictures: ImageServer) -> None:
    made = api.put("/v1/products/linked", json={"image_url": pictures.url("/ok.png")})
    assert (made.status_code, made.json()["image_url"]) == (201, pictures.url("/ok.png"))
    fetched = pictures.request_count("/ok.png")
    assert api.put("/v1/products/linked", json={"image_url": pictures.url("/ok.png"), "title": "T"}).status_code == 200
    assert pictures.request_count("/ok.png") == fetched
    assert api.get("/v1/products/linked/image").status_code == 404
    assert api.delete("/v1/products/linked").status_code == 204


@pytest.mark.parametrize("k", ["0", "-1", "101", "ten", "1.5"])
def test_a_k_out_of_bounds_is_an_invalid_request_that_names_it(api: httpx.Client, k: str) -> None:
    responses = [search(api, PHOTO, k=k), api.get("/v1/products/x/similar", params={"k": k})]
    for response in responses:
        assert (response.status_code, response.json()["type"]) == (422, "/problems/invalid-request")
        assert "k:" in response.json()["detail"]


def test_results_come_in_pages(api: httpx.Client, catalogue: list[str]) -> None:
    everything = search(api, PHOTO, category="Shoes", k=100).json()
    results, page = [], {"k": 2, "offset": 0}
    while page is not None:
        response = search(api, PHOTO, category="Shoes", **page).json()
        assert response["outcome"] == everything["outcome"]
        results += response["results"]
        page = response["next_page"]
    assert [r["id"] for r in results] == [r["id"] for r in everything["results"]]
    assert everything["next_page"] is None


def test_similar_products_come_in_pages(api: httpx.Client, catalogue: list[str]) -> None:
    address = f"/v1/products/{catalogue[0]}/similar"
    everything = api.get(address, params={"k": 100}).json()["results"]
    first = api.get(address, params={"k": 1}).json()
    rest = api.get(address, params={**first["next_page"], "k": 100}).json()
    assert [r["id"] for r in first["results"] + rest["results"]] == [r["id"] for r in everything]


def test_a_page_beyond_five_hundred_is_an_invalid_request(api: httpx.Client) -> None:
    page = {"k": 30, "offset": 480}
    for response in (search(api, PHOTO, **page), api.get("/v1/products/x/similar", params=page)):
        assert (response.status_code, response.json()["type"]) == (422, "/problems/invalid-request")
        assert "offset + k may be at most 500" in response.json()["detail"]


def test_filters_may_be_combined_and_an_error_names_its_place(api: httpx.Client, catalogue: list[str]) -> None:
    everything = search(api, PHOTO, category="Shoes", k=100).json()["results"]
    colours = {r["id"]: r["attributes"].get("baseColour") for r in everything}
    wanted = {
        "$or": [{"baseColour": "Grey"}, {"gender": "Men"}, {"baseColour": "Black"}],
        "$not": {"baseColour": "Grey"},
    }
    results = search(api, PHOTO, category="Shoes", k=100, filter=json.dumps(wanted)).json()["results"]
    fits = [
        r["id"]
        for r in everything
        if colours[r["id"]] != "Grey" and (colours[r["id"]] == "Black" or r["attributes"].get("gender") == "Men")
    ]
    assert [r["id"] for r in results] == fits
    assert 0 < len(fits) < len(everything)
    broken = search(api, PHOTO, filter='{"$or": [{"price": {"below": 3}}]}')
    assert (broken.status_code, broken.json()["type"]) == (422, "/problems/invalid-request")
    assert broken.json()["detail"].startswith("filter.$or.0.price.below: ")


def test_an_unknown_category_is_a_404_problem(api: httpx.Client) -> None:
    response = search(api, PHOTO, category="Hats")
    assert (response.status_code, response.json()["type"]) == (404, "/problems/unknown-category")


@pytest.mark.parametrize("method", ["get", "delete"])
def test_an_unknown_product_is_a_404_problem(api: httpx.Client, method: str) -> None:
    response = getattr(api, method)("/v1/products/nobody-knows")
    assert (response.status_code, response.json()["type"]) == (404, "/problems/unknown-product")


def test_similar_to_an_unknown_product_is_a_404_problem(api: httpx.Client) -> None:
    response = api.get("/v1/products/nobody-knows/similar")
    assert (response.status_code, response.json()["type"]) == (404, "/problems/unknown-product")


def test_a_new_product_without_an_image_is_an_invalid_request(api: httpx.Client) -> None:
    response = api.put("/v1/products/bare", json={"title": "No image"})
    assert (response.status_code, response.json()["type"]) == (422, "/problems/invalid-request")
    assert api.get("/v1/products/bare").status_code == 404


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 422),
        (b"[]", "application/json", 422),
        (b"{}", "application/json", 422),
        (b'{"image_base64": "%%%"}', "application/json", 422),
        (b"x=1", "application/x-www-form-urlencoded", 415),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x", 422),
        (b"broken", "multipart/form-data", 422),
    ],
)
def test_a_malformed_body_is_a_problem(api: httpx.Client, body: bytes, kind: str, status: int) -> None:
    response = api.post("/v1/search", content=body, headers={"Content-Type": kind})
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"


def test_a_request_id_is_kept_and_an_invalid_one_replaced(api: httpx.Client) -> None:
    assert api.get("/v1/stats", headers={"X-Request-ID": "shop-42"}).headers["x-request-id"] == "shop-42"
    assert " " not in api.get("/v1/stats", headers={"X-Request-ID": "a b"}).headers["x-request-id"]


def test_an_unknown_address_is_a_problem(api: httpx.Client) -> None:
    assert api.get("/v2/search").json()["type"] == "/problems/not-found"
    assert api.get("/v1/search").json()["type"] == "/problems/method-not-allowed"


def test_page_docs_and_openapi_need_no_other_host(api: httpx.Client) -> None:
    for path in ("/", "/docs"):
        page = api.get(path)
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "https://" not in page.text
    assert api.get("/openapi.json").json()["paths"]["/v1/search"]["post"]["requestBody"]["content"].keys() == {
        "multipart/form-data",
        "application/json",
        "application/octet-stream",
    }


def test_metrics_count_requests_by_route(api: httpx.Client) -> None:
    search(api, PHOTO)
    assert 'route="/v1/search"' in api.get("/metrics").text
