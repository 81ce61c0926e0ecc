"""The errors of the database's driver as the project's own, without the credentials of `MONGO_URL`."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from pymongo import errors as driver

from services.contracts.domain.errors import CatalogueUnavailable

# The server's error codes: AuthenticationFailed and Unauthorized.
CREDENTIAL_CODES = frozenset({13, 18})
# ChangeStreamHistoryLost, ChangeStreamFatalError, InvalidResumeToken, CappedPositionLost: a token is of no use any
# more.
HISTORY_LOST_CODES = frozenset({286, 280, 260, 136})
# "The $changeStream stage is only supported on replica sets", and the error of servers that do not know the stage.
NO_STREAM_CODES = frozenset({40573, 40324})
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
            raise CatalogueUnavailable(_slowness(address)) from None


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
        raise CatalogueUnavailable(_refusal(address, error)) from None
    except driver.PyMongoError as error:
        raise CatalogueUnavailable(_absence(address, error)) from None


def _slowness(address: str) -> str:
    return f"the catalogue's database at {address} did not respond in time"


def _refusal(address: str, error: driver.OperationFailure) -> str:
    if error.code in CREDENTIAL_CODES:
        return f"the catalogue's database at {address} refuses the user or the password of MONGO_URL"
    if error.timeout:
        return _slowness(address)
    return f"the catalogue's database at {address} refused the operation (error {error.code})"


def _absence(address: str, error: driver.PyMongoError) -> str:
    if isinstance(error, driver.NetworkTimeout):
        return _slowness(address)
    if isinstance(error, driver.ConnectionFailure):
        return f"the catalogue's database at {address} cannot be reached"
    return f"the catalogue's database at {address} failed ({type(error).__name__})"
