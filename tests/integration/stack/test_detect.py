"""Several garments in one photo, through a whole running stack with the shipped detector."""

import base64
from typing import Any

import httpx
import numpy as np
import pytest

from services.contracts.domain.garments import overlaps
from services.local.stack import Stack
from tests.support.pictures import images
from tests.support.pictures.scenes import Boxes, table
from tests.support.servers.embedding import problem
from tests.support.web.http import ImageServer

PHOTO, THERE = table()


def detect(api: httpx.Client, data: bytes) -> httpx.Response:
    return api.post("/v1/detect", content=data, headers={"Content-Type": "image/jpeg"})


def hit(garments: list[dict[str, Any]], there: Boxes) -> dict[str, float]:
    """Return how well each garment's box overlaps the true one, by category."""
    overlap = {}
    for garment in garments:
        name, box = garment["category"]["name"], garment["box"]
        edges = [[box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]]]
        overlap[name] = float(overlaps(np.array(edges, np.float32), np.array([there[name]], np.float32))[0, 0])
    return overlap


def test_the_two_surest_garments_of_a_photo_are_those_in_it_with_their_places_and_kinds(api: httpx.Client) -> None:
    response = detect(api, PHOTO).json()
    overlap = hit(response["garments"][:2], THERE)
    assert overlap.keys() == THERE.keys()
    assert min(overlap.values()) > 0.5
    sure = [garment["category"]["probability"] for garment in response["garments"]]
    assert sure == sorted(sure, reverse=True)
    assert response["model"] == "detector/2"
    assert {"decode", "network", "total"} <= set(response["timings_ms"])
    assert response["request_id"]


def test_a_photo_that_lies_on_its_side_has_the_same_boxes(api: httpx.Client) -> None:
    overlap = hit(detect(api, table(orientation=6)[0]).json()["garments"][:2], THERE)
    assert overlap.keys() == THERE.keys()
    assert min(overlap.values()) > 0.5


def test_each_garment_can_be_searched_for_with_its_box(api: httpx.Client) -> None:
    for garment in detect(api, PHOTO).json()["garments"][:2]:
        box = garment["box"]
        asked = {"image_base64": base64.b64encode(PHOTO).decode(), "box": box, "category": garment["category"]["name"]}
        response = api.post("/v1/search", json=asked)
        assert response.status_code == 200, response.text
        assert response.json()["category"]["name"] == garment["category"]["name"]


def test_every_way_in_gives_the_same_answer(api: httpx.Client, stack: Stack, pictures: ImageServer) -> None:
    pictures.pages["/two.jpg"] = PHOTO
    responses = [
        detect(api, PHOTO),
        api.post("/v1/detect", files={"image": ("two.jpg", PHOTO, "image/jpeg")}),
        api.post("/v1/detect", json={"image_base64": base64.b64encode(PHOTO).decode()}),
        api.post("/v1/detect", json={"image_url": pictures.url("/two.jpg")}),
    ]
    garments = [response.json()["garments"] for response in responses]
    assert len(garments[0]) >= 2
    assert all(garment == garments[0] for garment in garments)


def test_a_white_picture_has_no_garment(api: httpx.Client) -> None:
    assert detect(api, images.flat_png(200, 160)).json()["garments"] == []


@pytest.mark.parametrize(
    ("request_of", "status", "slug"),
    [
        ({"content": b"", "headers": {"Content-Type": "image/jpeg"}}, 422, "invalid-image"),
        ({"content": b"no picture", "headers": {"Content-Type": "image/jpeg"}}, 415, "unsupported-image"),
        ({"content": PHOTO[: len(PHOTO) // 2], "headers": {"Content-Type": "image/jpeg"}}, 422, "invalid-image"),
        ({"content": bytes(11_000_000), "headers": {"Content-Type": "image/jpeg"}}, 413, "image-too-large"),
        ({"content": b"text", "headers": {"Content-Type": "text/plain"}}, 415, "unsupported-image"),
        ({"files": {"photo": ("a.jpg", PHOTO)}}, 422, "invalid-request"),
        ({"files": {"image": ("a.jpg", PHOTO)}, "data": {"box": "0,0,1,1"}}, 422, "invalid-request"),
        ({"json": {}}, 422, "invalid-request"),
        ({"json": {"image_base64": "YWJj", "k": 10}}, 422, "invalid-request"),
        ({"json": {"image_base64": "not base64"}}, 422, "invalid-image"),
        ({"json": {"image_url": "http://127.0.0.1/a.jpg"}}, 422, "image-url-refused"),
    ],
)
def test_bad_input_is_its_problem(api: httpx.Client, request_of: dict[str, Any], status: int, slug: str) -> None:
    problem(api.post("/v1/detect", **request_of), status, slug)
