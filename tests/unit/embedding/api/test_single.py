"""One image over HTTP: all kinds of files, bodies and forms."""

from typing import Any

import numpy as np
import pytest
from starlette.datastructures import FormData, UploadFile

from services.contracts.web.bodies.forms import read_form
from services.contracts.wire.embedding import EmbeddingResponse
from services.embedding.api import bodies
from services.embedding.serving.served_model import probe_image
from tests.support.pictures import images
from tests.support.servers.embedding import RAW, Service, problem
from tests.support.servers.tfs import CATEGORIES, INPUT, ScriptedServing, content_tensor, good_reply

MAX_IMAGE_BYTES = 200_000


@pytest.mark.parametrize("name", images.ACCEPTED)
def test_every_accepted_format_is_embedded(service: Service, name: str) -> None:
    response = service.embed(images.ACCEPTED[name])
    assert response.status_code == 200, response.text
    embedding = EmbeddingResponse.model_validate_json(response.content)
    assert embedding.category.model_dump() == {"id": 0, "name": "Topwear", "probability": 1.0}
    assert tuple(embedding.probabilities) == CATEGORIES
    assert len(embedding.vector) == 64
    assert embedding.model == "fashion/1"
    assert set(embedding.timings_ms) == {"decode", "network", "total"}


def test_only_the_box_of_an_image_reaches_the_network(service: Service, script: ScriptedServing) -> None:
    before = len(script.requests)
    for body, box in ((images.png(60, 80), "0.2,0.2,0.6,0.8"), (images.cropped_png(12, 16, 36, 64), "0,0,1,1")):
        assert service.client.post("/v1/embed", content=body, headers=RAW, params={"box": box}).status_code == 200
    sent = [request.inputs["image"].tensor_content for request in script.requests[before:]]
    first, second = [
        picture for picture in sent if picture != probe_image(INPUT).tobytes()
    ]  # readiness checks send this picture
    assert first == second


@pytest.mark.parametrize("box", ["", "1,2,3", "0,0,2,1", "0.5,0,0.5,1", "0,0,0.001,0.001"])
def test_an_invalid_box_is_an_invalid_request(service: Service, box: str) -> None:
    response = service.client.post("/v1/embed", content=images.png(60, 80), headers=RAW, params={"box": box})
    assert problem(response, 422, "invalid-request")["detail"].startswith("box: ")


STATUS = {"invalid-image": 422, "unsupported-image": 415, "image-too-large": 413}


@pytest.mark.parametrize("name", images.REFUSED)
def test_every_unusable_file_is_a_problem_and_the_service_continues(service: Service, name: str) -> None:
    data, slug = images.REFUSED[name]
    problem(service.embed(data), STATUS[slug], slug)
    assert service.embed(images.jpeg()).status_code == 200


@pytest.mark.parametrize(
    "kind", ["image/jpeg", "image/*", "image/svg+xml", "application/octet-stream", "IMAGE/PNG", ""]
)
def test_the_format_of_a_raw_image_is_recognised_by_its_content(service: Service, kind: str) -> None:
    assert service.embed(images.png(), kind).status_code == 200


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded", "video/mp4"])
def test_a_body_of_another_media_type_is_unsupported(service: Service, kind: str) -> None:
    document = problem(service.embed(b"{}", kind), 415, "unsupported-image")
    assert kind in document["detail"]


def test_a_multipart_image_has_the_same_embedding_as_a_raw_one(service: Service) -> None:
    raw = service.embed(images.jpeg()).json()
    form = service.client.post("/v1/embed", files={"image": ("shirt.jpg", images.jpeg(), "text/plain")}).json()
    assert {**raw, "timings_ms": None} == {**form, "timings_ms": None}


BOUNDARY = {"Content-Type": "multipart/form-data; boundary=b"}


