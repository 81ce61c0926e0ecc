"""The feeds that shops already have, imported by `lookalike import` with images from a web server."""

from pathlib import Path

import orjson

from tests.support.servers.import_stack import ImportStack
from tests.support.web.http import ImageServer, picture

RSS = '<?xml version="1.0"?><rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel>{}</channel></rss>'
ITEM = "<item><g:id>{}</g:id><title>Shoe</title><g:image_link>{}</g:image_link><g:price>29.90 EUR</g:price>{}</item>\n"


def test_a_google_feed_is_imported_and_what_is_broken_in_it_is_told(stack: ImportStack, tmp_path: Path) -> None:
    with ImageServer({f"/{n}.png": picture((n, 90, 90), (8, 8)) for n in range(2)}) as server:
        items = [
            ITEM.format("A", server.url("/0.png"), "<g:product_type>Sale &gt; Shoes</g:product_type>"),
            ITEM.format("B", server.url("/none.png"), ""),
            ITEM.format("C", server.url("/1.png"), "<g:brand>Salt & Pepper</g:brand>"),
            ITEM.format("D", server.url("/1.png"), "<g:product_type>Perfume</g:product_type>"),
        ]
        (tmp_path / "feed.xml").write_text(RSS.format("".join(items)))
        (tmp_path / "mapping.json").write_bytes(orjson.dumps({"categories": {"Perfume": ""}}))
        arguments = ("feed.xml", "--mapping", "mapping.json", "--allow-host", server.host)
        done = stack.run("google", *arguments, cwd=tmp_path)
    assert (done.status, done.counts("imported", "skipped", "rejected")) == (3, (1, 1, 2)), done.said
    rejected = [orjson.loads(line) for line in (tmp_path / "feed.xml.rejected.ndjson").read_bytes().splitlines()]
    assert sorted((row["line"], row["id"]) for row in rejected) == [(2, "B"), (3, "C")]
    (product,) = stack.products("google").values()
    assert (product["_id"], product["Category"], product["category_source"]) == ("A", 1, "feed")
    assert product["attributes"] == {"price": 29.9, "currency": "EUR", "product_type": "Sale > Shoes"}


def test_several_images_of_a_product_come_in_and_those_that_do_not_are_told(stack: ImportStack, tmp_path: Path) -> None:
    pages = {f"/{n}.png": picture((n, 90, 90), (8, 8)) for n in range(4)}
    with ImageServer(pages) as server:
        server.tags = True
        (tmp_path / "detail.png").write_bytes(picture((200, 10, 10), (8, 8)))
        shoe = {
            "id": "A",
            "images": [server.url(f"/{n}.png") for n in range(3)] + ["detail.png", server.url("/no.png")],
        }
        (tmp_path / "feed.ndjson").write_bytes(orjson.dumps(shoe))
        arguments = ("feed.ndjson", "--allow-host", server.host)
        done = stack.run("several", *arguments, cwd=tmp_path)
        assert (done.status, done.counts("imported", "embedded", "images_rejected")) == (0, (1, 4, 1)), done.said
        again = stack.run("several", *arguments, cwd=tmp_path)
        assert again.counts("unchanged", "embedded", "images_rejected") == (1, 0, 1), again.said
        gone = server.url("/no.png")
    (line,) = map(orjson.loads, (tmp_path / "feed.ndjson.rejected.ndjson").read_bytes().splitlines())
    reason = "the image URL answered 404 Not Found"
    assert line == {"line": 1, "id": "A", "reason": reason, "image": gone}
    document = stack.products("several")["A"]
    assert [image["url"] for image in document["images"]] == [*shoe["images"][:3], None]
    additional = document["embeddings"][document["model"]]["images"][1:]
    assert len({bytes(document["vector"]), *(bytes(image["vector"]) for image in additional)}) == 4
    (name,) = stack.pictures("several")
    assert name == "A\n" + document["images"][3]["sha256"][:16]


def test_a_dry_run_tells_of_further_images_that_are_broken(stack: ImportStack, tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(picture((1, 90, 90), (8, 8)))
    (tmp_path / "2.png").write_bytes(b"no picture")
    (tmp_path / "feed.csv").write_text("id,image,images\nA,1.png,2.png|none.png|1.png\n")
    done = stack.run("dry", "feed.csv", "--dry-run", cwd=tmp_path)
    assert (done.status, done.counts("checked", "rejected", "images_rejected")) == (0, (1, 0, 2)), done.said
    lines = map(orjson.loads, (tmp_path / "feed.csv.rejected.ndjson").read_bytes().splitlines())
    assert [(line["line"], line["image"]) for line in lines] == [(2, "2.png"), (2, "none.png")]


def test_products_json_is_imported_with_addresses_of_the_shops_pages(stack: ImportStack, tmp_path: Path) -> None:
    with ImageServer({"/1.png": picture((9, 9, 90), (8, 8))}) as server:
        shirt = {"handle": "linen-shirt", "title": "Shirt", "images": [{"src": server.url("/1.png")}]}
        draft = {"handle": "draft", "status": "draft"}
        (tmp_path / "products.json").write_bytes(orjson.dumps({"products": [shirt, draft]}))
        template = ("--url-template", "https://shop.example/products/{id}")
        done = stack.run("shopify", "products.json", *template, "--allow-host", server.host, cwd=tmp_path)
    assert (done.status, done.counts("imported", "hidden")) == (0, (1, 1)), done.said
    assert stack.products("shopify")["linen-shirt"]["url"] == "https://shop.example/products/linen-shirt"
