"""`lookalike reembed` as a process, against real services, with a candidate that has another input size."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson
import pymongo
import pytest
from bson import ObjectId

from services.catalogue.documents.embeddings import read_embeddings
from services.catalogue.documents.product_document import from_document
from tests.support.servers.embedding import wait_until_serves
from tests.support.servers.import_stack import Imported, ImportStack, finish
from tests.support.servers.tfs import copy_candidate, tiny_models
from tests.support.waiting import eventually
from tests.support.web.http import ImageServer, picture

TWO = "fashion/2"


@pytest.fixture(scope="module", autouse=True)
def models(stack: ImportStack) -> Iterator[Path]:
    """The folder of the models, which also has the candidate while these tests run."""
    before = set(stack.models.iterdir())
    copy_candidate(stack.models)
    wait_until_serves(stack.embedding_url, TWO)
    yield stack.models
    for path in set(stack.models.iterdir()) - before:
        shutil.rmtree(path)


def write_feed(folder: Path, count: int) -> Path:
    """Write pictures of different colours and a feed of them."""
    rows = []
    for number in range(count):
        (folder / f"{number}.png").write_bytes(picture((number % 200, number // 200 * 9 + 20, 50), (8, 8)))
        rows.append({"id": f"p{number}", "image": f"{number}.png", "title": f"Product {number}"})
    feed = folder / "feed.ndjson"
    feed.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    return feed


def reembed(stack: ImportStack, database: str, cwd: Path, *options: str, model: str = "2") -> Imported:
    return stack.run(database, "--model", model, *options, cwd=cwd, command="reembed")


def expected(stack: ImportStack, data: bytes, model: str) -> tuple[int, list[float]]:
    """Return category and vector that the embedding service gives for an image with a model."""
    answer = httpx.post(
        f"{stack.embedding_url}/v1/embed", params={"model": model}, content=data, trust_env=False
    ).json()
    return answer["category"]["id"], answer["vector"]


def assert_seen(stack: ImportStack, document: dict[str, Any], data: bytes) -> None:
    """Check a document's vectors of both models."""
    record = from_document(document)
    for model, product in (
        (record.product.model or "fashion/1", record.product),
        (TWO, record.product.embedded_by(TWO)),
    ):
        assert product is not None
        category, vector = expected(stack, data, model)
        np.testing.assert_allclose(product.vector, vector, atol=1e-6)
        assert product.category == category


def test_every_product_gets_the_candidates_vector_and_keeps_its_own(stack: ImportStack, tmp_path: Path) -> None:
    assert stack.run("whole", write_feed(tmp_path, 300), cwd=tmp_path).status == 0
    before = stack.products("whole")
    done = reembed(stack, "whole", tmp_path)
    assert done.status == 0, done.said
    assert done.summary["model"] == TWO
    assert done.counts("found", "embedded", "rejected", "overtaken") == (300, 300, 0, 0)
    after = stack.products("whole")
    assert all(set(document["embeddings"]) == {"fashion/1", TWO} for document in after.values())
    assert {key: {**document, "embeddings": None} for key, document in after.items()} == {
        key: {**document, "embeddings": None} for key, document in before.items()
    }
    for number in (0, 7, 299):
        assert_seen(stack, after[f"p{number}"], (tmp_path / f"{number}.png").read_bytes())
    again = reembed(stack, "whole", tmp_path, model=TWO)
    assert again.counts("found", "embedded") == (0, 0)
    assert stack.products("whole") == after


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_ends_in_the_middle_is_completed_by_the_next(
    stack: ImportStack, tmp_path: Path, number: signal.Signals
) -> None:
    database = f"interrupted-{number.name}"
    stack.run(database, write_feed(tmp_path, 200), cwd=tmp_path)
    running = stack.begin(database, "--model", "2", "--rate", "5", cwd=tmp_path, command="reembed")

    def embedded() -> int:
        return sum(TWO in read_embeddings(product.get("embeddings")) for product in stack.products(database).values())

    eventually(lambda: embedded() > 0)
    running.send_signal(number)
    ended = finish(running)
    assert ended.status == (-9 if number is signal.SIGKILL else 130), ended.said
    had = embedded()
    assert 0 < had < 200
    rest = reembed(stack, database, tmp_path)
    assert rest.counts("found", "embedded") == (200 - had, 200 - had), rest.said
    assert embedded() == 200


