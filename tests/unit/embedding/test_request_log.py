"""What the log line of a request says of the network, the images and the times."""

from typing import Any

import grpc
import pytest
from structlog.testing import capture_logs

from services.contracts.wire.framing import pack
from tests.support.pictures import images
from tests.support.servers.embedding import BATCH, RAW, Service
from tests.support.servers.tfs import ScriptedServing, good_reply


def lines(logs: list[Any], path: str) -> list[Any]:
    """Return the lines of the requests of a path; those of readiness checks and of other paths are left out."""
    return [line for line in logs if line["event"] == "request" and line["route"] == path]


def test_a_request_names_the_model_the_images_and_the_stages(service: Service) -> None:
    with capture_logs() as logs:
        service.embed(images.jpeg())
        service.batch([images.jpeg(), b"", images.png(), b"no image"])
    (single,), (batch,) = lines(logs, "/v1/embed"), lines(logs, "/v1/embed/batch")
    assert (single["model"], single["images"], single["rejected"]) == ("fashion/1", 1, 0)
    assert (batch["model"], batch["images"], batch["rejected"]) == ("fashion/1", 4, 2)
    assert single["stages_ms"].keys() == batch["stages_ms"].keys() == {"decode", "network", "total"}
    assert "secondary_missed" not in single


def test_an_explanation_names_the_model_and_its_time(service: Service) -> None:
    with capture_logs() as logs:
        service.client.post("/v1/explain", content=pack([images.png()] * 2), headers=BATCH)
    (line,) = lines(logs, "/v1/explain")
    assert line["model"] == "fashion/1"
    assert line["stages_ms"].keys() == {"total"}


def test_a_secondary_model_that_is_missing_is_named(service: Service) -> None:
    with capture_logs() as logs:
        service.client.post("/v1/embed?secondary_model=fashion/9", content=images.jpeg(), headers=RAW)
    (line,) = lines(logs, "/v1/embed")
    assert "there is no model fashion/9" in line["secondary_missed"]


def empty_reply(request: Any) -> Any:
    return type(good_reply(request))()


@pytest.mark.parametrize(
    ("answer", "name", "details"),
    [
        (lambda _: grpc.StatusCode.INTERNAL, "INTERNAL", "a detail that is not for the client"),
        (empty_reply, "invalid response", "output probabilities: it is of type DT_INVALID, not DT_FLOAT"),
    ],
)
def test_the_reason_why_the_network_failed_is_in_the_line(
    service: Service, script: ScriptedServing, answer: Any, name: str, details: str
) -> None:
    script.answer = answer
    with capture_logs() as logs:
        assert service.embed(images.jpeg()).status_code == 503
    (line,) = lines(logs, "/v1/embed")
    assert (line["tfs"], line["tfs_details"]) == (name, details)
