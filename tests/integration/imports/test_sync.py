"""`lookalike import --sync` as a process, against a real database stand-in."""

from pathlib import Path

import orjson
import pymongo

from tests.support.servers.import_stack import ImportStack
from tests.support.web.http import picture


def write_feed(folder: Path, *numbers: int, more: bytes = b"") -> Path:
    for number in numbers:
        (folder / f"{number}.png").write_bytes(picture((number, 50, 50), (8, 8)))
    rows = [orjson.dumps({"id": f"p{number}", "image": f"{number}.png"}) for number in numbers]
    path = folder / "feed.ndjson"
    path.write_bytes(b"\n".join(rows) + b"\n" + more)
    return path


def test_products_that_the_feed_no_longer_has_go_with_their_pictures(stack: ImportStack, tmp_path: Path) -> None:
    database = "synced"
    stack.run(database, write_feed(tmp_path, *range(10)), cwd=tmp_path)
    fewer = write_feed(tmp_path, *range(8), 20)
    looked = stack.run(database, fewer, "--sync", "--dry-run", cwd=tmp_path)
    assert looked.counts("checked", "would_remove", "removed") == (9, 2, 0)
    assert len(stack.products(database)) == 10
    done = stack.run(database, fewer, "--sync", cwd=tmp_path)
    assert (done.status, done.counts("imported", "removed")) == (0, (1, 2)), done.said
    assert set(stack.products(database)) == set(stack.pictures(database)) == {f"p{n}" for n in (*range(8), 20)}


def test_documents_of_the_older_form_go_too(stack: ImportStack, tmp_path: Path) -> None:
    database = "older"
    feed = write_feed(tmp_path, *range(3))
    stack.run(database, feed, cwd=tmp_path)
    with pymongo.MongoClient[dict[str, object]](stack.mongo_url) as client:
        client[database]["products"].insert_one({"id": 7, "Category": 1, "vector": [1.0] * 64})
    done = stack.run(database, feed, "--sync", cwd=tmp_path)
    assert (done.status, done.counts("removed")) == (1, (0,)), done.said
    done = stack.run(database, feed, "--sync", "--sync-limit", "0.5", cwd=tmp_path)
    assert (done.status, done.counts("removed")) == (0, (1,)), done.said
    assert set(stack.products(database)) == {f"p{n}" for n in range(3)}


def test_nothing_goes_when_too_much_would_or_the_feed_is_not_whole(stack: ImportStack, tmp_path: Path) -> None:
    database = "refused"
    stack.run(database, write_feed(tmp_path, *range(10)), cwd=tmp_path)
    half = stack.run(database, write_feed(tmp_path, *range(5)), "--sync", cwd=tmp_path)
    assert (half.status, half.summary["status"]) == (1, "failed")
    assert "5 of 10 products (50%) are not in the feed, and --sync-limit is 0.2" in half.said
    broken = stack.run(database, write_feed(tmp_path, *range(9), more=b'{"id": "p9'), "--sync", cwd=tmp_path)
    assert broken.status == 1
    assert "1 row of the feed had no readable id" in broken.said
    assert len(stack.products(database)) == 10
    limited = stack.run(database, write_feed(tmp_path, *range(9)), "--sync", "--limit", "3", cwd=tmp_path)
    assert limited.status == 2
    assert "remove --limit" in limited.said
