"""A collection in Milvus: how it is made, called and read, and what its errors become. Milvus is in memory."""

import re
import sys
from typing import Any

import numpy as np
import pytest

from services.contracts.domain.errors import IndexNotReady, LookalikeError, UpstreamTimeout
from services.index.milvus.collection import (
    MilvusCollection,
    MilvusOptions,
    MilvusRefused,
    MilvusServer,
    SearchKind,
    partition_of,
)
from services.index.milvus.rows import MilvusEntry, rows_of
from tests.support.fakes.milvus import MemoryMilvus, MilvusException

URI = "http://milvus:19530"
SHOES = partition_of("default", 0)


def collection(database: str = "shop", model: str = "fashion/1", **options: Any) -> MilvusCollection:
    return MilvusCollection(MilvusServer(MilvusOptions(URI, **options)), database, model, 2)


def opened(**options: Any) -> MilvusCollection:
    made = collection(**options)
    made.open([SHOES])
    return made


def rows(count: int) -> list[dict[str, Any]]:
    vector = np.array([[0.6, 0.8]], np.float32)
    return [row for number in range(count) for row in rows_of("default", f"p{number}", MilvusEntry(0, vector, None))]


def test_the_connection_is_opened_at_the_first_call_and_closed_once(milvus: MemoryMilvus) -> None:
    server = MilvusServer(MilvusOptions(URI, "user:password", timeout_s=3.0))
    server.close()
    assert milvus.connections == []
    assert server.call(lambda client: client.has_collection("x")) is False
    server.call(lambda client: client.has_collection("x"))
    assert milvus.connections == [{"uri": URI, "token": "user:password", "timeout": 3.0}]
    server.close()
    server.close()
    assert milvus.open_connections == 0
    with_own_authority = MilvusServer(MilvusOptions("https://milvus:19530", ca_file="/etc/milvus/ca.pem"))
    with_own_authority.call(lambda client: client.has_collection("x"))
    assert milvus.connections[-1]["server_pem_path"] == "/etc/milvus/ca.pem"
    with_own_authority.close()
    server.call(lambda client: client.has_collection("x"))
    assert milvus.open_connections == 1


def test_without_the_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    with pytest.raises(IndexNotReady, match=r"lookalike\[milvus\]"):
        opened()


def test_a_collection_is_made_once_and_loaded_by_every_process(milvus: MemoryMilvus) -> None:
    first = opened()
    made = milvus.collections[first.name]
    assert made.index == {"field": "vector", "metric_type": "IP", "index_type": "FLAT", "params": {}}
    assert made.loaded == {"_default", SHOES}
    second = opened()
    assert second.name == first.name
    assert len(milvus.called("create_collection")) == len(milvus.called("create_partition")) == 1
    assert len(milvus.called("load_collection")) == 2


def test_a_collection_that_is_loaded_as_it_should_be_is_not_released(milvus: MemoryMilvus) -> None:
    for _ in range(2):
        opened()
    assert milvus.called("release_collection") == []
    milvus.query_nodes = 2
    for _ in range(2):
        opened(replicas=2)
    assert len(milvus.called("release_collection")) == 1


def test_the_schema_has_room_for_a_row_and_for_as_much_as_milvus_holds(milvus: MemoryMilvus) -> None:
    fields = milvus.collections[opened().name].schema.fields
    (row,) = rows(1)
    assert list(fields) == list(row)
    assert {name: fields[name]["max_length"] for name in ("product", "version")} == {
        name: len(row[name]) for name in ("product", "version")
    }
    assert fields["row"]["max_length"] >= len(row["row"])
    assert (fields["tokens"]["max_capacity"], fields["content"]["max_length"]) == (4096, 65_535)
    assert fields["vector"]["dim"] == row["vector"].size
    assert [name for name, limits in fields.items() if limits.get("is_primary")] == ["row"]


def test_a_refusal_that_no_setting_explains_stays_as_it_is(milvus: MemoryMilvus) -> None:
    milvus.trouble = MilvusException(1, "out of memory")
    with pytest.raises(MilvusRefused, match="refused a call"):
        opened(replicas=1)
    with pytest.raises(IndexNotReady, match="INDEX_MILVUS_REPLICAS=2 needs as many query nodes"):
        opened(replicas=2)


