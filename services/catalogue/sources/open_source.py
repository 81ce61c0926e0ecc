"""Opens a path with the reader of its format."""

import codecs
from collections.abc import Callable
from functools import partial
from pathlib import Path

from services.catalogue.sources.decoded_source import DecodedSource
from services.catalogue.sources.formats.csv_feed import CsvFeed
from services.catalogue.sources.formats.google_feed import GoogleTable, GoogleXmlFeed
from services.catalogue.sources.formats.google_fields import attribute_name
from services.catalogue.sources.formats.image_folder import ImageFolder
from services.catalogue.sources.formats.json_feed import JsonFeed, NdjsonFeed
from services.catalogue.sources.formats.kaggle_archive import SEARCH_DEPTH, TABLE
from services.catalogue.sources.formats.kaggle_source import KaggleSource
from services.catalogue.sources.packed_source import PackedSource, is_gzip, unpacked_name
from services.catalogue.sources.parsing.encoding import encoding_of
from services.catalogue.sources.parsing.json_layout import json_layout
from services.catalogue.sources.parsing.lines import LineReader
from services.catalogue.sources.parsing.table import read_header
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import Source, SourceError
from services.catalogue.sources.shops.magento import Magento
from services.catalogue.sources.shops.magento1 import Magento1
from services.catalogue.sources.shops.prestashop import PrestaShop, has_combinations
from services.catalogue.sources.shops.shop_table import ShopFormat, ShopTable
from services.catalogue.sources.shops.shopify_csv import ShopifyCsv, is_shopify
from services.catalogue.sources.shops.shopify_json import ShopifyJson
from services.catalogue.sources.shops.woocommerce import WooCommerce

START_BYTES = 1024
BLANK = codecs.BOM_UTF8 + b"\r\n\t \0" + codecs.BOM_UTF16_LE
TABLES = frozenset({".csv", ".tsv", ".txt"})
XML = frozenset({".xml", ".rss", ".atom"})
JSON = frozenset({".json", ".ndjson", ".jsonl"})
FEEDS = TABLES | XML | JSON
ACCEPTED = (
    "the Kaggle archive (a zip, or a folder with styles.csv), a folder of images, "
    "a Google product feed (.xml, or a table with its column names), "
    "Shopify's products (its CSV, or products.json), the product CSV of WooCommerce, Magento or PrestaShop, "
    "a CSV feed (.csv, .tsv) or a feed of JSON objects (.json, .ndjson, .jsonl); feeds may be compressed with gzip"
)
Reader = Callable[[Path, FeedMapping, Path], Source]
# In the order in which they are tried: a table with the columns of several is read as the first.
SHOPS: dict[str, tuple[ShopFormat, ...]] = {
    "magento": (Magento(), Magento1()),
    "woocommerce": (WooCommerce(),),
    "prestashop": (PrestaShop(),),
}
TABLE_FORMATS: dict[str, Reader] = {
    "csv": CsvFeed,
    "google": GoogleTable,
    "meta": GoogleTable,
    "shopify": ShopifyCsv,
    **{name: partial(ShopTable, shop_formats=formats) for name, formats in SHOPS.items()},
}
JSON_STARTS, XML_START = (b"{", b"["), b"<"


def open_source(path: Path, mapping: FeedMapping | None = None, images_root: Path | None = None) -> Source:
    """Return the reader of the archive, folder or feed at a path.

    Args:
        path: the archive, folder or feed.
        mapping: the names of the feed's columns and categories in Lookalike's terms.
        images_root: the folder of a feed's image paths, which must not lead out of it. Default: the feed's folder.

    Raises:
        SourceError: the path does not exist, has another format, or cannot be read.
    """
    if not path.exists():
        raise SourceError(f"{path} does not exist: give {ACCEPTED}")
    if path.is_dir():
        return KaggleSource(path) if _is_archive(path) else ImageFolder(path)
    suffix = _format_suffix(path)
    if suffix == ".zip":
        return KaggleSource(path)
    mapping, images_root = mapping or FeedMapping(), images_root or path.parent
    if suffix in FEEDS and is_gzip(path):
        return PackedSource(path, lambda unpacked: _feed(unpacked, mapping, images_root))
    return _feed(path, mapping, images_root)


def _format_suffix(path: Path) -> str:
    """Return the suffix of the format: `.csv` of `feed.csv` and of `feed.csv.gz`, whether or not it is compressed."""
    return Path(unpacked_name(path)).suffix.lower()


def _feed(path: Path, mapping: FeedMapping, images_root: Path) -> Source:
    suffix = _format_suffix(path)
    if suffix in XML or (mapping.format is not None and _starts_with(path, XML_START)):  # it names its encoding itself
        return GoogleXmlFeed(path, mapping, images_root)
    if suffix not in TABLES | JSON and mapping.format is None:
        raise SourceError(f"{path} cannot be imported: give {ACCEPTED}")
    encoding = encoding_of(path, mapping.encoding)
    if encoding.is_utf8 and encoding.note is None:
        return _utf8_feed(path, mapping, images_root)
    return DecodedSource(path, encoding, lambda copy: _utf8_feed(copy, mapping, images_root))


def _utf8_feed(path: Path, mapping: FeedMapping, images_root: Path) -> Source:
    is_json = _format_suffix(path) in JSON or (mapping.format is not None and _starts_with(path, *JSON_STARTS))
    reader = _json_reader(path) if is_json else _table_reader(path, mapping)
    return reader(path, mapping, images_root)


def _starts_with(path: Path, *starts: bytes) -> bool:
    """Return whether the text of a file starts with one of these bytes."""
    try:
        with path.open("rb") as file:
            return file.read(START_BYTES).lstrip(BLANK).startswith(starts)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from None


def _json_reader(path: Path) -> Reader:
    """Return the reader of a JSON file, recognised by its start and not by its suffix."""
    layout = json_layout(path)
    if layout.is_shopify:
        return ShopifyJson
    return NdjsonFeed if layout.has_lines else JsonFeed


def _table_reader(path: Path, mapping: FeedMapping) -> Reader:
    """Return the reader of a table: of the format that the user names, otherwise recognised by its columns."""
    if mapping.format is not None:
        return TABLE_FORMATS[mapping.format]
    lines = LineReader(path)
    try:
        _, columns = read_header(iter(lines), path)
    finally:
        lines.close()
    if is_shopify(columns):
        return ShopifyCsv
    names = {attribute_name(column) for column in columns}
    if "id" in names and ("image_link" in names or {"link", "image.url"} <= names):  # the latter are Meta's
        return GoogleTable
    shop = next((name for name, formats in SHOPS.items() if any(form.is_format(columns) for form in formats)), None)
    if shop is not None and not _is_plain(columns, mapping):
        return TABLE_FORMATS[shop]
    if has_combinations(columns):
        raise SourceError(
            f"{path} has PrestaShop's combinations, which have no name and no price, and do not say whether the shop "
            "shows them: import the list of products"
        )
    return CsvFeed


def _is_plain(columns: list[str], mapping: FeedMapping) -> bool:
    """Return whether the columns and the mapping make a plain feed: then the user has named the columns."""
    targets = {mapping.columns[column] for column in columns if column in mapping.columns}
    return "id" in targets and bool({"image", "image_url", "images"} & targets)


def _is_archive(path: Path) -> bool:
    patterns = ("/".join(["*"] * depth + [TABLE]) for depth in range(SEARCH_DEPTH))
    return any(next(path.glob(pattern), None) is not None for pattern in patterns)
