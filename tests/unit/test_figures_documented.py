"""The figures of limits and of methods that the docs state are those of the code."""

import pytest
from PIL import PngImagePlugin

from services.bulk import feed_blocks, ray_engine
from services.catalogue import merchandising
from services.catalogue.backup import backup_file
from services.catalogue.demand import examination, grouping
from services.catalogue.events import baskets, event
from services.catalogue.importing import importer, report, web_images
from services.catalogue.learning import (
    candidates,
    click_table,
    log_reader,
    propensities,
    replay,
    search_log,
    signals,
    training,
)
from services.catalogue.product import MAX_ATTRIBUTES, MAX_GROUP_LENGTH, MAX_IMAGES, MAX_KEY_LENGTH, NAME_DIGITS
from services.catalogue.sources.formats import kaggle_archive
from services.catalogue.sources.parsing import encoding, json_items, lines, table, xml_items
from services.catalogue.sources.records import attributes, fields, images
from services.catalogue.sources.shops import shop_table, shopify_csv
from services.catalogue.store import learned_orders, notes
from services.catalogue.taste import interests, profile
from services.contracts.domain import garments, parts, similarity
from services.contracts.domain import grouping as result_groups
from services.contracts.domain.filtering import facets
from services.contracts.images import fetch, preparation, structure
from services.contracts.web import problems
from services.contracts.web.bodies import json_body, json_size
from services.contracts.wire import embedding, filter_json, index
from services.embedding.vision import decoder, large_pictures
from services.engine import attribute_columns
from services.gateway.events import body as events_body
from services.gateway.events import query_log, writer
from services.gateway.index_nodes import hedging
from services.gateway.look import options as look_options
from services.gateway.products import body as product_body
from services.gateway.products import listing
from services.gateway.search import garment_crop
from services.look import bought_together, compatibility
from tests.support.values.settings import ROOT


def kb(size: int) -> str:
    """Return a size as the docs write it; it has no other bytes."""
    assert size % 1024 == 0
    return f"{size // 1024} kB"


def mb(size: int) -> str:
    """Return a size as the docs write it; it has no other bytes."""
    assert size % 2**20 == 0
    return f"{size // 2**20} MB"


def million(number: int) -> str:
    """Return a number as the docs write it."""
    assert number % 1_000_000 == 0
    return f"{number // 1_000_000} million"


def in_words(number: int) -> str:
    """Return a small number as a word."""
    return ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")[number]


def percent(share: float) -> str:
    """Return a share as the docs write it."""
    return f"{round(100 * share, 6):g} %"


