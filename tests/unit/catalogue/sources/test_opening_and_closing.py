"""What every format has in common: its progress, threads, and that nothing stays open or on the disk."""

import codecs
import gzip
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.parsing.table_file import TableFile
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import SourceError
from tests.support.feeds.generated import KINDS
from tests.support.feeds.rows import keys

HEADERS = {
    "woocommerce.csv": "ID,Type,Name,Published,Regular price,Categories,Images",
    "magento.csv": "sku,product_type,name,price,base_image,additional_images,qty",
    "magento1.csv": "sku,_type,name,price,image,_attribute_set,qty",
    "prestashop.csv": "Product ID,Image,Name,Reference,Category,Price (tax incl.),Quantity",
}
ROW = "p{},simple,Shirt,1,https://a.test/1.jpg,https://a.test/1.jpg,https://a.test/1.jpg\n"
PRESTASHOP_ROW = "p{},https://a.test/1.jpg,Shirt,R,Shirts,9.50,4\n"
FEEDS = {
    **{name: b"".join(parts(range(3))) for name, parts in KINDS.items()},
    **{
        name: (
            header + "\n" + "".join((PRESTASHOP_ROW if "presta" in name else ROW).format(n) for n in range(3))
        ).encode()
        for name, header in HEADERS.items()
    },
    "list.json": b'[{"id": "p0", "image": "0.jpg"},\n{"id": "p1", "image": "1.jpg"}, {"id": "p2", "image": "2.jpg"}]',
}
KEYS = ["p0", "p1", "p2"]


@pytest.fixture(autouse=True)
def connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[sqlite3.Connection]]:
    """Yield the databases that are opened; temporary files are in the folder `tmp`."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def record(*arguments: Any, **options: Any) -> sqlite3.Connection:
        opened.append(connect(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", record)
    yield opened
    monkeypatch.undo()


def open_files(folder: Path) -> list[str]:
    """Return the paths of the files below a folder that this process has open."""
    paths = (str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
    return [path for path in paths if path.startswith(str(folder))]


def write(folder: Path, name: str) -> Path:
    path = folder / name
    data = FEEDS[name.removesuffix(".gz").removeprefix("wide-")]
    if name.startswith("wide-"):
        data = data.decode().encode("utf-16")
    path.write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)
    return path


@pytest.mark.parametrize("name", [*FEEDS, "magento1.csv.gz", "wide-list.json", "wide-feed.xml"])
def test_progress_ends_at_the_size_and_closing_leaves_nothing_behind(
    tmp_path: Path, name: str, connections: list[sqlite3.Connection]
) -> None:
    path = write(tmp_path, name)
    source = open_source(path)
    done, total = source.progress()
    assert done < total
    assert keys(list(source.rows())) == KEYS
    assert source.progress() == (total, total)
    plain = open_source(write(tmp_path, name.removesuffix(".gz").removeprefix("wide-")))
    assert source.kind == plain.kind != ""
    plain.close()
    is_copied = name.endswith(".gz") or name.startswith("wide-")
    assert is_copied or total == path.stat().st_size
    assert connections
    source.close()
    assert open_files(tmp_path) == []
    assert list((tmp_path / "tmp").iterdir()) == []
    for connection in connections:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")
    source.close()  # again, without any harm


@pytest.mark.parametrize("name", FEEDS)
def test_rows_can_be_read_in_another_thread_than_the_one_that_opened_the_feed(tmp_path: Path, name: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        source = pool.submit(open_source, write(tmp_path, name)).result()
    assert keys(list(source.rows())) == KEYS
    source.close()


def test_the_progress_of_a_folder_counts_images_and_closing_removes_its_keys(
    tmp_path: Path, connections: list[sqlite3.Connection]
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for key in KEYS:
        (folder / f"{key}.jpg").write_bytes(b"picture")
    source = open_source(folder)
    rows = source.rows()
    assert source.progress() == (0, 3)
    next(rows)
    assert source.progress() == (1, 3)
    assert len(list(rows)) == 2
    assert source.progress() == (3, 3)
    source.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connections[0].execute("SELECT 1")


def test_the_progress_of_kaggles_archive_counts_lines(tmp_path: Path) -> None:
    path = tmp_path / "archive.zip"
    header = "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "styles.csv", header + "1,,Apparel,Topwear,Shirts,Blue,,,,Name\n\n2,,Apparel,Topwear,Shirts,Blue,,,,"
        )
    source = open_source(path)
    rows = source.rows()
    assert source.progress() == (0, 3)
    assert next(rows).key == "1"
    assert source.progress() == (2, 3)
    assert [row.key for row in rows] == ["2"]
    assert source.progress() == (4, 4)  # the last line has no end
    source.close()
    assert open_files(tmp_path) == []


@pytest.mark.parametrize("name", ["shopify.csv", "magento1.csv"])
def test_a_table_is_read_again_from_its_start_and_its_first_file_is_closed(tmp_path: Path, name: str) -> None:
    table = TableFile(write(tmp_path, name))
    once, again = list(table.records()), list(table.records())
    assert once == again
    assert len(once) >= 3
    assert len(open_files(tmp_path)) == 1
    table.close()
    assert open_files(tmp_path) == []


WIDE = codecs.BOM_UTF16_LE


@pytest.mark.parametrize(
    ("name", "data", "options", "message"),
    [
        ("feed.csv", b"\n\n", {}, "has no header"),
        ("feed.csv", b"", {"format": "woocommerce"}, "has no header"),
        ("feed.csv", b"id,image\n", {"format": "shopify"}, "does not have the columns of a Shopify export"),
        ("feed.csv", b"id,image\n", {"format": "magento"}, r"the columns of the Magento products: sku, .*; or"),
        ("feed.csv", b"id,image\n", {"format": "prestashop"}, "does not have the columns of the PrestaShop"),
        ("feed.csv", gzip.compress(b"id,title\n", mtime=0), {"format": "shopify"}, "of a Shopify export"),
        ("feed.csv", WIDE + "id,title\n".encode("utf-16-le"), {"format": "magento"}, "of the Magento products"),
        ("feed.xml", b'<!DOCTYPE rss [<!ENTITY a "b">]><rss/>', {}, "declares entities"),
        ("feed.xml", b'<?xml version="1.0" encoding="none"?><rss/>', {}, "unsupported encoding"),
    ],
)  # fmt: skip
def test_a_feed_that_cannot_be_opened_leaves_nothing_behind(
    tmp_path: Path, name: str, data: bytes, options: dict[str, str], message: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError, match=message) as raised:
        open_source(tmp_path / name, FeedMapping.model_validate(options))
    assert str(tmp_path / "tmp") not in str(raised.value)
    assert open_files(tmp_path) == []
    assert list((tmp_path / "tmp").iterdir()) == []
