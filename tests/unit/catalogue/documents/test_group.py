"""The group that the variants of a style share: in documents, payloads, filters and feeds."""

from pathlib import Path

import numpy as np
import pytest

from services.catalogue.documents.product_document import from_document, to_document
from services.catalogue.importing.description import Placement, describe
from services.catalogue.sources.records.rows import SourceRow
from services.contracts.wire.filter_json import parse_filter
from services.engine.payload import attributes_of, pack, unpack
from services.engine.segment import Segment
from tests.support.feeds.rows import csv_rows, json_rows, product, shopify_rows, xml_rows
from tests.support.values.products import make_product

VECTOR = np.ones(4, dtype=np.float32)
IMAGE = "https://a.test/1.jpg"
ROW = SourceRow(key="1", image=IMAGE, title="Shirt")
NETWORK = Placement(None, "network")


@pytest.mark.parametrize("group", ["SHIRT-12", "Größe / 7", None])
def test_the_group_is_in_the_document(group: str | None) -> None:
    document = to_document(make_product("1", 0, VECTOR, "fashion/1", group=group))
    assert document["group"] == group
    assert from_document(document).product.group == group


def test_a_document_without_a_group_is_read_as_before() -> None:
    document = to_document(make_product("1", 0, VECTOR, "fashion/1"))
    del document["group"]
    assert from_document(document).product.group is None
    assert from_document(document | {"group": 7}).product.group is None


def test_a_result_has_the_group_and_a_filter_finds_it() -> None:
    payloads = [
        pack(make_product("1", 0, VECTOR, group="A", attributes={"size": "S"})),
        pack(make_product("2", 0, VECTOR, group="B")),
        pack(make_product("3", 0, VECTOR, attributes={"group": "A"})),
        pack(make_product("4", 0, VECTOR)),
        pack(make_product("5", 0, VECTOR, group="A", attributes={"group": "C"})),
    ]
    assert unpack(payloads[0]) == {"group": "A", "attributes": {"size": "S"}}
    assert attributes_of(payloads[0]) == {"group": "A", "size": "S"}
    segment = Segment(["1", "2", "3", "4", "5"], payloads)
    assert segment.matching(parse_filter({"group": "A"}), 5).tolist() == [True, False, True, False, False]


def test_a_row_without_a_group_keeps_the_hash_of_earlier_versions() -> None:
    plain, grouped = describe(ROW, NETWORK), describe(SourceRow("1", IMAGE, title="Shirt", group="A"), NETWORK)
    assert plain.feed_sha256 == "ab8639c321fededbb3ded5f466ea57babcd07c07a1590b42edc05c031178dd42"
    assert grouped.feed_sha256 != plain.feed_sha256


@pytest.mark.parametrize(
    ("fields", "group", "left_out"),
    [
        ({"group": "A"}, "A", ()),
        ({"group": 12}, "12", ()),
        ({"item_group_id": "B"}, "B", ()),
        ({"group": "A", "item_group_id": "B"}, "A", ()),
        ({"group": ["A"]}, "A", ()),
        ({"group": ["A", "B"]}, None, ("group",)),
        ({"group": True}, None, ("group",)),
        ({"group": "x" * 257}, None, ("group",)),
        ({"group": ""}, None, ()),
        ({}, None, ()),
    ],
)
def test_the_group_of_a_json_document(
    tmp_path: Path, fields: dict[str, object], group: str | None, left_out: tuple[str, ...]
) -> None:
    (row,) = json_rows(tmp_path, {"id": "1", "image_url": IMAGE, **fields})
    assert (product(row).group, product(row).left_out) == (group, left_out)
    assert "group" not in product(row).attributes


def test_the_groups_of_tables_xml_and_shopify(tmp_path: Path) -> None:
    table = "id\timage_link\titem_group_id\nA\thttps://a.test/1.jpg\t007\n"
    google = product(csv_rows(tmp_path, table, "feed.tsv")[0])
    assert (google.group, google.attributes["item_group_id"]) == ("007", "007")
    assert product(csv_rows(tmp_path, f"id,image,Group\nA,{IMAGE},007\n")[0]).group == "007"
    item = f"<product><id>1</id><image_link>{IMAGE}</image_link><item_group_id>G</item_group_id></product>"
    assert product(xml_rows(tmp_path, f"<products>{item}</products>")[0]).group == "G"
    assert product(shopify_rows(tmp_path, f"Handle,Title,Image Src\nshirt,Shirt,{IMAGE}\n")[0]).group == "shirt"
