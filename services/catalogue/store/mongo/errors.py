"""The errors of the database's driver as the project's own, without the credentials of `MONGO_URL`."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from pymongo import errors as driver

from services.contracts.domain.errors import CatalogueUnavailable

OUT_OF_DISK_SPACE = 14031
# The server's error codes: AuthenticationFailed and Unauthorized.
CREDENTIAL_CODES = frozenset({13, 18})
# Those of a router that does not reach a shard: HostUnreachable, HostNotFound, FailedToSatisfyReadPreference.
UNREACHABLE_CODES = frozenset({6, 7, 133})
# Codes that say nothing of the document that was to be written: InternalError, LockTimeout, FileStreamFailed,
# MaxTimeMSExpired, WriteConcernFailed, NetworkTimeout, ShutdownInProgress, UnsatisfiableWriteConcern, WriteConflict,
# PrimarySteppedDown, NetworkInterfaceExceededTimeLimit, ExceededTimeLimit, SocketException; NotWritablePrimary,
# InterruptedAtShutdown, Interrupted, InterruptedDueToReplStateChange, NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary,
# OutOfDiskSpace; of a router of a sharded cluster: StaleShardVersion, ShardNotFound, NoProgressMade, StaleEpoch,
# StaleDbVersion, StaleConfig.
SERVER_CODES = (
    CREDENTIAL_CODES
    | UNREACHABLE_CODES
    | {
        *(1, 24, 39, 50, 64, 89, 91, 100, 112, 189, 202, 262, 9001),
        *(10107, 11600, 11601, 11602, 13435, 13436, OUT_OF_DISK_SPACE),
        *(63, 70, 82, 150, 249, 13388),
    }
)
# ChangeStreamHistoryLost, ChangeStreamFatalError, InvalidResumeToken, CappedPositionLost: a token is of no use any
# more.
HISTORY_LOST_CODES = frozenset({286, 280, 260, 136})
# "The $changeStream stage is only supported on replica sets", and the error of servers that do not know the stage.
NO_STREAM_CODES = frozenset({40573, 40324})
SLOW = "the catalogue's database did not respond in time"
UNREACHABLE = "the catalogue's database cannot be reached"
NO_STREAM = "the database has no change streams: they need a replica set (one member is enough)"


class NoChangeStreams(Exception):
    """The database has no change streams. The text says what they need."""


class HistoryLost(Exception):
    """The change stream cannot be resumed: the documents have to be read again."""


def shown_address(url: str) -> str:
    """Return the hosts of a MongoDB URL, without the user, the password and the options."""
    return url.rpartition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2] or "(no address)"


@asynccontextmanager
async def database_call(address: str, timeout_s: float) -> AsyncIterator[None]:
    """Give the block a deadline in seconds, and translate the driver's errors.

    Raises:
        CatalogueUnavailable: the database is unavailable, too slow, or refuses the operation.
        HistoryLost: a change stream cannot be resumed.
        NoChangeStreams: the database has no change streams.
    """
    with translated(address):
        try:
            async with asyncio.timeout(timeout_s):
                yield
        except TimeoutError:
            raise CatalogueUnavailable(SLOW, address) from None


@contextmanager
def translated(address: str) -> Iterator[None]:
    """Translate the driver's errors, as `database_call` does."""
    try:
        yield
    except driver.OperationFailure as error:
        if error.code in HISTORY_LOST_CODES:
            raise HistoryLost(f"the database has lost the history of changes (error {error.code})") from None
        if error.code in NO_STREAM_CODES:
            raise NoChangeStreams(NO_STREAM) from None
        raise CatalogueUnavailable(_refusal(error), address) from None
    except driver.PyMongoError as error:
        raise CatalogueUnavailable(_absence(error), address) from None


def _refusal(error: driver.OperationFailure) -> str:
    if error.code in CREDENTIAL_CODES:
        return "the catalogue's database refuses the user or the password of MONGO_URL"
    if error.code in UNREACHABLE_CODES:
        return UNREACHABLE
    if error.timeout:
        return SLOW
    if error.code == OUT_OF_DISK_SPACE:
        return "the disk of the catalogue's database is full"
    return "the catalogue's database refused the operation" + ("" if error.code is None else f" (error {error.code})")


def _absence(error: driver.PyMongoError) -> str:
    if isinstance(error, driver.NetworkTimeout):
        return SLOW
    if isinstance(error, driver.ConnectionFailure):
        return UNREACHABLE
    return f"the catalogue's database failed ({type(error).__name__})"
