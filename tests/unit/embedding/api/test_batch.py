"""Batches: several images in one request."""

from typing import Any

import grpc
import pytest

from services.contracts.wire.embedding import MAX_BATCH, BatchResponse
from services.contracts.wire.framing import FRAMED, pack
from tests.support.pictures import images
from tests.support.servers.embedding import BATCH, RAW, Service, problem
from tests.support.servers.tfs import ScriptedServing


def test_a_batch_has_an_item_for_each_image_in_order_with_its_embedding_or_error(service: Service) -> None:
    files = [images.jpeg(), b"", images.TEXT_NAMED_JPG, images.flat_png(10_000, 5_000), images.png()]
    response = service.batch(files)
    assert response.status_code == 200
    batch = BatchResponse.model_validate_json(response.content)
    errors = [item.error and (item.error.type, item.error.status) for item in batch.items]
    assert errors == [
        None,
        ("/problems/invalid-image", 422),
        ("/problems/unsupported-image", 415),
        ("/problems/image-too-large", 413),
        None,
    ]
    assert [item.embedding is None for item in batch.items] == [False, True, True, True, False]
    assert set(batch.timings_ms) == {"decode", "network", "total"}


def test_a_batch_of_broken_images_does_not_use_the_network(service: Service, script: ScriptedServing) -> None:
    script.answer = lambda _: grpc.StatusCode.INTERNAL
    assert [item["error"]["status"] for item in service.batch([b"", b""]).json()["items"]] == [422, 422]


def test_one_image_more_than_a_full_batch_is_an_invalid_request(service: Service) -> None:
    assert len(service.batch([images.jpeg()] * MAX_BATCH).json()["items"]) == MAX_BATCH
    document = problem(service.batch([images.jpeg()] * (MAX_BATCH + 1)), 422, "invalid-request")
    assert str(MAX_BATCH) in document["detail"]


@pytest.mark.parametrize(
    "request_",
    [{"json": {"images": []}}, {"content": images.jpeg(), "headers": RAW}, {"files": {"images": ("a", b"x")}}, {}],
    ids=["json", "raw", "a form", "nothing"],
)
def test_a_batch_of_another_media_type_is_an_invalid_request(service: Service, request_: dict[str, Any]) -> None:
    document = problem(service.client.post("/v1/embed/batch", **request_), 422, "invalid-request")
    assert FRAMED in document["detail"]


def test_a_truncated_batch_is_an_invalid_request(service: Service) -> None:
    body = pack([images.jpeg(), images.png()])[:-1]
    document = problem(service.client.post("/v1/embed/batch", content=body, headers=BATCH), 422, "invalid-request")
    assert "file 2" in document["detail"]
