"""Many images in one request."""

from typing import Any

import grpc
import pytest

from services.contracts.wire.embedding import MAX_BATCH, BatchResponse
from services.contracts.wire.framing import FRAMED, pack
from tests.support import images
from tests.support.embedding import BATCH, RAW, Service, problem
from tests.support.tfs import ScriptedServing


def test_a_batch_gives_one_item_an_image_in_order_and_judges_each_on_its_own(service: Service) -> None:
    files = [images.jpeg(), b"", images.TEXT_NAMED_JPG, images.flat_png(10_000, 5_000), images.png()]
    response = service.batch(files)
    assert response.status_code == 200
    answer = BatchResponse.model_validate_json(response.content)
    errors = [item.error and (item.error.type, item.error.status) for item in answer.items]
    assert errors == [
        None,
        ("/problems/invalid-image", 422),
        ("/problems/unsupported-image", 415),
        ("/problems/image-too-large", 413),
        None,
    ]
    assert [item.embedding is None for item in answer.items] == [False, True, True, True, False]
    assert set(answer.timings_ms) == {"decode", "network", "total"}


def test_a_batch_of_nothing_but_broken_images_is_answered_without_the_network(
    service: Service, script: ScriptedServing
) -> None:
    script.answer = lambda _: grpc.StatusCode.INTERNAL
    assert [item["error"]["status"] for item in service.batch([b"", b""]).json()["items"]] == [422, 422]


def test_a_full_batch_passes_and_one_more_is_an_invalid_request(service: Service) -> None:
    assert len(service.batch([images.jpeg()] * MAX_BATCH).json()["items"]) == MAX_BATCH
    document = problem(service.batch([images.jpeg()] * (MAX_BATCH + 1)), 422, "invalid-request")
    assert str(MAX_BATCH) in document["detail"]


@pytest.mark.parametrize(
    "request_",
    [{"json": {"images": []}}, {"content": images.jpeg(), "headers": RAW}, {"files": {"images": ("a", b"x")}}, {}],
    ids=["json", "raw", "a form", "nothing"],
)
def test_a_batch_of_another_type_is_an_invalid_request(service: Service, request_: dict[str, Any]) -> None:
    document = problem(service.client.post("/v1/embed/batch", **request_), 422, "invalid-request")
    assert FRAMED in document["detail"]


def test_a_batch_that_does_not_hold_together_is_an_invalid_request(service: Service) -> None:
    body = pack([images.jpeg(), images.png()])[:-1]
    document = problem(service.client.post("/v1/embed/batch", content=body, headers=BATCH), 422, "invalid-request")
    assert "file 2" in document["detail"]
