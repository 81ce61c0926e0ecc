"""Which of the versions that TensorFlow Serving reports is the one of the manifest."""

from typing import Any

import grpc
import pytest

from services.contracts.domain.errors import EmbeddingUnavailable
from services.contracts.wire.serving_messages import get_model_status_pb2
from services.embedding.serving.model_clients import EmbeddingModelClient
from tests.support.servers.tfs import ScriptedServing, manifest, scripted_serving
from tests.support.waiting import WITHIN_S


class Versions(ScriptedServing):
    """Reports these versions, with their states and errors, whichever is asked for."""

    def __init__(self, *versions: tuple[int, str, str]) -> None:
        super().__init__()
        self.versions = versions

    def GetModelStatus(self, request: Any, context: grpc.ServicerContext) -> Any:
        reply = get_model_status_pb2.GetModelStatusResponse()
        for version, state, error in self.versions:
            value = get_model_status_pb2.ModelVersionStatus.State.Value(state)
            item = reply.model_version_status.add(version=version, state=value)
            item.status.error_code, item.status.error_message = (2 if error else 0), error
        return reply


@pytest.mark.parametrize(
    ("versions", "available"),
    [
        ([(2, "END", "broken"), (1, "AVAILABLE", "")], True),
        ([(2, "AVAILABLE", ""), (1, "LOADING", "")], False),
        ([(2, "AVAILABLE", "")], False),
        ([], False),
    ],
)
async def test_of_several_versions_that_of_the_manifest_counts(versions: Any, available: bool) -> None:
    with scripted_serving(Versions(*versions)) as address:
        client = EmbeddingModelClient(address, manifest(), WITHIN_S)
        assert await client.available() is available
        await client.close()


async def test_a_version_that_could_not_be_loaded_says_why_in_a_line() -> None:
    with scripted_serving(Versions((1, "END", "no\n  variables " + 400 * "x"))) as address:
        client = EmbeddingModelClient(address, manifest(), WITHIN_S)
        with pytest.raises(EmbeddingUnavailable) as caught:
            await client.available()
        await client.close()
    begin, _, reason = caught.value.detail.partition(": ")
    assert begin == "TensorFlow Serving cannot load fashion/1"
    assert (reason[:16], len(reason)) == ("no variables xxx", 300)
