"""Each response names the revision of what searches see, a client can wait for another, and every change makes one."""

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from services.contracts.wire.index import REVISION_FIELD
from services.engine.revision import Revision
from services.index import app
from services.index.replica.calibrator import Calibrator
from services.index.revision_field import RevisionMiddleware
from services.index.settings import IndexSettings
from tests.support.fakes.index_api import product, query
from tests.support.servers.index import MANIFEST, app_around, new_replica


@pytest.fixture
def revision() -> Revision:
    return Revision()


@pytest.fixture
def http(revision: Revision) -> Iterator[TestClient]:
    replica = new_replica(revision=revision)
    replica.apply([], [product(number) for number in range(3)])
    with TestClient(app_around(replica, MANIFEST, revision)) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/search", query(), 200),
        ("POST", "/v1/similar", {"id": "p1"}, 200),
        ("POST", "/v1/similar", {"id": "unknown"}, 404),
        ("GET", "/v1/status", None, 200),
        ("GET", "/v1/sample", None, 200),
        ("GET", "/nothing", None, 404),
    ],
)
def test_each_response_names_the_revision(
    http: TestClient, revision: Revision, method: str, path: str, body: Any, status: int
) -> None:
    response = http.request(method, path, json=body)
    assert (response.status_code, response.headers[REVISION_FIELD]) == (status, str(revision))


def test_a_response_names_the_revision_at_the_arrival_of_its_request(
    http: TestClient, revision: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a search sees later may be of a later revision, but never of an earlier one."""
    before = str(revision)

    def change(*arguments: Any) -> Any:
        with revision.changing():
            return found(*arguments)

    from services.engine import multi_search

    found = multi_search.search
    monkeypatch.setattr(multi_search, "search", change)
    response = http.post("/v1/search", json=query())
    assert response.headers[REVISION_FIELD] == before != str(revision)


def test_a_client_asks_for_the_revision_and_waits_for_another(http: TestClient, revision: Revision) -> None:
    known = http.get("/v1/revision").json()["revision"]
    assert known == str(revision)
    assert http.get("/v1/revision", params={"after": known, "wait_s": 0.01}).json()["revision"] == known
    assert http.get("/v1/revision", params={"after": "earlier", "wait_s": 10}).json()["revision"] == known

    def change() -> None:
        with revision.changing():
            pass

    timer = threading.Timer(0.05, change)
    timer.start()
    changed = http.get("/v1/revision", params={"after": known, "wait_s": 10}).json()["revision"]
    timer.join()
    assert changed != known


@pytest.mark.parametrize("wait_s", ["-1", "10.1", "x"])
def test_nobody_waits_too_long(http: TestClient, wait_s: str) -> None:
    response = http.get("/v1/revision", params={"after": "x", "wait_s": wait_s})
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "#/query/wait_s")


def test_an_engine_that_does_not_say_when_it_changes_has_no_revision() -> None:
    with TestClient(app_around(new_replica())) as http:
        assert http.get("/v1/revision").json() == {"revision": None}
        assert REVISION_FIELD not in http.get("/v1/status").headers


@pytest.mark.parametrize(("engine", "has_one"), [("faiss", True), ("milvus", False)])
def test_the_service_has_a_revision_if_it_holds_the_vectors(engine: str, has_one: bool) -> None:
    service = app.create_app(IndexSettings.model_validate({"engine": engine}))
    classes: list[object] = [middleware.cls for middleware in service.user_middleware]
    assert (RevisionMiddleware in classes) is has_one


def test_a_scale_of_similarity_makes_a_revision(revision: Revision) -> None:
    replica = new_replica()
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((60, 64), dtype=np.float32)
    for number, vector in enumerate(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)):
        replica.gallery.put(0, f"p{number}", vector, None)
    replica.gallery.publish()
    calibrator = Calibrator(MANIFEST, lambda: replica.gallery, revision)
    before = str(revision)
    calibrator.calibrate()
    fitted = str(revision)
    assert calibrator.scale(0)
    calibrator.calibrate()
    assert before != fitted == str(revision)
