"""`lookalike doctor` over a database, and the examination by itself."""

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pymongo
import typer.testing
from typer.testing import CliRunner

from services.catalogue.documents.product_document import Record, to_document
from services.catalogue.health.doctor import KINDS, Examination
from services.catalogue.product import Prediction, Product, ProductEmbedding
from services.cli.imports.run import SHIPPED
from services.cli.main import app
from services.contracts.images.fetch import ImageFetcher
from tests.support.values.products import additional_image, embedding, make_product
from tests.support.web.http import ImageServer, picture

RUN = CliRunner()
VECTOR = np.ones(64, dtype=np.float32)


def product(key: str, category: int = 0, **changes: Any) -> Product:
    facts = {"model": "fashion/1", "image_sha256": f"hash of {key}", "category_source": "network", **changes}
    return make_product(key, category, VECTOR, **facts)


def fill(url: str, database: str, *entries: Product | dict[str, Any]) -> None:
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        documents = [entry if isinstance(entry, dict) else to_document(entry) for entry in entries]
        client[database]["products"].insert_many(documents)


def run(url: str, database: str, *arguments: str) -> typer.testing.Result:
    settings = {"MONGO_URL": url, "MONGO_DATABASE": database, "EMBEDDING_URL": "http://127.0.0.1:9"}
    return RUN.invoke(app, ["doctor", *arguments], env=settings)


def one_of_each() -> list[Product]:
    return [product(f"p{number}", number) for number in range(9)]


def test_a_sound_catalogue_has_no_findings_and_the_status_is_0(url: str, database: str) -> None:
    old_form = {"id": 7, "Category": 1, "vector": [1.0] * 64}
    fill(url, database, *one_of_each(), old_form)
    done = run(url, database, "--json")
    assert done.exit_code == 0, done.stderr
    report = orjson.loads(done.stdout)
    assert (report["healthy"], report["products"], report["model"]) == (True, 10, "fashion/1")
    assert report["categories"]["Shoes"] == 2
    assert set(report["findings"]) == set(KINDS)
    assert "the embedding service is unavailable" in done.stderr


def test_everything_that_is_wrong_is_found_with_examples_and_the_status_is_3(url: str, database: str) -> None:
    wrong: list[Product | dict[str, Any]] = [
        product("twin", image_sha256="hash of p0"),
        product("disagrees", 1, category_source="feed", prediction=Prediction(2, 0.87)),
        product("agrees", 1, category_source="feed", prediction=Prediction(1, 0.87)),
        product("old", 1, model="fashion/0"),
        product("nowhere", 12),
        {"_id": "bare", "id": "bare", "Category": 1},
        {"_id": "odd", "id": "odd", "Category": "x", "vector": [1.0]},
        {"_id": "half", "Category": 1, "vector": [1.0] * 64, "images": [{"vector": [1.0] * 64}, {"vector": []}]},
    ]
    fill(url, database, *one_of_each()[:8], *wrong)
    done = run(url, database, "--json")
    assert done.exit_code == 3, done.stderr
    document = {
        kind: (finding["count"], finding["examples"]) for kind, finding in orjson.loads(done.stdout)["findings"].items()
    }
    assert document == {
        "broken": (1, ["odd: Category is 'x', not a category's id"]),
        "broken_images": (1, ["half: images[1]: the vector has shape (0,), not (64,)"]),
        "not_embedded": (1, ["bare: the vector is missing"]),
        "other_model": (1, ["old: fashion/0"]),
        "unknown_category": (1, ["nowhere: category 12"]),
        "category_conflicts": (1, ["disagrees: Shoes, predicted Bags (87%)"]),
        "duplicates": (1, ["p0, twin"]),
        "empty_categories": (1, ["Socks"]),
        "dead_images": (0, []),
        "dead_pages": (0, []),
    }
    shown = run(url, database)
    assert shown.exit_code == 3
    assert "images that several products have" in shown.stdout
    assert "disagrees: Shoes, predicted Bags (87%)" in shown.stdout


