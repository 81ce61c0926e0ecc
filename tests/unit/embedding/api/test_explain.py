"""Two images over HTTP: which parts of them make them alike."""

import numpy as np
import pytest

from services.contracts.wire.embedding import PairExplanationResponse
from services.contracts.wire.framing import pack
from tests.support.pictures import images
from tests.support.servers.embedding import BATCH, RAW, Service, problem
from tests.support.servers.tfs import INPUT


def test_the_parts_of_two_images_are_explained(service: Service) -> None:
    body = pack([images.jpeg(), images.png(60, 80)])
    response = service.client.post("/v1/explain", content=body, headers=BATCH, params={"box": "0,0,0.5,1"})
    assert response.status_code == 200, response.text
    explanation = PairExplanationResponse.model_validate_json(response.content)
    assert explanation.model == "fashion/1"
    assert np.shape(explanation.query) == np.shape(explanation.product) == (7, 7)
    assert (explanation.grid.rows, explanation.grid.columns) == (7, 7)
    batches = [request.inputs["image"].tensor_shape.dim for request in service.serving.requests]
    assert [50, INPUT.height] in [[dim[0].size, dim[1].size] for dim in batches]


@pytest.mark.parametrize(
    ("files", "words"), [(1, "the body has 1 images"), (3, "the body has 3 images"), (0, "the body has no file")]
)
def test_an_explanation_is_of_two_images(service: Service, files: int, words: str) -> None:
    response = service.client.post("/v1/explain", content=pack([images.png()] * files), headers=BATCH)
    assert words in problem(response, 422, "invalid-request")["detail"]


def test_another_body_and_a_damaged_image_are_problems(service: Service) -> None:
    problem(service.client.post("/v1/explain", content=images.png(), headers=RAW), 422, "invalid-request")
    response = service.client.post("/v1/explain", content=pack([images.png(), b"no image"]), headers=BATCH)
    assert problem(response, 415, "unsupported-image")["detail"].startswith("the product's picture: ")
