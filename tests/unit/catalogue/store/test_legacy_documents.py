"""Legacy documents and markers, in a collection that counts what is asked of it."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from bson.objectid import ObjectId

from services.catalogue.store import legacy_documents
from services.catalogue.store.legacy_documents import IS_LEGACY, LegacyDocuments, legacy_filter
from services.catalogue.store.markers import is_abandoned, is_marker

FIRST, SECOND = ObjectId("1" * 24), ObjectId("2" * 24)


class Found(list[dict[str, Any]]):
    async def to_list(self, length: int | None) -> list[dict[str, Any]]:
        return self


class Documents:
    """A collection that returns the same documents for every query."""

    def __init__(self, *document_ids: Any) -> None:
        self.documents = Found({"_id": document_id} for document_id in document_ids)
        self.checks = 0
        self.deleted: list[Any] = []

    async def find_one(self, filter_: Any, fields: Any) -> dict[str, Any] | None:
        assert filter_ == IS_LEGACY
        self.checks += 1
        return self.documents[0] if self.documents else None

    def find(self, filter_: Any, fields: Any) -> Found:
        return self.documents

    async def delete_many(self, filter_: Any) -> SimpleNamespace:
        ids = filter_["_id"]["$in"]
        self.deleted += ids
        return SimpleNamespace(deleted_count=len(ids))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(legacy_documents, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


async def test_whether_there_are_any_is_looked_up_every_ten_seconds_only(clock: SimpleNamespace) -> None:
    legacy, documents = LegacyDocuments(), Documents()
    for now, checks in ((100.0, 1), (105.0, 1), (110.0, 1), (110.1, 2), (115.0, 2)):
        clock.now = now
        assert await legacy.remove(documents, ["a"]) == 0
        assert documents.checks == checks
    legacy.check_now()
    documents.documents.append({"_id": FIRST})
    assert await legacy.remove(documents, ["a"]) == 1
    assert documents.checks == 3


async def test_the_documents_that_lookalike_has_written_stay(clock: SimpleNamespace) -> None:
    documents = Documents(FIRST, "a", SECOND)
    assert await LegacyDocuments().remove(documents, ["a"]) == 2
    assert documents.deleted == [FIRST, SECOND]
    documents = Documents("a")
    assert await LegacyDocuments().remove(documents, ["a"]) == 0
    assert documents.deleted == []


def test_a_key_is_the_id_of_a_legacy_document_or_its_object_id() -> None:
    by_id = {"id": {"$in": ["7", 7]}, "category_source": None}
    assert legacy_filter(["7"]) == by_id
    bare = {"_id": {"$in": [FIRST]}, "id": None, "category_source": None}
    assert legacy_filter([str(FIRST)])["$or"][1] == bare


@pytest.mark.parametrize(
    ("written_at", "abandoned"),
    [
        (datetime.now(UTC) - timedelta(hours=25), True),
        (datetime.now(UTC) - timedelta(hours=23), False),
        (datetime.now(UTC), False),
        (None, True),
        ("yesterday", True),
    ],
)
def test_a_marker_is_abandoned_after_a_day(written_at: object, abandoned: bool) -> None:
    marker = {"_id": "~sync/1", "written_at": written_at}
    assert is_marker(marker)
    assert is_abandoned(marker) is abandoned


def test_a_product_is_no_marker() -> None:
    assert not is_marker({"_id": "a"}) and not is_marker({"_id": FIRST})
