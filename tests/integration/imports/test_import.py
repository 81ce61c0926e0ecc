"""`lookalike import` as a process, with the database stand-in and the embedding service with the tiny model."""

import csv
import io
import random
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.support.servers.import_stack import ImportStack, finish, wait_for_products
from tests.support.waiting import WITHIN_S
from tests.support.web.http import ImageServer, picture

MANY = 1200  # more than the batches that are under way at once
COLUMNS = "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName"


def colour(number: int) -> tuple[int, int, int]:
    """Return a colour of its own for each number."""
    return (number % 200, number // 200 % 200, 50)


def write_feed(folder: Path, rows: list[dict[str, object]], name: str = "feed.ndjson") -> Path:
    path = folder / name
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    return path


def write_images(folder: Path, count: int) -> list[dict[str, object]]:
    """Write images of different colours; return the feed's rows for them."""
    for number in range(count):
        (folder / f"{number}.png").write_bytes(picture(colour(number), (8, 8)))
    return [{"id": f"p{number}", "image": f"{number}.png", "title": f"Product {number}"} for number in range(count)]


def names(count: int) -> list[str]:
    return [f"p{number}" for number in range(count)]


def test_a_feed_is_imported_and_a_second_import_skips_everything(stack: ImportStack, tmp_path: Path) -> None:
    feed = write_feed(tmp_path, write_images(tmp_path, 300))
    first = stack.run("twice", feed, cwd=tmp_path)
    assert first.status == 0, first.said
    assert first.summary["status"] == "done"
    assert first.counts("read", "imported", "embedded", "rejected") == (300, 300, 300, 0)
    before = stack.products("twice")
    second = stack.run("twice", feed, cwd=tmp_path)
    assert second.counts("imported", "updated", "unchanged", "embedded") == (0, 0, 300, 0)
    assert stack.products("twice") == before
    assert len(before) == len(stack.pictures("twice")) == 300
    assert before["p7"]["title"] == "Product 7"
    assert before["p7"]["model"] == "fashion/1"
    assert stack.pictures("twice")["p7"] == (tmp_path / "7.png").read_bytes()


def test_a_changed_title_is_written_without_embedding_and_a_changed_image_with(
    stack: ImportStack, tmp_path: Path
) -> None:
    rows = write_images(tmp_path, 4)
    feed = write_feed(tmp_path, rows)
    stack.run("changes", feed, cwd=tmp_path)
    before = stack.products("changes")
    rows[0]["title"] = "Renamed"
    rows[0]["price"] = 5
    (tmp_path / "1.png").write_bytes(picture((250, 250, 0), (8, 8)))
    changed = stack.run("changes", write_feed(tmp_path, rows), cwd=tmp_path)
    assert changed.counts("imported", "updated", "unchanged", "embedded") == (0, 2, 2, 1)
    after = stack.products("changes")
    assert (after["p0"]["title"], after["p0"]["attributes"]) == ("Renamed", {"price": 5})
    assert after["p0"]["vector"] == before["p0"]["vector"]
    assert after["p1"]["vector"] != before["p1"]["vector"]
    assert stack.pictures("changes")["p1"] == (tmp_path / "1.png").read_bytes()


@pytest.fixture
def server() -> Iterator[ImageServer]:
    """A web server whose image is not there before `release` is set."""
    with ImageServer({"/held.png": picture((1, 1, 250))}) as running:
        running.busy = frozenset({"/held.png"})
        yield running


def write_held_feed(folder: Path, server: ImageServer) -> Path:
    """Write a feed of MANY products whose import ends only after `release`: it waits for the last image."""
    held: dict[str, object] = {"id": "held", "image_url": server.url("/held.png")}
    return write_feed(folder, [*write_images(folder, MANY - 1), held])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_an_import_that_ends_in_the_middle_is_completed_by_the_next_with_nothing_lost_or_doubled(
    stack: ImportStack, server: ImageServer, tmp_path: Path, number: signal.Signals
) -> None:
    database = f"cut{number.value}"
    command = (write_held_feed(tmp_path, server), "--allow-host", server.host)
    process = stack.begin(database, *command, cwd=tmp_path)
    wait_for_products(stack, database, at_least=1)
    process.send_signal(number)
    cut = finish(process)
    there = len(stack.products(database))
    assert 1 <= there < MANY
    if number == signal.SIGKILL:
        assert cut.status == -signal.SIGKILL
    else:
        assert (cut.status, cut.summary["status"]) == (130, "interrupted"), cut.said
        assert cut.summary["imported"] == there
        assert "Traceback" not in cut.said
    server.release.set()
    again = stack.run(database, *command, cwd=tmp_path)
    assert again.status == 0, again.said
    assert again.counts("imported", "unchanged", "rejected") == (MANY - there, there, 0)
    assert set(stack.products(database)) == {"held", *stack.pictures(database)} == {"held", *names(MANY - 1)}


def test_of_two_imports_at_once_the_second_is_refused_with_one_sentence(
    stack: ImportStack, server: ImageServer, tmp_path: Path
) -> None:
    first = stack.begin("two", write_held_feed(tmp_path, server), "--allow-host", server.host, cwd=tmp_path)
    wait_for_products(stack, "two", at_least=1)
    other = write_feed(tmp_path, [{"id": "other", "image": "0.png"}], "other.ndjson")
    second = stack.run("two", other, "--sync", "--sync-limit", "1", cwd=tmp_path)
    server.release.set()
    assert (second.status, second.summary["status"], second.counts("read", "removed")) == (1, "failed", (0, 0))
    assert "another import is under way: feed.ndjson, since" in second.said
    assert f"process {first.pid} on" in second.said
    assert "Traceback" not in second.said
    done = finish(first)
    assert done.status == 0, done.said
    assert set(stack.products("two")) == {"held", *names(MANY - 1)}


def test_rejected_rows_go_to_a_file_with_line_id_and_reason_and_the_status_is_3(
    stack: ImportStack, tmp_path: Path
) -> None:
    write_images(tmp_path, 3)
    (tmp_path / "text.jpg").write_bytes(b"this is not a picture")
    (tmp_path / "cut.png").write_bytes(picture()[:60])
    lines = [
        b"id;title;image;category;price",
        b"A;Good;0.png;Shoes;29,90 EUR",
        b"B;No picture;text.jpg;;",
        b"C;Cut short;cut.png;;",
        b"D;Missing;none.png;;",
        b"E;Caf\xe9 \xc3\xa9;1.png;;",
        b'F;"open;1.png;;',
        b"A;Twice;1.png;;",
        b"G;Outside;../secret.png;;",
        b"H;Fields",
        b";No id;1.png;;",
        b"I;Good too;2.png;T-Shirts;",
    ]
    (tmp_path / "feed.csv").write_bytes(b"\n".join(lines))
    done = stack.run("rejected", "feed.csv", cwd=tmp_path)
    assert done.status == 3
    assert done.counts("read", "imported", "rejected") == (11, 2, 9)
    assert done.summary["rejected_file"] == "feed.csv.rejected.ndjson"
    entries = [orjson.loads(line) for line in (tmp_path / "feed.csv.rejected.ndjson").read_bytes().splitlines()]
    assert [(e["line"], e["id"]) for e in sorted(entries, key=lambda e: e["line"])] == [
        (3, "B"),
        (4, "C"),
        (5, "D"),
        (6, "E"),
        (7, "F"),
        (8, "A"),
        (9, "G"),
        (10, "H"),
        (11, None),
    ]
    reasons = {entry["line"]: entry["reason"] for entry in entries}
    assert "not an image of an accepted format" in reasons[3]
    assert "damaged" in reasons[4]
    assert reasons[5] == "there is no image none.png"
    assert reasons[6] == "not UTF-8 at byte 6 of the line"
    assert reasons[8] == "the id A is already on line 2"
    assert "../secret.png is outside" in reasons[9]
    products = stack.products("rejected")
    assert products["A"]["Category"] == 1
    assert products["A"]["category_source"] == "feed"
    assert products["A"]["attributes"] == {"category": "Shoes", "price": 29.9, "currency": "EUR"}
    assert products["I"]["category_source"] == "network"
    assert products["I"]["Category"] == products["I"]["embeddings"][products["I"]["model"]]["prediction"]["category"]


def test_a_mapping_names_columns_and_categories(stack: ImportStack, tmp_path: Path) -> None:
    write_images(tmp_path, 2)
    (tmp_path / "feed.tsv").write_text("sku\tBild\tRubrik\nA\t0.png\tTurnschuhe\nB\t1.png\tParfum\n")
    mapping = {"columns": {"sku": "id", "Bild": "image", "Rubrik": "category"}}
    categories = {"turnschuhe": "Shoes", "Parfum": None}
    (tmp_path / "map.json").write_bytes(orjson.dumps({**mapping, "categories": categories}))
    done = stack.run(
        "mapped", "feed.tsv", "--mapping", "map.json", "--url-template", "https://a.test/{id}", cwd=tmp_path
    )
    assert done.status == 0, done.said
    assert done.counts("imported", "skipped", "rejected") == (1, 1, 0)
    product = stack.products("mapped")["A"]
    assert (product["Category"], product["category_source"], product["url"]) == (1, "mapping", "https://a.test/A")


def test_images_come_from_urls_and_those_that_do_not_are_told(stack: ImportStack, tmp_path: Path) -> None:
    with ImageServer({"/good.png": picture((9, 9, 200))}) as server:
        paths = {
            "good": "/good.png",
            "moved": "/redirect?to=/good.png",
            "gone": "/status/404",
            "text": "/text.jpg",
            "inside": "/redirect?to=http://127.0.0.1:1/",
        }
        rows: list[dict[str, object]] = [{"id": key, "image_url": server.url(path)} for key, path in paths.items()]
        feed = write_feed(tmp_path, rows)
        done = stack.run("urls", feed, "--allow-host", server.host, "--rejected", "bad.ndjson", cwd=tmp_path)
        refused = stack.run("urls2", feed, "--rejected", "bad2.ndjson", cwd=tmp_path)
    assert done.status == 3
    assert done.counts("imported", "rejected") == (2, 3)
    reasons = {e["id"]: e["reason"] for e in map(orjson.loads, (tmp_path / "bad.ndjson").read_bytes().splitlines())}
    assert "answered 404" in reasons["gone"]
    assert "not an image of an accepted format" in reasons["text"]
    assert "not a public host" in reasons["inside"]
    assert stack.products("urls")["good"]["images"][0]["url"] == server.url("/good.png")
    assert stack.pictures("urls") == {}, "pictures that a web server has are linked, not copied"
    assert refused.counts("imported", "rejected") == (0, 5)


def test_the_kaggle_archives_other_rows_are_outside_and_no_error(stack: ImportStack, tmp_path: Path) -> None:
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(COLUMNS.split(","))
    kinds = ["Topwear", "Sandal", "Shoes", "Dress", "Socks"]
    writer.writerows(
        [n, "Men", "Apparel", kinds[n % 5], "Kind", "Blue", "", "", "Casual", f"Product {n}"] for n in range(50)
    )
    with zipfile.ZipFile(tmp_path / "kaggle.zip", "w") as archive:
        archive.writestr("styles.csv", table.getvalue() + "broken,row\n")
        for number in range(50):
            if number != 2:
                archive.writestr(f"images/{number}.jpg", picture(colour(number), kind="JPEG"))
    done = stack.run("kaggle", "kaggle.zip", cwd=tmp_path)
    assert done.status == 3
    assert done.counts("read", "imported", "skipped", "rejected") == (51, 29, 20, 2)
    product = stack.products("kaggle")["5"]
    assert (product["title"], product["Category"], product["category_source"]) == ("Product 5", 0, "feed")
    assert product["attributes"]["subCategory"] == "Topwear"
    assert set(product["embeddings"][product["model"]]["prediction"]) == {"category", "probability"}
    with zipfile.ZipFile(tmp_path / "kaggle.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    again = stack.run("kaggle", "unpacked", cwd=tmp_path)
    assert again.counts("unchanged", "imported") == (29, 0)


def test_a_folder_of_images_takes_its_categories_from_the_folders_names(stack: ImportStack, tmp_path: Path) -> None:
    for name in ("bags/1.png", "Shoes/new/2.png", "other/3.png"):
        path = tmp_path / "shop" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(picture(colour(random.Random(name).randrange(40_000))))
    done = stack.run("folder", "shop", cwd=tmp_path)
    assert done.status == 0, done.said
    products = stack.products("folder")
    assert {key: (p["Category"], p["category_source"]) for key, p in products.items() if "other" not in key} == {
        "bags/1": (2, "feed"),
        "Shoes/new/2": (1, "feed"),
    }
    assert products["other/3"]["category_source"] == "network"


def test_a_dry_run_reads_and_checks_and_writes_no_product(stack: ImportStack, tmp_path: Path) -> None:
    rows = write_images(tmp_path, 3)
    (tmp_path / "1.png").write_bytes(b"broken")
    done = stack.run("dry", write_feed(tmp_path, rows), "--dry-run", cwd=tmp_path)
    assert done.status == 3
    assert done.counts("read", "checked", "rejected", "imported") == (3, 2, 1, 0)
    assert stack.products("dry") == {}


def test_services_that_go_away_in_the_middle_are_waited_for(
    stack: ImportStack, server: ImageServer, tmp_path: Path
) -> None:
    command = (write_held_feed(tmp_path, server), "--allow-host", server.host, "--wait", f"{WITHIN_S:g}")
    process = stack.begin("outage", *command, cwd=tmp_path)
    wait_for_products(stack, "outage", at_least=1)
    stack.kill("tfs")
    stack.kill("mongo")
    server.release.set()  # what the import does with the image fails
    stack.start("mongo")
    stack.start("tfs")
    done = finish(process)
    assert done.status == 0, done.said
    assert done.counts("read", "rejected") == (MANY, 0)
    assert len(stack.products("outage")) == MANY
    assert "waiting: " in done.said


@pytest.mark.parametrize(
    ("variable", "words"), [("--embedding-url", "embedding service cannot be reached"), ("--mongo-url", "database at")]
)
def test_a_service_that_stays_away_ends_the_import_with_one_sentence_and_status_1(
    stack: ImportStack, tmp_path: Path, variable: str, words: str
) -> None:
    feed = write_feed(tmp_path, write_images(tmp_path, 2))
    address = "http://127.0.0.1:9" if variable == "--embedding-url" else "mongodb://user:secret@127.0.0.1:9"
    done = stack.run("away", feed, "--wait", "1", variable, address, cwd=tmp_path)
    assert (done.status, done.summary["status"]) == (1, "failed")
    assert words in done.summary["reason"]
    assert "Traceback" not in done.said
    assert "secret" not in done.said
