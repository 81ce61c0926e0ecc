"""What Milvus stores is found again by later versions: names, ids and hashes are a format, and stay as they are."""

from typing import Any

import numpy as np
import pytest

from services.index.milvus.collection import MilvusCollection, MilvusOptions, MilvusServer, partition_of
from services.index.milvus.expressions import TooManyValues, row_attributes, token, value_token
from services.index.milvus.rows import MilvusEntry, digest_of, rows_of, version_of
from tests.support.fakes.milvus import milvus_in_memory

ENTRY = MilvusEntry(2, np.eye(2, 4, dtype=np.float32), b'{"title":"x"}')


def test_a_product_has_the_rows_of_earlier_versions() -> None:
    digest = "27fb7b8d2e8a0387251a6a486f744985"
    assert digest_of("default/15970") == digest
    rows = rows_of("default", "15970", ENTRY)
    assert [row["row"] for row in rows] == [f"{digest}00", f"{digest}01"]
    assert {row["version"] for row in rows} == {"73f143d740552ec70fd26d495700990c"}
    assert {row["content"] for row in rows} == {'{"key":"3135393730","source":null,"payload":"{\\"title\\":\\"x\\"}"}'}


def test_a_legacy_document_has_its_version() -> None:
    entry = MilvusEntry(2, ENTRY.vectors, None, "oid")
    assert version_of("15970", entry) == "57712862705d07b9727e8a3eabf441fb"


@pytest.mark.parametrize(
    ("attribute", "value", "expected"),
    [("price", 5, 3360665700221953074), ("colour", "Red", 1199080505013401999), ("sale", True, 3788692348924324143)],
)
def test_a_value_has_the_hash_of_earlier_versions(attribute: str, value: Any, expected: int) -> None:
    assert value_token(attribute, value) == expected


def test_a_number_has_the_name_of_earlier_versions() -> None:
    row = row_attributes({"price": 5})
    assert row.numbers == {"nc2af199c3cb05db1_0": 5.0}
    assert token("price", "n") == 5794639200925066286
    assert 5794639200925066286 in row.tokens


def test_an_attribute_may_have_64_numbers() -> None:
    assert len(row_attributes({"sizes": list(range(64))}).numbers) == 64
    with pytest.raises(TooManyValues):
        row_attributes({"sizes": list(range(65))})


def test_what_is_written_and_read_has_the_numbers_that_milvus_allows() -> None:
    with milvus_in_memory() as milvus:
        server = MilvusServer(MilvusOptions("http://milvus:19530", search="hnsw"))
        collection = MilvusCollection(server, "shop", "fashion/3", 4)
        collection.open([partition_of("default", 0)])
        index = milvus.collections[collection.name].index
        assert index is not None and index["params"] == {"M": 32, "efConstruction": 360}
        collection.search(partition_of("default", 0), ENTRY.vectors[0], 3, "", None)
        assert milvus.called("search")[-1]["search_params"]["params"] == {"ef": 256}
        collection.query("image == 0", ["row"], [partition_of("default", 0)])
        assert milvus.called("query")[-1]["limit"] == 16_384
        collection.write_position("default", "text")
        fields = milvus.collections["lookalike_positions"].schema.fields
        assert [fields[name]["max_length"] for name in ("id", "position")] == [512, 65_535]


def test_the_collection_its_partitions_and_positions_have_the_names_of_earlier_versions() -> None:
    collection = MilvusCollection(MilvusServer(MilvusOptions("http://milvus:19530")), "shop", "fashion/3", 4)
    assert collection.name == "lookalike_shop_fashion_3_a91bf2e7"
    assert collection._position_id("default") == f"{collection.name}/bd7a0a4b552d716509077fa95c28ab45"
    assert partition_of("default", 3) == "c_default_3_ddc04734"
    long = partition_of("x" * 300, 1)
    assert long.startswith("c_" + "x" * 198 + "_")
    assert len(long) == 209