@pytest.mark.parametrize(
    ("request_", "status", "slug"),
    [
        ({"files": {"picture": ("a.jpg", b"x")}}, 422, "invalid-request"),
        ({"files": [("image", ("a.jpg", images.jpeg())), ("image", ("b.jpg", images.jpeg()))]}, 422, "invalid-request"),
        ({"files": {"image": ("a.jpg", b"")}}, 422, "invalid-image"),
        ({"files": {"other": ("a.jpg", images.jpeg()), "image": ("a.jpg", images.jpeg())}}, 422, "invalid-request"),
        ({"data": {"k": "3"}, "files": {"image": ("a.jpg", images.jpeg())}}, 422, "invalid-request"),
        ({"content": b"", "headers": BOUNDARY}, 422, "invalid-request"),
        ({"content": b"nonsense", "headers": BOUNDARY}, 422, "invalid-request"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 422, "invalid-request"),
        (
            {
                "content": b'--b\r\nContent-Disposition: form-data; name="image"\r\n\r\nx\r\n--b--\r\n',
                "headers": BOUNDARY,
            },
            422,
            "invalid-request",
        ),
        (
            {
                "content": b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n' + images.png(),
                "headers": BOUNDARY,
            },
            422,
            "invalid-request",
        ),
    ],
    ids=[
        "missing",
        "two",
        "empty",
        "another file",
        "a field",
        "no body",
        "nonsense",
        "no boundary",
        "text",
        "truncated",
    ],
)
def test_an_invalid_form_is_a_problem(service: Service, request_: dict[str, Any], status: int, slug: str) -> None:
    problem(service.client.post("/v1/embed", **request_), status, slug)


@pytest.mark.parametrize(("field", "status"), [("image", 200), ("picture", 422)])
def test_the_files_of_a_form_are_closed_after_they_are_read(
    service: Service, monkeypatch: pytest.MonkeyPatch, field: str, status: int
) -> None:
    forms: list[FormData] = []

    async def recorded(*given: Any, **named: Any) -> FormData:
        forms.append(await read_form(*given, **named))
        return forms[-1]

    monkeypatch.setattr(bodies, "read_form", recorded)
    response = service.client.post("/v1/embed", files={field: ("shirt.jpg", images.jpeg())})
    assert response.status_code == status, response.text
    (file,) = (value for form in forms for _, value in form.multi_items())
    assert isinstance(file, UploadFile)
    assert file.file.closed


def test_a_body_over_the_limit_is_too_large_with_or_without_content_length(service: Service) -> None:
    body = bytes(MAX_IMAGE_BYTES + 1)
    problem(service.embed(body), 413, "image-too-large")
    problem(service.embed(body * 3), 413, "image-too-large")
    chunks = (body for _ in range(3))
    problem(service.client.post("/v1/embed", content=chunks, headers=RAW), 413, "image-too-large")
    problem(service.batch([body] * 3), 413, "image-too-large")
    assert service.embed(images.jpeg()).status_code == 200


def test_a_multipart_file_of_the_largest_size_fits(service: Service) -> None:
    padded = images.jpeg() + bytes(MAX_IMAGE_BYTES - len(images.jpeg()))
    assert service.client.post("/v1/embed", files={"image": ("a.jpg", padded)}).status_code == 200


def test_vectors_have_unit_length_and_float32_precision(service: Service, script: ScriptedServing) -> None:
    row = np.random.default_rng(1).normal(size=(1, 64)).astype(np.float32)

    def answer(request: Any) -> Any:
        reply = good_reply(request)
        reply.outputs["vector"].CopyFrom(content_tensor(row * 3))
        return reply

    script.answer = answer
    vector = np.array(service.embed(images.jpeg()).json()["vector"])
    assert abs(np.linalg.norm(vector) - 1) < 1e-6
    assert (vector == vector.astype(np.float32).astype(str).astype(float)).all()  # the shortest decimals of float32
    np.testing.assert_allclose(vector, row[0] / np.linalg.norm(row), rtol=1e-6)


def test_an_image_with_a_zero_vector_is_invalid(service: Service, script: ScriptedServing) -> None:
    def answer(request: Any) -> Any:
        reply = good_reply(request)
        reply.outputs["vector"].CopyFrom(content_tensor(np.zeros((1, 64), np.float32)))
        return reply

    script.answer = answer
    assert "zero vector" in problem(service.embed(images.jpeg()), 422, "invalid-image")["detail"]
