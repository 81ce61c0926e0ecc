import gzip
import random
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow
from services.contracts.domain.errors import FeedTooLarge, InvalidFeed
from services.gateway.imports.upload import PIECE, SUFFIXES, open_feed, receive, suffix_of


async def parts(*data: bytes) -> AsyncIterator[bytes]:
    for part in data:
        yield part


def cut(data: bytes, size: int) -> Iterable[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 7, 4096])
@pytest.mark.parametrize("gzipped", [False, True])
async def test_a_body_is_written_plain_or_decompressed(tmp_path: Path, size: int, gzipped: bool) -> None:
    data = b'{"id": "a"}\n' * 1000
    sent = (
        gzip.compress(data[:6000], mtime=0) + gzip.compress(b"", mtime=0) + gzip.compress(data[6000:], mtime=0)
        if gzipped
        else data
    )
    await receive(parts(*cut(sent, size)), tmp_path / "feed", 1_000_000, gzipped=gzipped)
    assert (tmp_path / "feed").read_bytes() == data


@pytest.mark.parametrize("gzipped", [False, True])
async def test_the_bound_is_on_the_size_of_the_file(tmp_path: Path, gzipped: bool) -> None:
    data = b"x" * 1000
    sent = gzip.compress(data, mtime=0) if gzipped else data
    await receive(parts(sent), tmp_path / "feed", 1000, gzipped=gzipped)
    with pytest.raises(FeedTooLarge, match="999 bytes"):
        await receive(parts(sent), tmp_path / "feed", 999, gzipped=gzipped)


async def test_a_small_gzip_file_of_a_large_feed_is_never_whole_in_memory(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(200 * PIECE))
    assert len(bomb) < PIECE
    tracemalloc.start()
    with pytest.raises(FeedTooLarge):
        await receive(parts(bomb), tmp_path / "feed", 100 * PIECE, gzipped=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * PIECE


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"plain", "is not gzip"),
        (gzip.compress(b"text" * 100, mtime=0)[:-1], "cut short"),
        (gzip.compress(b"text", mtime=0) + b"more", "is not gzip"),
        (gzip.compress(b"text", mtime=0)[:-8] + b"\0" * 8, "is not gzip"),
    ],
)
async def test_damaged_gzip_is_an_invalid_feed(tmp_path: Path, sent: bytes, words: str) -> None:
    with pytest.raises(InvalidFeed, match=words):
        await receive(parts(sent), tmp_path / "feed", 1000, gzipped=True)


def test_errors_do_not_name_the_file_and_rows_cannot_read_other_files(tmp_path: Path) -> None:
    path = tmp_path / "secret.csv"
    (tmp_path / "a.png").write_bytes(b"a picture")
    path.write_text("id,image\nA,a.png\n")
    feed = open_feed(path, FeedMapping())
    (row,) = feed.rows()
    assert not isinstance(row, RejectedRow)
    assert not isinstance(row.image, str)
    with pytest.raises(Exception, match=r"the image a\.png is a path: this feed may only contain web addresses"):
        row.image()
    feed.close()
    path.write_text("name\n")
    with pytest.raises(InvalidFeed, match=r"^the feed has no column id") as caught:
        open_feed(path, FeedMapping())
    assert str(tmp_path) not in caught.value.detail


IMAGE = "https://shop.example/a.jpg"
FEEDS = {
    ".ndjson": f'{{"id": "A", "image_url": "{IMAGE}"}}\n',
    ".csv": f"id,image_url\nA,{IMAGE}\n",
    ".tsv": f"id\timage_url\nA\t{IMAGE}\n",
    ".json": f'{{"products": [{{"handle": "A", "images": [{{"src": "{IMAGE}"}}]}}]}}',
    ".xml": '<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel><item><g:id>A</g:id>'
    f"<g:image_link>{IMAGE}</g:image_link></item></channel></rss>",
}


@pytest.mark.parametrize("kind", SUFFIXES)
def test_every_media_type_has_a_reader(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"feed{SUFFIXES[kind]}"
    path.write_text(FEEDS[SUFFIXES[kind]])
    feed = open_feed(path, FeedMapping())
    (row,) = feed.rows()
    assert not isinstance(row, RejectedRow)
    assert (row.key, row.image) == ("A", IMAGE)
    feed.close()


@pytest.mark.parametrize(
    ("head", "suffix"),
    [
        (b"<rss/>", ".xml"),
        (b"\xef\xbb\xbf\r\n\t <rss/>", ".xml"),
        ("<rss/>".encode("utf-16"), ".xml"),
        (b'junk <?xml version="1.0"?>', ".xml"),
        (b'{"id": 1}', ".json"),
        (b" [1]", ".json"),
        ('{"id": 1}'.encode("utf-16"), ".json"),
        (b"id,image\n", ".csv"),
        (b"id\timage\n", ".csv"),
        (b"", ".csv"),
        (b" " * 4095 + b"<", ".xml"),
        (b" " * 4096 + b"<", ".csv"),  # only so much is looked at
    ],
)
def test_a_feed_is_recognised_by_its_first_bytes(tmp_path: Path, head: bytes, suffix: str) -> None:
    path = tmp_path / "feed"
    path.write_bytes(head)
    assert suffix_of(path) == suffix


@pytest.mark.parametrize("size", [0, 1, 2, 3])
@pytest.mark.parametrize("cut_at", [1, 2, 5])
async def test_a_short_body_arrives_whole_however_it_is_cut(tmp_path: Path, size: int, cut_at: int) -> None:
    body = b"abc"[:size]
    await receive(parts(*cut(body, cut_at)), tmp_path / "feed", 3, gzipped=False)
    assert (tmp_path / "feed").read_bytes() == body


async def test_gzip_is_recognised_by_its_first_two_bytes_although_they_come_one_by_one(tmp_path: Path) -> None:
    await receive(parts(*cut(gzip.compress(b"text"), 1)), tmp_path / "feed", 100, gzipped=False)
    assert (tmp_path / "feed").read_bytes() == b"text"


async def test_a_feed_of_several_pieces_is_written_whole_and_bounded(tmp_path: Path) -> None:
    data = bytes(range(256)) * (PIECE // 256) * 2 + b"the end"
    for gzipped, sent in ((False, parts(*cut(data, PIECE // 3))), (True, parts(gzip.compress(data)))):
        await receive(sent, tmp_path / "feed", len(data), gzipped=gzipped)
        assert (tmp_path / "feed").read_bytes() == data
    with pytest.raises(FeedTooLarge):
        await receive(parts(*cut(data, PIECE // 3)), tmp_path / "feed", len(data) - 1, gzipped=False)


@pytest.mark.parametrize("sent", [b"", gzip.compress(b"", mtime=0)])
async def test_an_empty_gzip_body_is_an_empty_feed(tmp_path: Path, sent: bytes) -> None:
    await receive(parts(sent), tmp_path / "feed", 10, gzipped=True)
    assert (tmp_path / "feed").read_bytes() == b""


async def test_gzip_is_read_with_its_largest_window_and_zlib_is_not_gzip(tmp_path: Path) -> None:
    block = random.Random(7).randbytes(20_000)
    await receive(parts(gzip.compress(block + block)), tmp_path / "feed", 40_000, gzipped=True)
    assert (tmp_path / "feed").read_bytes() == block + block
    with pytest.raises(InvalidFeed, match="is not gzip"):
        await receive(parts(zlib.compress(b"text")), tmp_path / "feed", 100, gzipped=True)
