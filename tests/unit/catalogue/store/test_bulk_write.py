"""Which errors of a bulk write are those of a document, and which those of the server."""

from typing import Any

import bson
import pytest
from pymongo.errors import BulkWriteError, OperationFailure

from services.catalogue.store.mongo.bulk_write import upsert

DOCUMENTS = {"a": {"_id": "a", "title": "A"}, "b": {"_id": "b", "title": "B"}}


class Failing:
    """A collection whose bulk writes fail."""

    def __init__(self, **details: Any) -> None:
        self.details = details

    async def bulk_write(self, operations: list[Any], *, ordered: bool) -> None:
        raise BulkWriteError(self.details)


def error(code: int) -> dict[str, Any]:
    return {"index": 1, "code": code, "errmsg": "why"}


@pytest.mark.parametrize("code", [2, 8, 121, 10334])
async def test_a_document_that_the_server_refuses_does_not_prevent_the_others(code: int) -> None:
    report = await upsert(Failing(writeErrors=[error(code)]), DOCUMENTS)
    assert report.written == 1
    assert [(refused.key, refused.reason) for refused in report.failures] == [("b", "the database refused it: why")]


@pytest.mark.parametrize("code", [14031, 112, 10107, 11600, 13, 50, 133, 82, 13388])
async def test_a_server_that_can_write_no_document_is_an_error_of_the_database(code: int) -> None:
    with pytest.raises(OperationFailure) as raised:
        await upsert(Failing(writeErrors=[error(2), error(code)]), DOCUMENTS)
    assert raised.value.code == code


async def test_a_write_that_a_replica_set_did_not_confirm_is_an_error_of_the_database() -> None:
    with pytest.raises(OperationFailure) as raised:
        await upsert(
            Failing(writeConcernErrors=[{"code": 64, "errmsg": "waiting for replication timed out"}]), DOCUMENTS
        )
    assert raised.value.code == 64


class Recording:
    """A collection that takes everything."""

    def __init__(self) -> None:
        self.operations: list[Any] = []

    async def bulk_write(self, operations: list[Any], *, ordered: bool) -> None:
        assert not ordered
        self.operations += operations


@pytest.mark.parametrize("probably_new", [False, True])
async def test_a_document_has_at_most_fifteen_million_bytes(probably_new: bool) -> None:
    def document(size: int) -> dict[str, Any]:
        fields = {"_id": "a", "data": b""} if probably_new else {"data": b""}
        return {"_id": "a", "data": bytes(size - len(bson.encode(fields)))}

    collection = Recording()
    documents = {"fits": document(15_000_000), "large": document(15_000_001)}
    report = await upsert(collection, documents, probably_new=probably_new)
    assert (report.written, len(collection.operations)) == (1, 1)
    reason = "it cannot be stored: it has 15,000,001 bytes, at most 15,000,000 are taken"
    assert [(refused.key, refused.reason) for refused in report.failures] == [("large", reason)]


async def test_nothing_is_sent_without_documents() -> None:
    collection = Recording()
    assert (await upsert(collection, {})).written == 0
    assert collection.operations == []


async def test_a_bulk_write_without_details_has_no_failures() -> None:
    assert (await upsert(Failing(), DOCUMENTS)).written == 2
