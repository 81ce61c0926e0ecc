"""Each feature of the database that Lookalike relies on, against the server that MONGO_URL names, else a stand-in.

A server that passes this suite can hold the catalogue. The features are used through the driver, as the store does.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import bson
import numpy as np
import pymongo
import pytest
from bson import Binary, ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo import InsertOne, UpdateOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, DuplicateKeyError

from tests.support.servers.mongo import fresh_database
from tests.support.waiting import eventually

Products = Collection[dict[str, Any]]
NUMBERS = np.random.default_rng(3).standard_normal(64).astype("<f4")
VECTOR = Binary(b"\x27\x00" + NUMBERS.tobytes(), 9)
WHEN = dt.datetime(2026, 5, 1, 12, 30, tzinfo=dt.UTC)
FIELDS = {"id": "a", "Category": 3, "vector": VECTOR, "title": None, "attributes": {"n": 1.5, "s": ["x", 2, True]}}


@pytest.fixture
def products(url: str) -> Iterator[Products]:
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(url, tz_aware=True)
    with client, fresh_database(url) as database:
        yield client[database]["products"]


def upsert(key: str, **fields: Any) -> UpdateOne:
    return UpdateOne({"_id": key}, {"$set": fields}, upsert=True)


def test_the_server_answers_a_ping(products: Products) -> None:
    assert products.database.command("ping")["ok"] == 1


def test_a_document_is_found_by_its_id_as_it_was_written(products: Products) -> None:
    products.update_one({"_id": "a"}, {"$set": {**FIELDS, "updated_at": WHEN}}, upsert=True)
    document = products.find_one({"_id": "a"})
    assert document is not None
    assert {**document, "vector": bytes(document["vector"])} == {
        **FIELDS,
        "_id": "a",
        "vector": bytes(VECTOR),
        "updated_at": WHEN,
    }


def test_setting_all_fields_replaces_a_document_with_binary_values_and_dates(products: Products) -> None:
    for title in ("first", "second"):
        products.bulk_write([upsert("a", **{**FIELDS, "title": title, "updated_at": WHEN})], ordered=False)
    assert [document["title"] for document in products.find({"_id": "a"})] == ["second"]


def test_a_time_that_is_set_on_insert_stays(products: Products) -> None:
    for title in ("first", "second"):
        fields = {"$set": {"title": title}, "$setOnInsert": {"at": WHEN if title == "first" else None}}
        products.bulk_write([UpdateOne({"_id": "a"}, fields, upsert=True)], ordered=False)
    assert products.find_one({"_id": "a"}) == {"_id": "a", "title": "second", "at": WHEN}


def test_setting_a_subdocument_replaces_it_whole(products: Products) -> None:
    products.bulk_write([upsert("a", attributes={"old": 1, "both": 1})])
    products.bulk_write([upsert("a", attributes={"both": 2, "new": 2})])
    assert products.find_one({"_id": "a"}, {"attributes": 1}) == {"_id": "a", "attributes": {"both": 2, "new": 2}}


def test_booleans_stay_booleans_in_updates(products: Products) -> None:
    products.insert_many([{"_id": key, "on": None, "number": 1} for key in "abcde"])
    products.update_one({"_id": "a"}, {"$set": {"on": True, "in.side": False}})
    products.update_many({"_id": "b"}, {"$set": {"on": True, "in.side": False}})
    products.find_one_and_update({"_id": "c"}, {"$set": {"on": True, "in.side": False}})
    products.bulk_write([UpdateOne({"_id": "d"}, {"$set": {"on": True, "in": {"side": False}}})])
    products.update_one({"_id": "e"}, {"$set": {"on": True, "in.side": False}, "$inc": {"number": 1}})
    for document in products.find():
        assert (document["on"], document["in"]["side"]) == (True, False)
        assert type(document["on"]) is bool and type(document["in"]["side"]) is bool, document


def test_an_already_encoded_document_can_be_set(products: Products) -> None:
    raw = RawBSONDocument(bson.encode({"vector": VECTOR, "title": "x"}))
    products.bulk_write([UpdateOne({"_id": "a"}, {"$set": raw}, upsert=True)], ordered=False)
    document = products.find_one({"_id": "a"})
    assert document is not None and bytes(document["vector"]) == bytes(VECTOR)


def test_vectors_in_a_list_of_subdocuments_are_found_as_they_were_written(products: Products) -> None:
    images = [{"url": "u", "sha256": None, "vector": VECTOR}, {"url": None, "sha256": "ab", "vector": VECTOR}]
    raw = RawBSONDocument(bson.encode({"images": images}))
    for _ in range(2):
        products.bulk_write([UpdateOne({"_id": "a"}, {"$set": raw}, upsert=True)], ordered=False)
    document = products.find_one({"_id": "a"}, {"images": 1})
    assert document is not None
    assert [{**image, "vector": bytes(image["vector"])} for image in document["images"]] == [
        {**image, "vector": bytes(VECTOR)} for image in images
    ]


def test_a_bulk_write_of_a_thousand_upserts_writes_each_once(products: Products) -> None:
    for _ in range(2):
        products.bulk_write([upsert(str(number), n=number) for number in range(1000)], ordered=False)
    assert len(list(products.find({}, {"_id": 1}))) == 1000


def test_an_unordered_bulk_write_says_which_operation_failed_and_does_the_others(products: Products) -> None:
    products.insert_one({"_id": "b"})
    with pytest.raises(BulkWriteError) as caught:
        products.bulk_write([InsertOne({"_id": "a"}), InsertOne({"_id": "b"}), InsertOne({"_id": "c"})], ordered=False)
    assert [(error["index"], error["code"]) for error in caught.value.details["writeErrors"]] == [(1, 11000)]
    assert {document["_id"] for document in products.find({})} == {"a", "b", "c"}


def test_an_id_is_unique(products: Products) -> None:
    products.insert_one({"_id": "a"})
    with pytest.raises(DuplicateKeyError):
        products.insert_one({"_id": "a"})


def test_documents_are_found_by_a_list_of_ids_of_any_kind(products: Products) -> None:
    old = products.insert_one({"id": 7}).inserted_id
    products.insert_many([{"_id": "a"}, {"_id": "b"}])
    documents = products.find({"_id": {"$in": ["a", old, "none"]}})
    assert {document["_id"] for document in documents} == {"a", old}
    assert isinstance(old, ObjectId)


def test_older_documents_are_found_by_their_id_field_whether_number_or_text(products: Products) -> None:
    products.insert_many([{"id": 7}, {"id": "8"}, {"_id": "9", "id": "9", "category_source": "feed"}])
    wanted = {"id": {"$in": ["7", 7, "8", 8, "9", 9]}, "category_source": None}
    assert {document["id"] for document in products.find(wanted, {"id": 1})} == {7, "8"}


def test_older_documents_without_an_id_field_are_found_like_those_with_one(products: Products) -> None:
    bare = products.insert_one({"Category": 1}).inserted_id
    products.insert_one({"id": 7})
    wanted = {"$or": [{"id": {"$in": ["7", 7]}}, {"_id": {"$in": [bare]}, "id": None}]}
    assert len(list(products.find(wanted, {"_id": 1}))) == 2


def test_whether_any_document_lacks_a_field_can_be_asked(products: Products) -> None:
    products.insert_one({"_id": "a", "category_source": "feed"})
    assert products.find_one({"category_source": None}, {"_id": 1}) is None
    products.insert_one({"_id": "b"})
    assert products.find_one({"category_source": None}, {"_id": 1}) == {"_id": "b"}


def test_deleting_says_how_many_went(products: Products) -> None:
    products.insert_many([{"_id": "a"}, {"_id": "b"}, {"_id": "c"}])
    assert products.delete_one({"_id": "a"}).deleted_count == 1
    assert products.delete_one({"_id": "a"}).deleted_count == 0
    assert products.delete_many({"_id": {"$in": ["b", "c", "d"]}}).deleted_count == 2


def test_ranges_of_ids_are_deleted_but_for_some_of_them(products: Products) -> None:
    ids = ["a", "a\n1", "a\n2", "a\n3", "aa", "b\n1", "bb\n1", "ü\n1"]
    products.insert_many([{"_id": key} for key in ids])
    first = {"_id": {"$gte": "a\n", "$lt": "a\x0b", "$nin": ["a\n2"]}}
    others = [{"_id": {"$gte": f"{key}\n", "$lt": f"{key}\x0b"}} for key in ["b", "ü", *map(str, range(398))]]
    assert products.delete_many({"$or": [first, *others]}).deleted_count == 4
    assert {document["_id"] for document in products.find({}, {"_id": 1})} == {"a", "a\n2", "aa", "bb\n1"}


def test_a_scan_in_batches_gives_every_document_once(products: Products) -> None:
    products.insert_many([{"_id": str(number)} for number in range(2500)])
    assert sorted(int(document["_id"]) for document in products.find({}, batch_size=1000)) == list(range(2500))


def test_the_collection_knows_how_many_documents_it_has(products: Products) -> None:
    assert products.estimated_document_count() == 0
    products.insert_many([{"_id": str(number)} for number in range(7)])
    assert products.estimated_document_count() == 7


def test_an_index_can_be_asked_for_more_than_once(products: Products) -> None:
    products.insert_one({"id": 1})
    names = [products.create_index("id"), products.create_index("id")]
    assert names == ["id_1", "id_1"]
    assert products.find_one({"id": 1}) is not None


def test_a_picture_of_a_megabyte_is_kept_byte_for_byte(products: Products) -> None:
    data = np.random.default_rng(0).integers(0, 256, 1_000_000, dtype=np.uint8).tobytes()
    images = products.database["images"]
    for _ in range(2):
        images.bulk_write([UpdateOne({"_id": "a"}, {"$set": {"data": data}}, upsert=True)], ordered=False)
    document = images.find_one({"_id": "a"})
    assert document is not None and bytes(document["data"]) == data


class Events:
    """The events of a change stream, as they come."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def take(self, count: int) -> list[dict[str, Any]]:
        return [eventually(self.stream.try_next) for _ in range(count)]


