"""MongoDB's error codes, by the names that the server gives them, and what the store takes them for."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from pymongo.errors import BulkWriteError, OperationFailure

from services.catalogue.store.mongo.bulk_write import insert_new, upsert
from services.catalogue.store.mongo.errors import HistoryLost, NoChangeStreams, database_call, translated
from services.contracts.domain.errors import CatalogueUnavailable

CREDENTIALS = {"Unauthorized": 13, "AuthenticationFailed": 18}
UNREACHABLE = {"HostUnreachable": 6, "HostNotFound": 7, "FailedToSatisfyReadPreference": 133}
OF_THE_SERVER = {
    **CREDENTIALS,
    **UNREACHABLE,
    "InternalError": 1,
    "LockTimeout": 24,
    "FileStreamFailed": 39,
    "MaxTimeMSExpired": 50,
    "WriteConcernFailed": 64,
    "NetworkTimeout": 89,
    "ShutdownInProgress": 91,
    "UnsatisfiableWriteConcern": 100,
    "WriteConflict": 112,
    "PrimarySteppedDown": 189,
    "NetworkInterfaceExceededTimeLimit": 202,
    "ExceededTimeLimit": 262,
    "SocketException": 9001,
    "NotWritablePrimary": 10107,
    "InterruptedAtShutdown": 11600,
    "Interrupted": 11601,
    "InterruptedDueToReplStateChange": 11602,
    "NotPrimaryNoSecondaryOk": 13435,
    "NotPrimaryOrSecondary": 13436,
    "OutOfDiskSpace": 14031,
    "StaleShardVersion": 63,
    "ShardNotFound": 70,
    "NoProgressMade": 82,
    "StaleEpoch": 150,
    "StaleDbVersion": 249,
    "StaleConfig": 13388,
}
HISTORY_LOST = {
    "ChangeStreamHistoryLost": 286,
    "ChangeStreamFatalError": 280,
    "InvalidResumeToken": 260,
    "CappedPositionLost": 136,
}


class Failing:
    """A collection whose bulk writes fail with one code."""

    def __init__(self, code: int, **details: Any) -> None:
        self._details = {"writeErrors": [{"index": 0, "code": code, "errmsg": "why", **details}]}

    async def bulk_write(self, operations: list[Any], *, ordered: bool) -> None:
        raise BulkWriteError(self._details)

    async def insert_many(self, documents: list[Any], *, ordered: bool) -> None:
        raise BulkWriteError(self._details)


@pytest.mark.parametrize("code", OF_THE_SERVER.values(), ids=OF_THE_SERVER)
async def test_an_error_of_the_server_is_not_taken_for_one_of_a_document(code: int) -> None:
    with pytest.raises(OperationFailure) as raised:
        await upsert(Failing(code), {"a": {"_id": "a"}})
    assert raised.value.code == code
    with pytest.raises(OperationFailure):
        await insert_new(Failing(code), [{"_id": "a"}])


async def test_an_insert_says_which_documents_were_there_already_and_which_were_refused() -> None:
    report = await insert_new(Failing(11000), [{"_id": "a"}])
    assert (report.duplicates, report.failures) == (frozenset({0}), {})
    report = await insert_new(Failing(121), [{"_id": "a"}])
    assert (report.duplicates, report.failures) == (frozenset(), {0: "the database refused it: why"})


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (CREDENTIALS, "the catalogue's database refuses the user or the password of MONGO_URL"),
        (UNREACHABLE, "the catalogue's database cannot be reached"),
        ({"MaxTimeMSExpired": 50}, "the catalogue's database did not respond in time"),
        ({"DocumentValidationFailure": 121}, "the catalogue's database refused the operation (error 121)"),
    ],
)
def test_a_code_is_a_sentence(codes: Mapping[str, int], expected: str) -> None:
    for code in codes.values():
        with pytest.raises(CatalogueUnavailable) as caught, translated("db:1"):
            raise OperationFailure("s3cret", code)
        assert caught.value.detail == expected


@pytest.mark.parametrize(
    ("codes", "expected"),
    [(HISTORY_LOST, HistoryLost), ({"not a replica set": 40573, "unknown stage": 40324}, NoChangeStreams)],
)
def test_a_code_of_a_change_stream_says_that_it_cannot_go_on(
    codes: Mapping[str, int], expected: type[Exception]
) -> None:
    for code in codes.values():
        with pytest.raises(expected), translated("db:1"):
            raise OperationFailure("s3cret", code)


async def test_a_call_that_reaches_its_deadline_says_so() -> None:
    with pytest.raises(CatalogueUnavailable, match="did not respond in time") as caught:
        async with database_call("db:1", 0.0):
            await asyncio.Event().wait()
    assert caught.value.inside == {"database": "db:1"}