def test_partitions_that_are_added_later_are_loaded_too(milvus: MemoryMilvus) -> None:
    made = opened()
    bags = partition_of("default", 1)
    made.open([SHOES, bags])
    made.open([SHOES, bags])
    assert milvus.collections[made.name].loaded == {"_default", SHOES, bags}
    assert [call["partition"] for call in milvus.called("create_partition")] == [SHOES, bags]


def test_another_kind_of_search_replaces_the_index_and_keeps_the_rows(milvus: MemoryMilvus) -> None:
    opened().write(rows(3), SHOES)
    made = opened(search="hnsw")
    index = milvus.collections[made.name].index
    assert index is not None
    assert index["index_type"] == "HNSW"
    assert made.count("image == 0", SHOES, strong=True) == 3


@pytest.mark.parametrize("search", ["diskann", "gpu"])
def test_an_index_that_milvus_does_not_offer_is_refused_with_what_it_needs(
    milvus: MemoryMilvus, search: SearchKind
) -> None:
    milvus.index_types = {"FLAT"}
    with pytest.raises(IndexNotReady, match=f"INDEX_MILVUS_SEARCH={search} needs .*Milvus") as caught:
        opened(search=search)
    assert "invalid index type" in caught.value.inside["reason"]
    opened().write(rows(2), SHOES)  # the way back
    milvus.index_types |= {"DISKANN", "GPU_BRUTE_FORCE"}
    assert opened(search=search).count("image == 0", SHOES, strong=True) == 2


def test_the_number_of_replicas_follows_the_setting_of_the_last_process(milvus: MemoryMilvus) -> None:
    made = opened()
    milvus.query_nodes = 2
    opened(replicas=2)
    assert milvus.collections[made.name].replicas == 2
    opened(replicas=2)
    with pytest.raises(IndexNotReady, match="INDEX_MILVUS_REPLICAS=3 needs as many query nodes"):
        opened(replicas=3)
    opened()
    assert milvus.collections[made.name].replicas == 1


@pytest.mark.parametrize(
    ("error", "ours", "detail"),
    [
        (MilvusException(1, "out of memory"), IndexNotReady, "refused a call"),
        (MilvusException(1100, "no such field"), IndexNotReady, "refused a call"),
        (MilvusException(65535, "no such field"), IndexNotReady, "refused a call"),
        (MilvusException(2, "fail connecting"), IndexNotReady, "is unavailable"),
        (MilvusException(1, "Deadline exceeded"), UpstreamTimeout, "did not respond in time"),
        (MilvusException(2, "the call timed out"), UpstreamTimeout, "did not respond in time"),
        (MilvusException(2, "Timeout of the channel"), UpstreamTimeout, "did not respond in time"),
        (ValueError("the channel is closed"), IndexNotReady, "is unavailable"),
    ],
)
def test_an_error_of_milvus_is_one_of_the_project_with_its_reason(
    milvus: MemoryMilvus, error: Exception, ours: type[LookalikeError], detail: str
) -> None:
    made = opened()
    milvus.trouble = error
    with pytest.raises(ours, match=detail) as caught:
        made.count("image == 0", SHOES)
    assert caught.value.inside == {"reason": str(error)}


def test_a_server_that_cannot_be_connected_to_is_unavailable(milvus: MemoryMilvus) -> None:
    milvus.trouble = MilvusException(2, "fail\n  connecting " + 500 * "x")
    with pytest.raises(IndexNotReady, match="unavailable") as caught:
        opened()
    assert caught.value.inside["reason"].startswith("fail connecting xx")
    assert len(caught.value.inside["reason"]) == 300
    assert milvus.open_connections == 0


def test_an_error_of_our_own_code_stays_as_it_is(milvus: MemoryMilvus) -> None:
    def wrong(client: Any) -> None:
        raise KeyError("row")

    with pytest.raises(KeyError):
        collection().server.call(wrong)


