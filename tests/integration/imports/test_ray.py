"""`lookalike embed` and `lookalike reembed --engine ray` on a local Ray cluster, with a worker killed on the way."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.catalogue.documents.product_document import from_document
from tests.integration.imports.test_reembed import write_feed
from tests.support.servers.embedding import wait_until_serves
from tests.support.servers.import_stack import ImportStack, finish, wait_for_products
from tests.support.servers.ray_workers import IS_INSTALLED, WORKERS, differences, ray_processes
from tests.support.servers.tfs import copy_candidate

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason="Ray is not installed: pip install 'lookalike[ray]'")
COUNT = 1100


@pytest.fixture
def candidate(stack: ImportStack) -> Iterator[str]:
    path = copy_candidate(stack.models)
    wait_until_serves(stack.embedding_url, "fashion/2")
    yield "fashion/2"
    shutil.rmtree(path)


def test_workers_that_are_killed_lose_no_product_and_the_result_is_that_of_an_import(
    stack: ImportStack, tmp_path: Path, candidate: str
) -> None:
    feed = write_feed(tmp_path, COUNT)
    with feed.open("ab") as file:
        file.write(b'\n{"id": "none", "image": "none.png"}')
    expected = stack.run("ray-expected", feed, cwd=tmp_path)
    own = ("--workers", "2", "--worker-model", stack.models / "1")
    process = stack.begin("ray", feed, *own, cwd=tmp_path, command="embed")
    wait_for_products(stack, "ray", 1)
    ray_processes(process.pid, WORKERS)[0].kill()
    done = finish(process)
    assert (done.status, expected.status) == (3, 3), done.said
    assert done.summary["imported"] + done.summary["unchanged"] == COUNT
    assert done.counts("read", "rejected") == expected.counts("read", "rejected") == (COUNT + 1, 1)
    assert differences(stack.products("ray-expected"), stack.products("ray")) == []
    assert stack.pictures("ray") == stack.pictures("ray-expected")

    process = stack.begin("ray", "--model", "2", "--engine", "ray", "--workers", "1", cwd=tmp_path, command="reembed")
    done = finish(process)
    assert done.status == 0, done.said
    assert stack.run("ray-expected", "--model", "2", cwd=tmp_path, command="reembed").status == 0
    assert all(from_document(document).product.embedded_by(candidate) for document in stack.products("ray").values())
    assert differences(stack.products("ray-expected"), stack.products("ray")) == []
