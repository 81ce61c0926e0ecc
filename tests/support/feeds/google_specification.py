"""Google's product data specification: every attribute of a product, as XML and as a table."""

from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

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
    "maximum_retail_price": 49.9,
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
        yield from ((name, each) for each in (value if repeated else [value]))


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