def watch(products: Products, **options: Any) -> Any:
    return products.watch(full_document="updateLookup", max_await_time_ms=100, **options)


def test_a_stream_tells_of_inserts_updates_replacements_and_deletes_in_their_order(products: Products) -> None:
    with watch(products) as stream:
        old = products.insert_one({"id": 7, "n": 0}).inserted_id
        products.bulk_write([upsert("a", n=1)], ordered=False)
        products.update_one({"_id": "a"}, {"$set": {"n": 2}})
        products.replace_one({"_id": old}, {"id": 7, "n": 3})
        products.delete_one({"_id": "a"})
        events = Events(stream).take(5)
    kinds = [(event["operationType"].replace("replace", "update"), event["documentKey"]["_id"]) for event in events]
    assert kinds == [("insert", old), ("insert", "a"), ("update", "a"), ("update", old), ("delete", "a")]
    assert events[3]["fullDocument"]["n"] == 3


def test_a_quiet_stream_says_so_and_has_a_token_to_go_on_after(products: Products) -> None:
    with watch(products) as stream:
        assert stream.try_next() is None
        token = stream.resume_token
    products.insert_one({"_id": "a"})
    with watch(products, start_after=token) as stream:
        assert [event["documentKey"]["_id"] for event in Events(stream).take(1)] == ["a"]


