"""A change of models in an installation of two catalogues: one step for both, whatever is searched meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from services.sample_shop.catalogue import sample_query
from tests.support.servers.embedding import wait_until_serves
from tests.support.servers.shop import environment
from tests.support.servers.switch import Done, ModelStack, Searches, Truth, running_models
from tests.support.servers.tfs import copy_candidate, copy_version
from tests.support.waiting import PATIENT, eventually

ONE, TWO = "fashion/1", "fashion/2"
EACH = 40
PATHS = ("", "/catalogues/outlet", "/catalogues/all")
PHOTOS = [sample_query(100 + number) for number in range(4)]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[ModelStack]:
    """A stack with version 1, and products of their own in each of two catalogues; version 2 is added."""
    first = copy_version(tmp_path / "fashion", 1)
    with environment({**PATIENT, "CATALOGUES": "outlet"}), running_models(tmp_path, first) as running:
        for catalogue, begin in (("default", 0), ("outlet", EACH)):
            done = running.lookalike("import", feed(tmp_path, catalogue, begin), "--catalogue", catalogue)
            assert (done.status, done.printed["imported"]) == (0, EACH), done.said
        eventually(lambda: [products(running, path) for path in PATHS] == [EACH, EACH, 2 * EACH])
        copy_candidate(tmp_path / "fashion")
        wait_until_serves(running.stack.settings.embedding_url, TWO)
        yield running


def feed(folder: Path, name: str, begin: int) -> Path:
    """Write a feed with pictures; the ids of two catalogues differ, so that a result says where it is from."""
    for number in range(begin, begin + EACH):
        (folder / f"{number}.jpg").write_bytes(sample_query(number))
    path = folder / f"{name}.ndjson"
    rows = ({"id": f"p{number}", "image": f"{number}.jpg"} for number in range(begin, begin + EACH))
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    return path


def products(stack: ModelStack, path: str) -> int:
    return int(stack.api.get(f"{path}/v1/stats").json()["products"])


def models(stack: ModelStack) -> set[str]:
    """Return which models answer, each catalogue and all of them being asked."""
    headers = {"Content-Type": "image/jpeg"}
    answers = [stack.api.post(f"{path}/v1/search", content=PHOTOS[0], headers=headers) for path in PATHS]
    return {str(answer.raise_for_status().json()["model"]) for answer in answers}


def refused(done: Done, said: str) -> None:
    assert done.status != 0 and said in done.said, done.said


def test_a_switch_is_one_step_for_every_catalogue_and_waits_for_the_last(stack: ModelStack) -> None:
    everything, outlet = (Searches(stack, PHOTOS, 3, path) for path in ("/catalogues/all", "/catalogues/outlet"))
    with everything.going_on(), outlet.going_on():
        done = stack.lookalike("reembed", "--model", "2", "--catalogue", "default")
        assert (done.status, done.printed["embedded"]) == (0, EACH), done.said
        refused(
            stack.lookalike("promote", "2"), f"{EACH} of {2 * EACH} products have no vector of {TWO} ({EACH} of outlet)"
        )
        assert models(stack) == {ONE}
        done = stack.lookalike("reembed", "--model", "2")
        assert done.status == 0, done.said
        embedded = {name: catalogue["embedded"] for name, catalogue in done.printed["catalogues"].items()}
        assert embedded == {"default": 0, "outlet": EACH}
        promoted = stack.lookalike("promote", "2")
        assert promoted.status == 0, promoted.said
        assert models(stack) == {TWO}
        count_before = len(everything.done)
        eventually(lambda: len(everything.done) > count_before + 6)
        assert stack.lookalike("rollback").status == 0
        assert models(stack) == {ONE}
    assert [failure.answer for failure in everything.failures + outlet.failures] == []
    truth = Truth(stack, PHOTOS, (ONE, TWO))
    assert [objection for asked in everything.done if (objection := truth.objection(asked))] == []
    assert everything.counts().keys() == outlet.counts().keys() == {ONE, TWO}
    from_outlet = {result["id"] for asked in outlet.done for result in asked.answer["results"]}
    assert from_outlet <= {f"p{number}" for number in range(EACH, 2 * EACH)}