PRECISE = {"jpeg": million(preparation.INLINE_PIXELS["JPEG"]), "other": million(preparation.OTHER_INLINE_PIXELS)}
FIGURES = {
    "limits": [
        f"`base64` | {kb(json_size.MAX_JSON_BYTES)} |",
        f"names of a JSON object | {json_body.MAX_NAMES} |",
        f"with events | {mb(events_body.MAX_BODY_BYTES)}, {events_body.MAX_EVENTS:,} events, {event.MAX_OBJECTS} prod",
        f"wait for the database | {writer.MAX_WAITING:,} and {query_log.MAX_WAITING:,} |",
        f"`invalid-request` names | {problems.MAX_ERRORS}, together {problems.MAX_PLACES_BYTES // 1000} kB |",
        f"conditions of a filter | {filter_json.MAX_CONDITIONS} |",
        f"objects of a filter, empty or not | {filter_json.MAX_OBJECTS} |",
        f"values in all lists of a filter | {filter_json.MAX_VALUES:,} |",
        f"nested operators | {filter_json.MAX_DEPTH} |",
        f"filter as text in a form or query string | {kb(filter_json.MAX_TEXT_BYTES)} |",
        f"results that pages can reach | {index.MAX_REACH} |",
        f"attributes whose values are counted | {attribute_columns.MAX_COUNTED}, those",
        f"columns of other attributes | {attribute_columns.MAX_FILTERED} in each part",
        f"bytes between them | {structure.MAX_SEGMENTS:,}; {kb(structure.MAX_PADDING)} |",
        f"pixels of all scans | {structure.MAX_SCANS}; {million(preparation.MAX_SCANNED_PIXELS)} |",
        f"its texts, unpacked | {structure.MAX_CHUNKS:,}; {mb(PngImagePlugin.MAX_TEXT_MEMORY)} |",
        f"blocks of a GIF file before its picture | {structure.MAX_BLOCKS:,} |",
        f"run-length encoding | {mb(structure.MAX_RLE_BYTES)} |",
        f"decodes without a thread, where no other request waits | {decoder.AT_ONCE_BYTES // 1024} kB, "
        f"{decoder.AT_ONCE_PIXELS:,} pixels of all scans together |",
        f"a thread of the service decodes | {mb(decoder.INLINE_BYTES)} |",
        f"a thread of the service decodes | {PRECISE['jpeg']} (JPEG), {PRECISE['other']} (other formats) |",
        f"larger pictures that wait | {large_pictures.MAX_WAITING} |",
        f"attributes of a product | {MAX_ATTRIBUTES}, names of {filter_json.MAX_NAME} characters |",
        f"an attribute | {product_body.MAX_ATTRIBUTE_TEXT:,} characters; in a feed {attributes.MAX_TEXT} |",
        f"values of an attribute | {product_body.MAX_ATTRIBUTE_VALUES}; in a feed {attributes.MAX_LIST} |",
        f"line of a feed | {mb(lines.MAX_LINE_BYTES)} |",
        f"record of a table | {table.MAX_RECORD_LINES} lines, {kb(table.MAX_RECORD_CHARS)} |",
        f"quotes that stay open | {table.REREAD_FACTOR} times the feed |",
        f"counts as left out | {report.MAX_LEFT_OUT} |",
        f"id of a product | {MAX_KEY_LENGTH} characters |",
        f"`group` of a product | {MAX_GROUP_LENGTH} characters |",
        f"images of a product, its main one included | {MAX_IMAGES} |",
        f"address of a page or an image | {images.MAX_URL:,} characters |",
        f"title in a feed | {fields.MAX_TITLE:,} characters |",
        f"item of an XML feed | {xml_items.MAX_ITEM_CHARS:,} characters |",
        f"nested elements of an XML feed | {xml_items.MAX_DEPTH} |",
        f"tag or comment of an XML feed | {mb(xml_items.MAX_TOKEN_BYTES)} |",
        f"object of a JSON list | {mb(json_items.MAX_ITEM_BYTES)}, {json_items.MAX_DEPTH:,} levels |",
        f"rows of a product in a shop's table | {shop_table.MAX_ROWS:,}, each of {shop_table.MAX_LINES} lines |",
        f"rows of a product in a shop's table | {shopify_csv.MAX_ROWS:,}, each of {shopify_csv.MAX_LINES} lines |",
        f"image file in a folder or an archive | {mb(images.MAX_IMAGE_BYTES)} |",
        f"image file in a folder or an archive | {mb(kaggle_archive.MAX_IMAGE_BYTES)} |",
        f"report of an import shows | {report.SHOWN_REJECTED} |",
        f"whose reports are kept | {notes.KEPT_IMPORTS} |",
    ],
    "api": [
        f"its probability is at least {garment_crop.LEAST_SURE} and its box covers at most "
        f"{percent(garment_crop.GREATEST_AREA)} of the photo",
        f"has at most {filter_json.MAX_CONDITIONS} conditions, {filter_json.MAX_VALUES:,} values in lists, "
        f"and {filter_json.MAX_DEPTH} levels",
        f"at most {index.MAX_K} results, and the first {index.MAX_REACH} can be reached",
        f"An id has 1 to {MAX_KEY_LENGTH} printable characters",
        f"up to {listing.MAX_LIMIT:,} a page",
        f"`images` lists up to {MAX_IMAGES - 1} additional images",
        f"the first {NAME_DIGITS} digits of its SHA-256",
        f"the first {report.SHOWN_REJECTED} rejected rows with line and reason",
        f"names the first {problems.MAX_ERRORS} places at most",
    ],
    "import": [
        f"up to {kb(encoding.MAX_SAMPLE_BYTES)} of them",
        f"1 to {MAX_KEY_LENGTH} printable characters",
        f"Strings longer than {attributes.MAX_TEXT} characters",
        f"attributes after the first {MAX_ATTRIBUTES} are dropped",
        f"{fetch.MAX_REDIRECTS} redirects",
        f"up to {MAX_IMAGES - 1} additional images",
        f"Up to {web_images.AT_ONCE} images are fetched at a time, {web_images.PER_HOST} of them from one server",
        f"{in_words(web_images.ATTEMPTS)} attempts in all",
        f"groups of {importer.TOGETHER} products are in progress at a time",
    ],
    "backup": [f"`version` ({backup_file.VERSION})"],
    "model": [f"overlap by more than {percent(garments.DUPLICATE_OVERLAP)}, one is returned"],
    "page": [
        f"at most {facets.MAX_VALUES} different values",
        f"the first {report.SHOWN_REJECTED} rejected rows",
    ],
    "scale": [
        f"at most {parts.MAX_PARTS} parts",
        f"in blocks of {feed_blocks.BLOCK_ROWS} rows, or of {embedding.MAX_BATCH} if",
        f"at most about {mb(feed_blocks.BLOCK_BYTES)} of local images",
        f"has {mb(ray_engine.OBJECT_STORE_BYTES)} of shared memory",
    ],
    "split": [f"longer than {percent(hedging.QUANTILE)} of its last {hedging.RECENT} searches did"],
    "events": [
        f"a list of up to {events_body.MAX_EVENTS:,}",
        f"{query_log.MAX_WAITING:,} rows wait for it",
        f"as many of up to {grouping.MAX_GROUPS} groups",
        f"distance from a close match ({similarity.CLOSE})",
        f"the latest {examination.MAX_SEARCHES:,} searches",
    ],
    "learning": [
        f"a click or a like counts {search_log.GAINS['click']:g}, a cart {search_log.GAINS['add_to_cart']:g}, "
        f"a purchase {search_log.GAINS['purchase']:g}.",
        f"At least {training.LEAST_CLICKED} searches with a click",
        f"the latest {log_reader.MAX_SEARCHES:,} searches are used",
        f"each of the first {propensities.MAX_POSITIONS} positions",
        f"at least {propensities.FLOOR}: a click counts at most {1 / propensities.FLOOR:g} times",
        f"days since shoppers first saw it, at most {signals.MAX_AGE_DAYS} |",
        f"weight of {click_table.PRODUCT_PRIOR:g} looks, and a neighbourhood's to the product's, "
        f"with {click_table.PAIR_PRIOR:g}.",
        f"counts half after {click_table.HALF_LIFE_DAYS:g} days",
        f"trains {training.RANKING_TREES} trees of at most {training.RANKING['num_leaves']} leaves",
        f"NDCG@{replay.TOP}: the weighted DCG",
        f"the bootstrap over visitors, {replay.RESAMPLES:,} draws",
        f"whose {in_words(candidates.CONTEXT)} nearest products mostly have the same type",
        f"leaves and {in_words(training.RANKING['max_depth'])} levels",
        f"the last {training.LearningOptions().held_out_days} days (`--held-out-days`)",
        f"`GATEWAY_LEARNED_BOUND` ({training.LearningOptions().bound}) lower",
        f"at most {click_table.MAX_PRODUCTS:,} products and {click_table.MAX_PAIRS:,} pairs",
        f"The last {in_words(learned_orders.KEPT)} versions are kept",
        f"| `click` | {interests.WEIGHTS[event.Action.CLICK]:g} |",
        f"| `like`, `add_to_cart` | {interests.WEIGHTS[event.Action.LIKE]:g} |",
        f"| `purchase` | {interests.WEIGHTS[event.Action.PURCHASE]:g} |",
        f"| `hide` | −{-interests.WEIGHTS[event.Action.HIDE]:g};",
        f"A weight halves every {interests.HALF_LIFE_DAYS:g} days",
        f"the latest {interests.MAX_EVENTS} events and the {interests.MAX_PRODUCTS} strongest products count",
        f"*c* = interest / (interest + {profile.CONFIDENT:g})",
        f"together at most {profile.MAX_BY}.",
    ],
    "look": [
        f"of each garment, 1 to {look_options.MAX_K}. Default",
        f"differ from each other. Default: {look_options.DIVERSITY} |",
        f"fewer than {compatibility.LEARNED_OUTFITS} outfits",
        f"baskets of more than {baskets.MAX_PRODUCTS} products do not count",
        f"*e*^((similarity − 1) / {bought_together.WIDTH})",
        f"*n* / (*n* + {bought_together.HALF:g})",
        f"the last {bought_together.MAX_PAIRS:,} pairs",
    ],
    "merchandising": [
        f"taken from it, at most {merchandising.MAX_BY} |",
        f"`position` (1 to {merchandising.MAX_POSITION}) of up to {merchandising.MAX_PINS} products |",
        f"add up, to at most {merchandising.MAX_BY} either way",
        f"at most {merchandising.MAX_RULES} rules, with at most {merchandising.MAX_CONDITIONS} conditions",
        f"the {result_groups.MAX_GROUPED:,} nearest products",
    ],
}
STATEMENTS = [(page, text) for page, texts in FIGURES.items() for text in texts]


@pytest.mark.parametrize(("page", "text"), STATEMENTS, ids=[text for _, text in STATEMENTS])
def test_a_page_states_the_figure_of_the_code(page: str, text: str) -> None:
    assert text in (ROOT / "docs" / f"{page}.md").read_text()