def test_old_documents_and_linked_pictures_are_fetched_and_what_cannot_be_is_rejected_with_its_reason(
    stack: ImportStack, tmp_path: Path
) -> None:
    old, lost = ObjectId(), ObjectId()
    vector = np.eye(64)[3].tolist()
    with ImageServer({"/7.png": picture((9, 120, 40)), "/linked.png": picture((90, 20, 140))}) as server:
        feed = tmp_path / "feed.ndjson"
        feed.write_bytes(orjson.dumps({"id": "linked", "image_url": server.url("/linked.png")}))
        allowed = ("--allow-host", server.host)
        assert stack.run("old", feed, *allowed, cwd=tmp_path).status == 0
        with pymongo.MongoClient[dict[str, Any]](stack.mongo_url) as client:
            products = client["old"]["products"]
            products.insert_one({"_id": old, "id": 7, "Category": 3, "vector": vector})
            products.insert_one({"_id": lost, "id": 8, "Category": 3, "vector": vector})
            products.insert_one({"_id": "torn", "id": "torn", "Category": 3})
        template = ("--image-url-template", server.url("/{id}.png"))
        done = reembed(stack, "old", tmp_path, *allowed, *template)
        assert (done.status, done.counts("found", "embedded", "rejected")) == (3, (4, 2, 2)), done.said
        documents = stack.products("old")
        assert_seen(stack, documents["linked"], server.pages["/linked.png"])
        embedding = from_document(documents[old]).product.embedded_by(TWO)
        assert embedding is not None
        np.testing.assert_allclose(embedding.vector, expected(stack, server.pages["/7.png"], TWO)[1], atol=1e-6)
    assert {name: value for name, value in documents[old].items() if name != "embeddings"} == {
        "_id": old,
        "id": 7,
        "Category": 3,
        "vector": vector,
    }
    rejected = {
        each["id"]: each["reason"] for each in map(orjson.loads, _lines(tmp_path / done.summary["rejected_file"]))
    }
    assert rejected.keys() == {"8", "torn"}
    assert "/8.png: the image URL answered 404" in rejected["8"]
    assert rejected["torn"] == "the vector is missing"


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("7", "there is no model fashion/7 in"),
        ("two", "'two' is not a model id"),
        ("3", "3 has no manifest.json: copy the whole version directory"),
        ("4", "fashion/4 has other categories than fashion/1 (Hats, Socks)"),
    ],
)
def test_a_model_that_cannot_take_the_others_place_is_refused_in_a_sentence_and_nothing_is_noted(
    stack: ImportStack, models: Path, tmp_path: Path, model: str, said: str
) -> None:
    half, other = models / "3", models / "4"
    half.mkdir(exist_ok=True)
    (half / "saved_model.pb").touch()
    if not other.exists():
        manifest = orjson.loads((tiny_models() / "1" / "manifest.json").read_bytes())
        other.mkdir()
        (other / "manifest.json").write_bytes(orjson.dumps({**manifest, "version": 4, "categories": ["Hats", "Socks"]}))
        (other / "saved_model.pb").touch()
    done = reembed(stack, "refused", tmp_path, model=model)
    assert done.status == 1
    assert said in done.said
    assert "Traceback" not in done.said
    with pymongo.MongoClient[dict[str, Any]](stack.mongo_url) as client:
        assert client["refused"]["notes"].find_one({"_id": "models"}) is None


def test_a_second_candidate_has_to_wait_for_the_first(stack: ImportStack, tmp_path: Path) -> None:
    stack.run("two", write_feed(tmp_path, 2), cwd=tmp_path)
    with pymongo.MongoClient[dict[str, Any]](stack.mongo_url) as client:
        client["two"]["notes"].insert_one({"_id": "models", "active": None, "candidate": "fashion/9", "previous": None})
    done = reembed(stack, "two", tmp_path)
    assert done.status == 1
    assert "fashion/9 is the candidate: give it up first, with lookalike forget-model 9" in done.said
