"""Feeds of every format and any length, with the products p0, p1, …"""

from collections.abc import Iterator

import orjson

IMAGE = "https://shop.test/{}.jpg"
TEXT = "x" * 200
RSS = '<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel>\n'


def ndjson(numbers: range) -> Iterator[bytes]:
    for n in numbers:
        yield orjson.dumps({"id": f"p{n}", "image_url": IMAGE.format(n), "title": TEXT}) + b"\n"


def csv(numbers: range) -> Iterator[bytes]:
    yield b"id,image_url,title\n"
    for n in numbers:
        yield f'p{n},{IMAGE.format(n)},"{TEXT}"\n'.encode()


def google_table(numbers: range) -> Iterator[bytes]:
    yield b"id\timage link\ttitle\n"
    for n in numbers:
        yield f"p{n}\t{IMAGE.format(n)}\t{TEXT}\n".encode()


def google_xml(numbers: range) -> Iterator[bytes]:
    yield RSS.encode()
    for n in numbers:
        item = f"<g:id>p{n}</g:id><g:title>{TEXT}</g:title><g:image_link>{IMAGE.format(n)}</g:image_link>"
        yield f"<item>{item}</item>\n".encode()
    yield b"</channel></rss>"


def shopify_csv(numbers: range) -> Iterator[bytes]:
    yield b"Handle,Title,Image Src\n"
    for n in numbers:
        yield f"p{n},{TEXT},{IMAGE.format(n)}\np{n},,{IMAGE.format(-n)}\n".encode()


def shopify_json(numbers: range) -> Iterator[bytes]:
    yield b'{"products": ['
    for n in numbers:
        product = {"handle": f"p{n}", "title": TEXT, "images": [{"src": IMAGE.format(n)}]}
        yield (b"," if n else b"") + orjson.dumps(product)
    yield b"]}"


KINDS = {
    "feed.ndjson": ndjson,
    "feed.csv": csv,
    "feed.tsv": google_table,
    "feed.xml": google_xml,
    "shopify.csv": shopify_csv,
    "products.json": shopify_json,
}