def test_rows_are_written_and_deleted_in_batches(milvus: MemoryMilvus) -> None:
    made = opened(timeout_s=4.0)
    many = rows(4001)
    made.write(many, SHOES)
    assert [call["rows"] for call in milvus.called("upsert")] == [2000, 2000, 1]
    assert {call["timeout"] for call in milvus.called("upsert")} == {4.0}
    assert made.count("image == 0", SHOES, strong=True) == 4001
    made.delete([row["row"] for row in many[:2001]], SHOES)
    assert [call["ids"] for call in milvus.called("delete")] == [2000, 1]
    assert {call["timeout"] for call in milvus.called("delete")} == {4.0}
    assert made.count("image == 0", SHOES, strong=True) == 2000


def test_a_scan_reads_every_row_in_pages_and_closes_its_iterator(milvus: MemoryMilvus) -> None:
    made = opened()
    made.write(rows(5001), SHOES)
    made.count("image == 0", SHOES, strong=True)
    assert [len(page) for page in made.scan("image == 0", ["product"], [SHOES])] == [5000, 1]
    assert milvus.open_iterators == 0
    pages = made.scan("image == 0", ["product"], [SHOES])
    assert next(pages)[0].keys() == {"row", "product"}
    assert milvus.open_iterators == 1
    pages.close()  # type: ignore[attr-defined]
    assert milvus.open_iterators == 0


@pytest.mark.parametrize(
    ("search", "width", "limit", "params"),
    [
        ("flat", 256, 10, {}),
        ("gpu", 256, 10, {}),
        ("hnsw", 256, 10, {"ef": 256}),
        ("hnsw", 8, 10, {"ef": 10}),
        ("diskann", 256, 10, {"search_list": 256}),
        ("diskann", 8, 10, {"search_list": 10}),
    ],
)
def test_an_approximate_search_looks_at_enough_candidates(
    milvus: MemoryMilvus, search: SearchKind, width: int, limit: int, params: dict[str, int]
) -> None:
    made = opened(search=search, search_width=width)
    made.search(SHOES, np.ones(2, np.float32), limit, "", None)
    (call,) = milvus.called("search")
    assert call["search_params"] == {"metric_type": "IP", "params": params}


def test_a_call_has_its_own_time_or_that_of_the_settings(milvus: MemoryMilvus) -> None:
    made = opened(timeout_s=4.0, consistency="session")
    for timeout_s in (None, 0.5):
        made.search(SHOES, np.ones(2, np.float32), 3, "", timeout_s)
        made.query("image == 0", ["row"], [SHOES], timeout_s=timeout_s)
        made.count("image == 0", SHOES, timeout_s=timeout_s)
    made.query("image == 0", ["row"], [SHOES], strong=True)
    calls = milvus.called("search") + milvus.called("query")
    assert [call["timeout"] for call in calls] == [4.0, 0.5, 4.0, 4.0, 0.5, 0.5, 4.0]
    assert [call["consistency_level"] for call in calls] == [*["Session"] * 6, "Strong"]


def test_an_alias_follows_the_active_model_and_goes_with_the_collection(milvus: MemoryMilvus) -> None:
    first, second = opened(), collection(model="fashion/2")
    second.open([SHOES])
    first.name_by_alias("active")
    second.name_by_alias("active")
    (alias,) = milvus.aliases
    assert alias.startswith("lookalike_shop_active_")
    assert milvus.aliases[alias] == second.name
    second.drop()
    second.drop()
    assert (milvus.aliases, list(milvus.collections)) == ({}, [first.name])


def test_positions_are_kept_for_each_catalogue_and_model(milvus: MemoryMilvus) -> None:
    assert collection().read_position("default") is None
    collection().write_position("default", "one")
    collection().write_position("outlet", "two")
    collection().write_position("default", "three")
    collection(model="fashion/2").write_position("default", "four")
    assert collection().read_position("default") == "three"
    assert collection().read_position("outlet") == "two"
    assert collection(model="fashion/2").read_position("default") == "four"
    assert collection().read_position("shoes") is None
    assert collection(database="other").read_position("default") is None


def test_different_parts_have_different_names_that_milvus_takes() -> None:
    names = [partition_of("a_1", 1), partition_of("a", 11), partition_of("a", 1), partition_of("ä" * 300, 1)]
    assert len(set(names)) == 4
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,254}", name) for name in names)
    assert collection("a", "b/1").name != collection("a/b", "1").name