def test_a_stream_started_after_a_token_gives_every_event_since(products: Products) -> None:
    with watch(products) as stream:
        products.insert_one({"_id": "0"})
        token = Events(stream).take(1)[0]["_id"]
    products.bulk_write([upsert(str(number), n=number) for number in range(1, 1500)], ordered=False)
    products.delete_one({"_id": "1"})
    with watch(products, start_after=token) as stream:
        events = Events(stream).take(1500)
    assert [event["documentKey"]["_id"] for event in events] == [*map(str, range(1, 1500)), "1"]


def test_a_stream_can_be_started_after_the_end_of_another_whose_collection_was_dropped(products: Products) -> None:
    with watch(products) as stream:
        products.insert_one({"_id": "a"})
        Events(stream).take(1)
        products.drop()
        for _ in range(5):  # MongoDB tells of the drop and ends the stream; the stand-in says nothing
            if stream.alive:
                stream.try_next()
        token = stream.resume_token
    with watch(products, start_after=token) as stream:
        products.insert_one({"_id": "b"})
        assert [event["documentKey"]["_id"] for event in Events(stream).take(1)] == ["b"]


def test_a_stream_may_be_opened_before_its_collection_exists(products: Products) -> None:
    with watch(products) as stream:
        products.insert_one({"_id": "a"})
        assert Events(stream).take(1)[0]["documentKey"] == {"_id": "a"}


def test_two_streams_each_give_every_event(products: Products) -> None:
    with watch(products) as first, watch(products) as other:
        products.insert_many([{"_id": str(number)} for number in range(300)])
        for stream in (first, other):
            assert len(Events(stream).take(300)) == 300
