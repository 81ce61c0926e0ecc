"""What the log line of a search of the index says."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from tests.support.fakes.index_api import product, query
from tests.support.servers.index import app_around, new_replica


@pytest.fixture
def http() -> Iterator[TestClient]:
    replica = new_replica()
    replica.apply([], [*(product(number) for number in range(3)), product(4, category=1)])
    with TestClient(app_around(replica)) as client:
        yield client


def test_a_search_names_its_category_page_model_and_time(http: TestClient) -> None:
    with capture_logs() as logs:
        responses = [
            http.post("/v1/search", json=query(k=2, offset=1)).json(),
            http.post("/v1/similar", json={"id": "p4", "k": 5}).json(),
        ]
    lines: list[Any] = [line for line in logs if line["event"] == "request"]
    names = ("category", "k", "offset", "hits", "model")
    assert [tuple(line[name] for name in names) for line in lines] == [
        (0, 2, 1, 2, "fashion/1"),
        (1, 5, 0, 0, "fashion/1"),
    ]
    assert [line["search_ms"] for line in lines] == [response["timings_ms"]["search"] for response in responses]
