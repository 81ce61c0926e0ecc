"""`lookalike import` as a process, with images from a web server that is slow, busy, or has nothing new."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.support.servers.import_stack import ImportStack
from tests.support.web.http import ImageServer, picture


@pytest.fixture
def server() -> Iterator[ImageServer]:
    with ImageServer({f"/{number}.png": picture((number, 90, 90), (8, 8)) for number in range(100)}) as running:
        running.tags = True
        yield running


def write_feed(folder: Path, urls: list[str], **facts: object) -> Path:
    rows = [{"id": f"p{number}", "image_url": url, **facts} for number, url in enumerate(urls)]
    path = folder / "feed.ndjson"
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    return path


def sent(server: ImageServer) -> int:
    """Return how many requests asked for a picture without saying which state of it is known."""
    return sum("If-None-Match" not in headers for _, headers in server.requests)


def test_a_second_import_asks_each_image_for_changes_and_downloads_and_embeds_only_those(
    stack: ImportStack, server: ImageServer, tmp_path: Path
) -> None:
    feed = write_feed(tmp_path, [server.url(f"/{number}.png") for number in range(100)])
    allowed = ("--allow-host", server.host)
    first = stack.run("asked", feed, *allowed, "--per-host", "5", cwd=tmp_path)
    assert first.counts("imported", "embedded", "not_modified") == (100, 100, 0), first.said
    assert (sent(server), 1 <= server.most_at_once <= 5) == (100, True)
    before = stack.products("asked")
    again = stack.run("asked", feed, *allowed, cwd=tmp_path)
    assert again.counts("unchanged", "embedded", "not_modified") == (100, 0, 100), again.said
    assert (sent(server), len(server.requests)) == (100, 200)
    assert stack.products("asked") == before
    server.pages["/7.png"] = picture((7, 200, 90), (8, 8))
    renamed = write_feed(tmp_path, [server.url(f"/{number}.png") for number in range(100)], title="New")
    changed = stack.run("asked", renamed, *allowed, cwd=tmp_path)
    assert changed.counts("updated", "embedded", "not_modified") == (100, 1, 99), changed.said
    after = stack.products("asked")
    assert {key for key in after if after[key]["vector"] != before[key]["vector"]} == {"p7"}
    assert {product["title"] for product in after.values()} == {"New"}


def test_a_busy_server_is_waited_for_and_what_it_never_gives_is_told_with_its_line(
    stack: ImportStack, server: ImageServer, tmp_path: Path
) -> None:
    server.troubles = {"/1.png": [503, 500], "/2.png": [(429, "1"), (429, "0")], "/3.png": [(503, "86400")]}
    paths = ["/0.png", "/1.png", "/2.png", "/3.png", "/status/502", "/redirect?to=http://10.0.0.1/a.png", "/huge"]
    feed = write_feed(tmp_path, [server.url(path) for path in paths])
    done = stack.run("busy", feed, "--allow-host", server.host, "--rejected", "bad.ndjson", cwd=tmp_path)
    assert (done.status, done.counts("imported", "rejected")) == (3, (3, 4)), done.said
    entries = map(orjson.loads, (tmp_path / "bad.ndjson").read_bytes().splitlines())
    reasons = {(entry["line"], entry["id"]): entry["reason"] for entry in entries}
    assert reasons == {
        (4, "p3"): "the image URL answered 503 Service Unavailable",
        (5, "p4"): "the image URL answered 502 Bad Gateway",
        (6, "p5"): "the image URL must not be fetched: 10.0.0.1 is not a public host",
        (7, "p6"): "the image URL returns more than the limit of 10,485,760 bytes",
    }
    assert server.request_count("/3.png") == 1
    assert server.request_count("/status/502") == 3
