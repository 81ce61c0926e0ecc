"""Google Merchant Center feeds, as its product data specification writes them: RSS 2.0, Atom 1.0 and tables."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.sources.formats.google_feed import GoogleTable, GoogleXmlFeed
from services.catalogue.sources.formats.google_fields import NOT_KEPT, attribute_name, path_words
from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.parsing.xml_items import MAX_ITEM_CHARS
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow, SourceError, SourceRow

RSS = (
    '<?xml version="1.0"?>\n<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0">\n'
    "<channel>\n<title>Shop</title>\n"
)
END = "</channel>\n</rss>\n"
SIMPLE = (
    "<item><g:id>{id}</g:id><g:title>{title}</g:title><g:image_link>https://shop.test/{id}.jpg</g:image_link></item>\n"
)

# One value of every attribute of the specification, as it has to be written; nested ones as (name, value) pairs.
EVERY: dict[str, Any] = {
    "id": "DRESS-1-RED-S",
    "title": "Organic cotton dress, red",
    "description": "A summer dress.",
    "link": "https://shop.test/p/dress-1?colour=red&size=S",
    "image_link": "https://img.shop.test/dress-1-red.jpg",
    "additional_image_link": ["https://img.shop.test/dress-1-back.jpg", "https://img.shop.test/dress-1-side.jpg"],
    "lifestyle_image_link": ["https://img.shop.test/dress-1-beach.jpg", "https://img.shop.test/dress-1-city.jpg"],
    "video_link": "https://img.shop.test/dress-1.mp4",
    "short_title": "Cotton dress",
    "structured_description": [("digital_source_type", "default"), ("content", "A dress for summer.")],
    "virtual_model_link": "https://img.shop.test/dress-1.glb",
    "mobile_link": "https://m.shop.test/p/dress-1",
    "canonical_link": "https://shop.test/p/dress-1",
    "link_template": "https://shop.test/p/dress-1?store={store_code}",
    "mobile_link_template": "https://m.shop.test/p/dress-1?store={store_code}",
    "checkout_link_template": "https://shop.test/cart/dress-1",
    "disclosure_date": "2026-10-01T13:00-0800",
    "availability": "in stock",
    "availability_date": "2026-11-25T13:00-0800",
    "cost_of_goods_sold": "11.00 EUR",
    "expiration_date": "2026-12-11T13:00-0800",
    "price": "39.90 EUR",
    "sale_price": "29.90 EUR",
    "sale_price_effective_date": "2026-11-01T13:00-0800/2026-11-30T15:30-0800",
    "unit_pricing_measure": "1.5kg",
    "unit_pricing_base_measure": "100g",
    "installment": [("months", "6"), ("amount", "5.00 EUR")],
    "subscription_cost": [("period", "month"), ("period_length", "12"), ("amount", "9.00 EUR")],
    "loyalty_program": [
        [("program_label", "friends"), ("tier_label", "gold")],
        [("program_label", "friends"), ("tier_label", "silver")],
    ],
    "loyalty_points": [("name", "Stars"), ("points_value", "100"), ("ratio", "1.0")],
    "maximum_retail_price": "49.90 EUR",
    "auto_pricing_min_price": "20.00 EUR",
    "google_product_category": "Apparel & Accessories > Clothing > Dresses",
    "product_type": ["Women > Dresses > Summer Dresses", "Sale > Dresses"],
    "brand": "Acme",
    "gtin": "04006381333931",
    "mpn": "0815",
    "identifier_exists": "yes",
    "condition": "New",
    "adult": "no",
    "multipack": "2",
    "is_bundle": "yes",
    "age_group": "adult",
    "color": "Red/White",
    "gender": "female",
    "material": "cotton/elastane",
    "pattern": "striped",
    "size": "38",
    "size_type": "regular",
    "size_system": "EU",
    "item_group_id": "DRESS-1",
    "product_length": "90 cm",
    "product_width": "40 cm",
    "product_height": "2 cm",
    "product_weight": "0.3 kg",
    "product_detail": [
        [("section_name", "Cut"), ("attribute_name", "Sleeves"), ("attribute_value", "none")],
        [("section_name", "Cut"), ("attribute_name", "Neck"), ("attribute_value", "round")],
    ],
    "product_highlight": ["Organic cotton", "Washable at 30 degrees"],
    "energy_efficiency_class": "A",
    "min_energy_efficiency_class": "G",
    "max_energy_efficiency_class": "A+",
    "certification": [
        [("certification_authority", "EC"), ("certification_name", "EPREL"), ("certification_code", "123456")],
        [("certification_authority", "ADEME"), ("certification_name", "CO2"), ("certification_code", "7")],
    ],
    "ads_redirect": "https://track.shop.test/?to=dress-1",
    "custom_label_0": "summer",
    "custom_label_1": "2026",
    "custom_label_2": "bestseller",
    "custom_label_3": "high margin",
    "custom_label_4": "warehouse 4",
    "promotion_id": "SUMMER10",
    "external_seller_id": "seller-7",
    "included_destination": ["Shopping_ads", "Free_listings"],
    "excluded_destination": "Display_ads",
    "shopping_ads_excluded_country": ["CH", "AT"],
    "pause": "ads",
    "ads_labels": ["dress", "red"],
    "ads_grouping": "dresses",
    "display_ads_id": "ad-1",
    "return_policy_label": "thirty days",
    "shipping": [
        [("country", "DE"), ("service", "Standard"), ("price", "4.90 EUR")],
        [("country", "AT"), ("service", "Standard"), ("price", "6.90 EUR")],
    ],
    "carrier_shipping": [[("country", "DE"), ("carrier_price", "DHL_ECONOMY"), ("flat_price", "1.00 EUR")]],
    "free_shipping_threshold": [
        [("country", "DE"), ("price_threshold", "50.00 EUR")],
        [("country", "AT"), ("price_threshold", "80.00 EUR")],
    ],
    "minimum_order_value": [("country", "DE"), ("price", "10.00 EUR")],
    "shipping_handling_business_days": [("country", "DE"), ("business_days", "Mon-Fri")],
    "shipping_transit_business_days": [("country", "DE"), ("business_days", "Mon-Sat")],
    "handling_cutoff_time": [("country", "DE"), ("cutoff_time", "1500")],
    "tax": [("country", "US"), ("rate", "5.00"), ("tax_ship", "y")],
    "shipping_label": "light",
    "shipping_weight": "0.5 kg",
    "shipping_length": "30 cm",
    "shipping_width": "20 cm",
    "shipping_height": "5 cm",
    "ships_from_country": "DE",
    "max_handling_time": "3",
    "min_handling_time": "1",
    "transit_time_label": "domestic",
    "tax_category": "apparel",
}
KEPT: dict[str, Any] = {
    "description": "A summer dress.",
    "availability": "in_stock",
    "availability_date": "2026-11-25T13:00-0800",
    "expiration_date": "2026-12-11T13:00-0800",
    "price": 39.9,
    "sale_price": 29.9,
    "currency": "EUR",
    "sale_price_effective_date": "2026-11-01T13:00-0800/2026-11-30T15:30-0800",
    "unit_pricing_measure": "1.5kg",
    "unit_pricing_base_measure": "100g",
    "installment": "6:5.00 EUR",
    "subscription_cost": "month:12:9.00 EUR",
    "loyalty_program": ["friends:gold", "friends:silver"],
    "loyalty_points": "Stars:100:1.0",
    "maximum_retail_price": "49.90 EUR",
    "short_title": "Cotton dress",
    "structured_description": "default:A dress for summer.",
    "disclosure_date": "2026-10-01T13:00-0800",
    "google_product_category": "Apparel & Accessories > Clothing > Dresses",
    "product_type": ["Women > Dresses > Summer Dresses", "Sale > Dresses"],
    "brand": "Acme",
    "gtin": "04006381333931",
    "mpn": "0815",
    "identifier_exists": True,
    "condition": "new",
    "adult": False,
    "multipack": 2,
    "is_bundle": True,
    "age_group": "adult",
    "color": "Red/White",
    "gender": "female",
    "material": "cotton/elastane",
    "pattern": "striped",
    "size": "38",
    "size_type": "regular",
    "size_system": "eu",
    "item_group_id": "DRESS-1",
    "product_length": "90 cm",
    "product_width": "40 cm",
    "product_height": "2 cm",
    "product_weight": "0.3 kg",
    "product_detail": ["Cut:Sleeves:none", "Cut:Neck:round"],
    "product_highlight": ["Organic cotton", "Washable at 30 degrees"],
    "energy_efficiency_class": "A",
    "min_energy_efficiency_class": "G",
    "max_energy_efficiency_class": "A+",
    "certification": ["EC:EPREL:123456", "ADEME:CO2:7"],
    "custom_label_0": "summer",
    "custom_label_1": "2026",
    "custom_label_2": "bestseller",
    "custom_label_3": "high margin",
    "custom_label_4": "warehouse 4",
    "promotion_id": "SUMMER10",
    "included_destination": ["Shopping_ads", "Free_listings"],
    "excluded_destination": "Display_ads",
    "shopping_ads_excluded_country": ["CH", "AT"],
    "pause": "ads",
    "ads_labels": ["dress", "red"],
    "ads_grouping": "dresses",
    "display_ads_id": "ad-1",
    "return_policy_label": "thirty days",
    "shipping": ["DE:Standard:4.90 EUR", "AT:Standard:6.90 EUR"],
    "carrier_shipping": "DE:DHL_ECONOMY:1.00 EUR",
    "free_shipping_threshold": ["DE:50.00 EUR", "AT:80.00 EUR"],
    "minimum_order_value": "DE:10.00 EUR",
    "shipping_handling_business_days": "DE:Mon-Fri",
    "shipping_transit_business_days": "DE:Mon-Sat",
    "handling_cutoff_time": "DE:1500",
    "tax": "US:5.00:y",
    "shipping_label": "light",
    "shipping_weight": "0.5 kg",
    "shipping_length": "30 cm",
    "shipping_width": "20 cm",
    "shipping_height": "5 cm",
    "ships_from_country": "DE",
    "max_handling_time": 3,
    "min_handling_time": 1,
    "transit_time_label": "domestic",
    "tax_category": "apparel",
}


def occurrences() -> Iterator[tuple[str, Any]]:
    """Yield each attribute as often as it is written."""
    for name, value in EVERY.items():
        repeated = isinstance(value, list) and not isinstance(value[0], tuple)
        yield from ((name, one) for one in (value if repeated else [value]))


def element(name: str, value: Any, prefix: str = "g:") -> str:
    inner = "".join(element(*pair) for pair in value) if isinstance(value, list) else escape(value)
    return f"<{prefix}{name}>{inner}</{prefix}{name}>"


def rss_file() -> str:
    own = ("title", "link", "description")
    body = "\n".join(element(name, value, "" if name in own else "g:") for name, value in occurrences())
    return f"{RSS}<item>\n{body}\n<guid>ignored</guid><pubDate>ignored</pubDate></item>{END}"


def atom_file() -> str:
    own = ("title", "link", "description", "id")
    body = "\n".join(element(name, value) for name, value in occurrences() if name not in own)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" '
        'xmlns:g="http://base.google.com/ns/1.0"><title>Shop</title><link rel="self" href="https://shop.test/"/>\n'
        f"<updated>2026-11-01T00:00:00Z</updated><author><name>Shop</name></author><id>tag:shop.test</id><entry>"
        f'<title>{EVERY["title"]}</title><id>{EVERY["id"]}</id><link href="{escape(EVERY["link"])}"/>'
        f"<summary>{EVERY['description']}</summary><updated>2026-11-01T00:00:00Z</updated>{body}</entry></feed>"
    )


def table_file(spaces: bool = False) -> str:
    cells: dict[str, list[str]] = {}
    for name, value in occurrences():
        text = ":".join(part for _, part in value) if isinstance(value, list) else value
        cells.setdefault(name, []).append(text)
    heads = {"shipping": "shipping(country:service:price)"}
    names = [heads.get(name, name) for name in cells]
    names = [name.replace("_", " ") for name in names] if spaces else names
    return "\t".join(names) + "\n" + "\t".join(",".join(values) for values in cells.values()) + "\n"


def read(path: Path, **options: Any) -> list[SourceRow | RejectedRow]:
    source = open_source(path, **options)
    try:
        return list(source.rows())
    finally:
        source.close()


def rows_of(folder: Path, text: str | bytes, name: str = "feed.xml", **options: Any) -> list[SourceRow | RejectedRow]:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read(path, **options)


def product(row: SourceRow | RejectedRow) -> SourceRow:
    assert isinstance(row, SourceRow), row
    return row


def outcomes(rows: list[SourceRow | RejectedRow]) -> list[tuple[int | None, str | None, str]]:
    """Return each row as (line, id, what is wrong with it)."""
    return [(row.line, row.key, row.reason if isinstance(row, RejectedRow) else "") for row in rows]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (rss_file(), "rss.xml"),
        (atom_file(), "atom.xml"),
        (table_file(), "feed.tsv"),
        (table_file(spaces=True), "feed.txt"),
    ],
)
def test_every_attribute_of_the_specification_is_the_same_in_every_format(tmp_path: Path, text: str, name: str) -> None:
    (row,) = rows_of(tmp_path, text, name)
    found = product(row)
    assert (found.key, found.title, found.url) == (EVERY["id"], EVERY["title"], EVERY["link"])
    assert found.image == found.image_url == EVERY["image_link"]
    assert [(image.name, image.load) for image in found.images] == [
        (url, None) for url in EVERY["additional_image_link"]
    ]
    assert found.attributes == KEPT
    assert set(found.left_out) == NOT_KEPT & set(EVERY)
    assert found.category_words == (
        "Women > Dresses > Summer Dresses",
        "Summer Dresses",
        "Dresses",
        "Women",
        "Sale > Dresses",
        "Dresses",
        "Sale",
        "Apparel & Accessories > Clothing > Dresses",
        "Dresses",
        "Clothing",
        "Apparel & Accessories",
    )


def test_private_attributes_are_not_imported_unless_a_mapping_names_them(tmp_path: Path) -> None:
    mapping = FeedMapping(columns={"cost_of_goods_sold": "cost", "additional_image_link": "more"}, ignore=("pattern",))
    found = product(rows_of(tmp_path, rss_file(), mapping=mapping)[0])
    assert found.attributes["cost"] == "11.00 EUR"
    assert found.attributes["more"] == EVERY["additional_image_link"]
    assert "pattern" not in found.attributes
    assert found.images == ()
    assert "cost" not in product(rows_of(tmp_path, rss_file())[0]).attributes


def test_the_first_additional_image_replaces_a_missing_main_image(tmp_path: Path) -> None:
    item = "<item><g:id>1</g:id><g:additional_image_link>https://a.test/2.jpg</g:additional_image_link>"
    more = "<g:lifestyle_image_link>https://a.test/beach.jpg</g:lifestyle_image_link></item>"
    mapping = FeedMapping(columns={"lifestyle_image_link": "images"})
    found = product(rows_of(tmp_path, RSS + item + more + END, mapping=mapping)[0])
    assert found.image == found.image_url == "https://a.test/2.jpg"
    assert [image.name for image in found.images] == ["https://a.test/beach.jpg"]


def test_a_mapping_can_make_an_attribute_the_category_or_set_its_type(tmp_path: Path) -> None:
    mapping = FeedMapping(
        columns={"product_type": "category", "custom_label_1": "year"}, types={"custom_label_1": "number"}
    )
    found = product(rows_of(tmp_path, rss_file(), mapping=mapping)[0])
    assert found.attributes["year"] == 2026
    assert found.attributes["category"] == found.category_words[0] == "Women > Dresses > Summer Dresses"


def test_googles_elements_take_precedence_over_those_of_rss(tmp_path: Path) -> None:
    both = "<item><title>Plain</title><g:title>Google's</g:title><g:id>1</g:id><image_link>https://a.test/1.jpg</image_link></item>"
    bare = "<item><id>2</id><image_link>https://a.test/2.jpg</image_link><price>EUR 1.299,00</price></item>"
    first, second = (product(row) for row in rows_of(tmp_path, RSS + both + bare + END))
    assert (first.key, first.title) == ("1", "Google's")
    assert (second.key, second.attributes) == ("2", {"price": 1299.0, "currency": "EUR"})


def test_a_structured_title_is_used_without_a_title(tmp_path: Path) -> None:
    item = SIMPLE.format(id="1", title="").replace(
        "<g:title></g:title>",
        "<g:structured_title><g:digital_source_type>trained_algorithmic_media</g:digital_source_type>"
        "<g:content>Red dress</g:content></g:structured_title>",
    )
    assert product(rows_of(tmp_path, RSS + item + END)[0]).title == "Red dress"


def test_cdata_entities_and_another_encoding_are_read(tmp_path: Path) -> None:
    item = SIMPLE.format(id="1", title="<![CDATA[Café & <Bar>]]>")
    text = (RSS + item + SIMPLE.format(id="2", title="A &amp; B &#233;") + END).replace(
        'version="1.0"?', 'version="1.0" encoding="ISO-8859-1"?', 1
    )
    first, second = rows_of(tmp_path, text.encode("latin-1"))
    assert (product(first).title, product(second).title) == ("Café & <Bar>", "A & B é")
    assert [
        product(row).title
        for row in rows_of(
            tmp_path,
            (RSS.replace('"1.0"?', '"1.0" encoding="UTF-16"?') + SIMPLE.format(id="1", title="é") + END).encode(
                "utf-16"
            ),
        )
    ] == ["é"]


def test_an_item_that_is_not_well_formed_is_rejected_with_its_line_and_the_others_are_read(tmp_path: Path) -> None:
    items = [SIMPLE.format(id=f"p{n}", title="Fine") for n in range(6)]
    items[1] = SIMPLE.format(id="p1", title="Salt & Pepper")
    items[3] = "<item>\n<g:id>p3</g:id><g:title>no end\n"
    text = (RSS + "".join(items) + END).encode()
    text = text.replace(b"<g:id>p5</g:id><g:title>Fine", b"<g:id>p5</g:id><g:title>Caf\xe9")
    rows = outcomes(rows_of(tmp_path, text))
    assert [(line, key) for line, key, _ in rows] == [
        (5, "p0"),
        (6, "p1"),
        (7, "p2"),
        (8, "p3"),
        (10, "p4"),
        (11, "p5"),
    ]
    assert [line for line, _, reason in rows if reason] == [6, 8, 11]
    assert "not XML at line 6: not well-formed" in rows[1][2]
    assert "<item> has no end before the next one" in rows[3][2]


def test_duplicate_ids_and_incomplete_items_are_rejected_with_their_lines(tmp_path: Path) -> None:
    once = SIMPLE.format(id="A", title="One")
    text = RSS + once + "<item>\n</item>\n" + once + "<item><g:id>B</g:id></item>\n<!-- " + once + " -->" + END
    assert outcomes(rows_of(tmp_path, text)) == [
        (5, "A", ""),
        (6, None, "the id is missing"),
        (8, "A", "the id A is already on line 5"),
        (9, "B", "there is no image: neither a path nor a URL"),
    ]


def test_a_duplicate_id_is_rejected_in_a_feed_with_one_line(tmp_path: Path) -> None:
    items = "".join(SIMPLE.format(id=key, title="x") for key in "ABA")
    text = (RSS + items + END).replace("\n", "")
    assert [(key, reason) for _, key, reason in outcomes(rows_of(tmp_path, text))] == [
        ("A", ""),
        ("B", ""),
        ("A", "the id A is already on line 1"),
    ]


def test_a_truncated_feed_yields_its_items_and_then_an_error(tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    path.write_text(RSS + SIMPLE.format(id="1", title="One") + "<item><g:id>2</g:id><g:ti")
    source = open_source(path)
    rows = source.rows()
    assert product(next(rows)).key == "1"
    with pytest.raises(SourceError, match=r"feed\.xml cannot be imported: it is truncated at line 6"):
        next(rows)
    source.close()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<html><body>Not found</body></html>", r"not an RSS or Atom feed: its first element is <html>"),
        ("", "is not XML: no element found"),
        ("<rss>" + "<a>" * 200, "nested more than 100 levels deep"),
        ("id,title", "is not XML: syntax error"),
        ('<?xml version="1.0" encoding="x-martian"?><rss/>', "unsupported encoding .*x-martian"),
        ('<?xml version="1.0" encoding="shift_jis"?><rss/>', "unsupported encoding .*multi-byte"),
        ('<?xml version="1.0" encoding="UTF-16"?><rss/>', "is not XML: "),
        ('<!DOCTYPE rss [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;">]><rss><channel/></rss>', "declares entities"),
        ('<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]><rss>&a;</rss>', "declares entities"),
    ],
)
def test_a_file_that_is_not_a_feed_or_is_malicious_is_an_error(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        rows_of(tmp_path, text)


def test_an_endless_and_an_unclosed_item_do_not_affect_the_next(tmp_path: Path) -> None:
    endless = SIMPLE.format(id="big", title="xy\n" * (MAX_ITEM_CHARS // 2))
    open_cdata = SIMPLE.format(id="cdata", title="<![CDATA[never closed\n")
    open_comment = SIMPLE.format(id="comment", title="<!-- never closed")
    rows = outcomes(
        rows_of(tmp_path, RSS + endless + open_cdata + open_comment + SIMPLE.format(id="last", title="x") + END)
    )
    line = 5 + MAX_ITEM_CHARS // 2 + 1
    assert [(at, key, bool(reason)) for at, key, reason in rows] == [
        (5, "big", True),
        (line, "cdata", True),
        (line + 2, "comment", True),
        (line + 3, "last", False),
    ]


@pytest.mark.parametrize("token", ["<!-- {}", '<g:title a="{}'])
@pytest.mark.parametrize("in_item", [False, True])
def test_reading_stops_at_a_token_without_an_end_and_continues_with_the_next_item(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str, in_item: bool
) -> None:
    monkeypatch.setattr("services.catalogue.sources.parsing.xml_items.MAX_TOKEN_BYTES", 1 << 17)
    start = "<item><g:id>open</g:id>" if in_item else ""
    endless = start + token.format("x" * (1 << 18)) + "\n"
    text = RSS + SIMPLE.format(id="first", title="x") + endless + SIMPLE.format(id="last", title="x") + END
    rows = outcomes(rows_of(tmp_path, text))
    assert [(line, key) for line, key, reason in rows if not reason] == [(5, "first"), (7, "last")]
    ((line, key, reason),) = [row for row in rows if row[2]]
    assert (line, key) == (6, "open" if in_item else None)
    assert reason == "not XML at line 6: a tag or comment has no end"


def test_memory_does_not_grow_with_the_feed(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        path = tmp_path / f"{count}.xml"
        with path.open("w") as file:
            file.write(RSS)
            file.writelines(SIMPLE.format(id=n, title="x" * 400) for n in range(count))
            file.write(END)
        source = open_source(path)
        tracemalloc.start()
        assert sum(isinstance(row, SourceRow) for row in source.rows()) == count
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        source.close()
        return found

    assert peak(6000) < 1.5 * peak(1000)


@given(titles=st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc"))), max_size=8), size=st.integers(1, 64))
def test_items_do_not_depend_on_the_chunks_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, titles: list[str], size: int
) -> None:
    folder = tmp_path_factory.mktemp("chunks")
    text = RSS + "".join(SIMPLE.format(id=n, title=escape(title)) for n, title in enumerate(titles)) + END
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.catalogue.sources.parsing.xml_items.CHUNK", size)
        rows = [product(row) for row in rows_of(folder, text)]
    assert [(row.key, row.title) for row in rows] == [(str(n), title.strip() or None) for n, title in enumerate(titles)]


def test_the_format_is_recognised_by_the_columns(tmp_path: Path) -> None:
    for name, text, kind in [
        ("a.csv", "id,image link,title\n", GoogleTable),
        ("b.tsv", "ID [id]\tImage link [image_link]\n", GoogleTable),
        ("c.xml", "<rss/>", GoogleXmlFeed),
    ]:
        (tmp_path / name).write_text(text)
        source = open_source(tmp_path / name)
        assert type(source) is kind
        assert source.kind == "Google product feed"
        source.close()


def test_a_broken_row_of_a_table_is_rejected_with_its_line(tmp_path: Path) -> None:
    text = 'id\timage_link\ttitle\n1\thttps://a.test/1.jpg\tFine\n2\thttps://a.test/2.jpg\n3\tftp://a.test/3.jpg\tx\n1\thttps://a.test/1.jpg\t"a\n'
    assert [(line, key) for line, key, reason in outcomes(rows_of(tmp_path, text, "feed.tsv")) if reason] == [
        (3, None),
        (4, "3"),
        (5, None),
    ]


@pytest.mark.parametrize(
    "column", ["image_link", "Image Link", "g:image_link", "image-link", "Image link [image_link]"]
)
def test_an_attribute_has_one_name_for_all_forms(column: str) -> None:
    assert attribute_name(column) == "image_link"


def test_the_words_of_a_category_path_are_the_path_and_its_parts_from_the_last() -> None:
    assert path_words("Apparel > Clothing >Socks ") == ("Apparel > Clothing >Socks", "Socks", "Clothing", "Apparel")
    assert path_words("Shoes") == ("Shoes",)
    assert path_words("") == ()