def test_urls_that_lead_nowhere_are_found(url: str, database: str) -> None:
    with ImageServer({"/page": b"<html>a shirt</html>"}) as server:
        pages = [
            product("good", image_url=server.url("/ok.png"), url=server.url("/page")),
            product(
                "back",
                images=(additional_image(VECTOR, server.url("/none.png")), additional_image(VECTOR, sha256="ab")),
            ),
            product("gone", image_url=server.url("/none.png"), url=server.url("/status/503")),
            product("text", image_url=server.url("/text.jpg"), url="/p/text"),
            product("private", image_url="http://127.0.0.1:1/a.png", url=server.url("/redirect?to=http://10.0.0.1/")),
        ]
        fill(url, database, *one_of_each()[1:], *pages)
        done = run(url, database, "--check-urls", "--allow-host", server.host, "--json")
    assert done.exit_code == 3, done.stderr
    report = orjson.loads(done.stdout)
    assert (report["urls_checked"], report["urls_unchecked"]) == (8, 1)
    images, page_urls = (sorted(report["findings"][kind]["examples"]) for kind in ("dead_images", "dead_pages"))
    assert [(text.split(": ", 1)[0], text.rsplit(": ", 1)[1]) for text in images] == [
        ("back", "it answered 404 Not Found"),
        ("gone", "it answered 404 Not Found"),
        ("private", "127.0.0.1 is not a public host"),
        ("text", "it does not return an image"),
    ]
    assert [text.split(": ", 1)[0] for text in page_urls] == ["gone", "private"]


def test_a_database_that_is_away_is_said_so(database: str) -> None:
    done = run("mongodb://127.0.0.1:9", database)
    assert done.exit_code == 1
    assert "127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr


def test_examples_are_bounded_and_counts_are_not() -> None:
    examination = Examination(SHIPPED, shown=2)
    entries = [Record(f"{n}", product(f"{n}", 50, image_sha256="same", model=f"fashion/{n % 3}")) for n in range(30)]
    examination.add(entries)
    report = examination.report()
    examination.close()
    assert (report.findings["unknown_category"].count, len(report.findings["unknown_category"].examples)) == (30, 2)
    assert (report.findings["other_model"].count, len(report.findings["other_model"].examples)) == (20, 2)
    assert report.findings["duplicates"].examples == ["0, 1, 10, 11, 12 and 25 more"]


async def test_a_probe_reads_the_beginning_of_an_answer_only(tmp_path: Path) -> None:
    with ImageServer() as server:
        fetcher = ImageFetcher(max_bytes=10, allowed_hosts=[server.host])
        try:
            assert await fetcher.probe(server.url("/ok.png")) == picture()[:64]
            assert await fetcher.probe(server.url("/endless"))
        finally:
            await fetcher.close()


def test_after_a_promotion_products_are_judged_by_what_the_promoted_model_sees(url: str, database: str) -> None:
    def promoted(key: str, category: int) -> dict[str, ProductEmbedding]:
        return {"fashion/2": embedding(VECTOR, f"hash of {key}", prediction=Prediction(category, 0.9))}

    both = [product(f"p{number}", number, embeddings=promoted(f"p{number}", number)) for number in range(9)]
    moved = product("moved", 0, category_source="feed", embeddings=promoted("moved", 4))
    fill(url, database, *both, product("old"), moved)
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        client[database]["notes"].insert_one({"_id": "models", "active": "fashion/2", "previous": "fashion/1"})
    document = orjson.loads(run(url, database, "--json").stdout)
    assert (document["model"], document["models"]) == ("fashion/2", {"fashion/2": 10, "fashion/1": 1})
    wrong = {kind: finding["examples"] for kind, finding in document["findings"].items() if finding["count"]}
    assert wrong == {
        "other_model": ["old: fashion/1"],
        "category_conflicts": ["moved: Topwear, predicted Watches (90%)"],
    }
