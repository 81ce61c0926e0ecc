"""A change of models while searches go on: re-embedded, compared, promoted, rolled back, discarded."""

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson
import pymongo
import pytest

from tests.support.servers.embedding import wait_until_serves
from tests.support.servers.shop import environment
from tests.support.servers.switch import Done, ModelStack, Searches, Truth, running_models
from tests.support.servers.tfs import copy_candidate, copy_version
from tests.support.waiting import PATIENT, eventually

ONE, TWO = "fashion/1", "fashion/2"
PRODUCTS = 120


def colour(number: int) -> tuple[int, int, int]:
    return (number * 37 % 220, number * 101 % 220, number * 17 % 220)


def garment(number: int) -> bytes:
    """Return a picture whose parts differ, so that the models have something to see."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (48, 48), "white")
    draw = ImageDraw.Draw(image)
    for part in range(9):
        left, top = part % 3 * 16, part // 3 * 16
        draw.rectangle((left, top, left + 15, top + 15), fill=colour(number * 9 + part))
    return _png(image)


def _png(image: Any) -> bytes:
    import io

    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


PHOTOS = [garment(1000 + number) for number in range(6)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelStack]:
    """A stack with version 1 and products; the tests add version 2."""
    folder = tmp_path_factory.mktemp("switch")
    first = copy_version(folder / "fashion", 1)
    with environment(PATIENT), running_models(folder, first) as running:
        rows = [{"id": f"p{number}", "image": f"{number}.png", "title": f"P {number}"} for number in range(PRODUCTS)]
        for number in range(PRODUCTS):
            (folder / f"{number}.png").write_bytes(garment(number))
        (folder / "feed.ndjson").write_bytes(b"\n".join(map(orjson.dumps, rows)))
        done = running.lookalike("import", "feed.ndjson")
        assert done.status == 0, done.said
        eventually(lambda: running.api.get("/v1/stats").json()["products"] == PRODUCTS)
        yield running


def search(stack: ModelStack, photo: bytes) -> dict[str, Any]:
    response = stack.api.post("/v1/search", content=photo, headers={"Content-Type": "image/png"})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def put(stack: ModelStack, key: str, data: bytes) -> None:
    body = {"title": key, "image_base64": base64.b64encode(data).decode()}
    stack.api.put(f"/v1/products/{key}", json=body).raise_for_status()


def refused(done: Done, said: str) -> None:
    assert (done.status, done.printed) == (1, None), done.said
    assert said in done.said
    assert "Traceback" not in done.said
    lines = done.said.strip().splitlines()
    assert len([line for line in lines if not line.startswith("writing to ")]) == 1  # commands that write say where


def test_steps_out_of_turn_are_refused_in_a_sentence_and_change_nothing(stack: ModelStack) -> None:
    refused(stack.lookalike("rollback"), "there is no previous model to go back to")
    refused(stack.lookalike("promote", "2"), "fashion/2 has not been prepared: run lookalike reembed --model 2 first")
    refused(stack.lookalike("promote", "1"), "fashion/1 is the active model already")
    refused(stack.lookalike("promote", "two"), "'two' is not a model id")
    refused(stack.lookalike("compare-models"), "there is no candidate to compare with")
    refused(stack.lookalike("compare-models", "7"), "fashion/7 has not been prepared")
    refused(stack.lookalike("forget-model", "1"), "fashion/1 is the active model")
    missing = stack.lookalike("reembed", "--model", "2")
    assert (missing.status, missing.printed["model"]) == (1, None)
    assert "there is no model fashion/2 in" in missing.said
    assert stack.lookalike("models").printed["active"] == ONE
    assert search(stack, PHOTOS[0])["model"] == ONE


def test_a_switch_and_the_way_back_while_searches_go_on(stack: ModelStack) -> None:
    copy_candidate(stack.folder / "fashion")
    wait_until_serves(stack.stack.settings.embedding_url, TWO)
    searches = Searches(stack, PHOTOS, rate=4)
    with searches.going_on():
        eventually(lambda: searches.done)
        done = stack.lookalike("reembed", "--model", "2")
        assert (done.status, done.printed["embedded"]) == (0, PRODUCTS), done.said
        report = stack.lookalike("promote", "2", "--dry-run")
        assert report.status == 0, report.said
        assert search(stack, PHOTOS[0])["model"] == ONE
        promoted = stack.lookalike("promote", "2")
        assert promoted.status == 0, promoted.said
        assert search(stack, PHOTOS[0])["model"] == TWO
        count_before = len(searches.done)
        eventually(lambda: len(searches.done) > count_before + 8)
        back = stack.lookalike("rollback")
        assert back.status == 0, back.said
        assert search(stack, PHOTOS[0])["model"] == ONE
        count_before = len(searches.done)
        eventually(lambda: len(searches.done) > count_before + 8)
    assert [failure.answer for failure in searches.failures] == []
    truth = Truth(stack, PHOTOS, (ONE, TWO))
    assert [objection for search in searches.done if (objection := truth.objection(search))] == []
    counts = searches.counts()
    assert counts.keys() == {ONE, TWO} and min(counts.values()) >= 8
    assert all(truth.telling(search, TWO if search.answer["model"] == ONE else ONE) for search in searches.done)
    for printed in (report.printed, promoted.printed):
        assert (printed["products"], printed["covered"], printed["missing"]) == (PRODUCTS, PRODUCTS, [])
        assert printed["overlap"]["queries"] == PRODUCTS
        assert 0 < printed["overlap"]["mean"] < 1
        assert sum(category["then"] for category in printed["categories"].values()) == PRODUCTS
        assert sum(move["products"] for move in printed["moves"]) == printed["moved"] > 0
    assert "promoted" not in report.printed and promoted.printed["promoted"] is True


def test_a_product_that_is_put_while_two_models_are_kept_is_found_by_both(stack: ModelStack) -> None:
    put(stack, "both", garment(500))

    def found() -> bool:
        return bool(search(stack, garment(500))["results"][0]["id"] == "both")

    eventually(found)
    assert stack.lookalike("promote", "2").status == 0
    answer = search(stack, garment(500))
    assert (answer["model"], answer["results"][0]["id"]) == (TWO, "both")
    view = stack.api.get("/v1/products/both").json()
    assert view["model"] == TWO
    put(stack, "after", garment(501))
    eventually(lambda: search(stack, garment(501))["results"][0]["id"] == "after")
    assert stack.lookalike("rollback").printed["without_vector"] == 0
    assert search(stack, garment(501))["results"][0]["id"] == "after"


def test_too_few_vectors_keep_a_model_from_being_promoted_unless_so_many_are_allowed(stack: ModelStack) -> None:
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(stack.stack.settings.mongo_url)
    vector = np.eye(64)[5].tolist()
    with client:
        client["lookalike"]["products"].insert_one({"id": 77, "Category": 3, "vector": vector})
        eventually(lambda: stack.api.get("/v1/products/77/similar").status_code == 200)
        done = stack.lookalike("promote", "2")
        assert (done.status, done.printed["missing"], done.printed["promoted"]) == (3, ["77"], False)
        assert "1 of 123 products have no vector of fashion/2: run lookalike reembed --model 2 again" in done.said
        assert search(stack, PHOTOS[0])["model"] == ONE
        allowed = done.said.rpartition("--min-coverage ")[2].strip()
        assert stack.lookalike("promote", "2", "--min-coverage", allowed).status == 0
        assert search(stack, PHOTOS[0])["model"] == TWO
        assert stack.api.get("/v1/products/77/similar").status_code == 404
        assert stack.lookalike("rollback").status == 0
        client["lookalike"]["products"].delete_one({"id": 77})
        eventually(lambda: stack.api.get("/v1/products/77/similar").status_code == 404)


def test_a_forgotten_model_leaves_the_documents_as_if_it_had_never_been(stack: ModelStack) -> None:
    assert stack.lookalike("promote", "2").status == 0
    listed = {model["model"]: model["role"] for model in stack.lookalike("models").printed["models"]}
    assert listed == {ONE: "previous", TWO: "active"}
    refused(stack.lookalike("forget-model", "2"), "fashion/2 is the active model")
    before = {photo: search(stack, photo)["results"] for photo in PHOTOS}
    searches = Searches(stack, PHOTOS, rate=4)
    with searches.going_on():
        done = stack.lookalike("forget-model", "1")
        assert (done.status, done.printed["changed"], done.printed["unsearchable"]) == (0, PRODUCTS + 2, 0), done.said
        eventually(lambda: len(stack.api.get("/v1/stats").json()["models"]) == 1)
        count_before = len(searches.done)
        eventually(lambda: len(searches.done) > count_before + 8)
    assert [failure.answer for failure in searches.failures] == []
    documents = stack.documents()
    assert {document["model"] for document in documents} == {TWO}
    assert all(set(document["embeddings"]) == {TWO} for document in documents)
    assert {photo: search(stack, photo)["results"] for photo in PHOTOS} == before
    refused(stack.lookalike("rollback"), "there is no previous model to go back to")
    again = stack.lookalike("import", "feed.ndjson")
    assert (again.status, again.printed["unchanged"], again.printed["embedded"]) == (0, PRODUCTS, 0)
    assert again.printed["model"] == TWO


def test_with_the_database_away_the_promoted_model_serves_also_after_a_restart(stack: ModelStack) -> None:
    from tests.support.servers.stack import kill, stopped

    with stopped(stack.stack, "mongo"):
        assert search(stack, PHOTOS[0])["model"] == TWO
    kill(stack.stack, "gateway")
    kill(stack.stack, "index")
    eventually(lambda: _model(stack) == TWO)
    listed = stack.lookalike("models").printed
    assert (listed["active"], listed["first"], listed["promoted"], listed["searched"]) == (TWO, ONE, True, TWO)


def _model(stack: ModelStack) -> str | None:
    import httpx

    try:
        answer = stack.api.post("/v1/search", content=PHOTOS[0], headers={"Content-Type": "image/png"})
    except httpx.HTTPError:
        return None
    return str(answer.json()["model"]) if answer.status_code == 200 else None
