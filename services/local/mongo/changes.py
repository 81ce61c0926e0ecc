"""nx-27017's change streams with less work and without unnoticed gaps.

nx-27017 searches every value of an event for object ids, although only `_id` can be one, and prunes its log after each
request: 0.07 ms of processor time per product, here 0.03 ms. It resumes after a token even if later events have been
pruned, and after a clean stop it logs nothing until a stream is open again. MongoDB reports that the history is lost,
and always writes its log. A request for events does not wait for one; here it does, as in MongoDB.
"""

import threading
from datetime import UTC, datetime
from typing import Any

import bson
import orjson
from bson.objectid import ObjectId
from bson.raw_bson import RawBSONDocument
from nx_27017.changestream import ChangeStreamCursor, ChangeStreamManager, _wire_rowid, _wire_token

MIN_LOG_EVENTS = 20_000  # about 40 MB; events that an open stream has not read yet are kept as well
PRUNE_INTERVAL = 5_000  # events read by all streams


LOG = "FROM _neosqlite_changestream WHERE collection_name = ?"
LOST = "resume of the change stream was not possible: the history after the token is lost"


class ResumeHistoryLost(Exception):
    """Events after a token have been pruned, or the token does not belong to this log."""

    def __init__(self) -> None:
        super().__init__(LOST)


class ChangeStreams(ChangeStreamManager):  # type: ignore[misc]
    """The change streams of every connection."""

    def __init__(self) -> None:
        super().__init__()
        self._pruned_at: dict[tuple[str, str], int] = {}  # the last event that all streams had read
        self._command_ended = threading.Condition()
        self._is_closing = False

    def create_stream(self, collection_name: str, pipeline: list[dict[str, Any]], **options: Any) -> ChangeStreamCursor:
        """Open a stream.

        Raises:
            ResumeHistoryLost: it cannot resume after its token.
        """
        stream = super().create_stream(collection_name, pipeline, **options)
        token = stream.start_after if stream.resume_after is None else stream.resume_after
        if token is not None and not self._can_resume(stream, _wire_rowid(token)):
            self.close_stream(stream._id)
            raise ResumeHistoryLost
        return stream

    def invalidate(self, db_name: str | None = None) -> None:
        """Discard the streams of a dropped database. Without a name (the server stops) the log continues."""
        if db_name is not None:
            super().invalidate(db_name)

    def changes(self, stream: ChangeStreamCursor) -> int | None:
        """Return a number that every write to the stream's database changes; None if the database is dropped."""
        tracker = self._trackers.get((stream.db_name, stream.collection_name))
        return None if tracker is None else int(tracker["collection"].db.total_changes)

    def wait(self, stream: ChangeStreamCursor, known: int | None, timeout_s: float) -> bool:
        """Wait for a write to the stream's database. Return whether there was one before the timeout.

        Args:
            stream: an open stream.
            seen: `changes` before the stream's events were read.
            timeout_s: the longest time to wait, in seconds.
        """
        with self._command_ended:
            has_ended = self._command_ended.wait_for(
                lambda: self._is_closing or stream._closed or self.changes(stream) != known, timeout_s
            )
        return has_ended and not self._is_closing

    def end_command(self) -> None:
        """Let waiting requests look for writes."""
        with self._command_ended:
            self._command_ended.notify_all()

    def end_waiting(self) -> None:
        """End all requests that wait, because the server stops."""
        with self._command_ended:
            self._is_closing = True
            self._command_ended.notify_all()

    def pull_stream(
        self, stream: ChangeStreamCursor, batch_size: int = 101
    ) -> tuple[list[RawBSONDocument], dict[str, Any]]:
        """Return the next events as BSON, and the token after them."""
        dates = self._dates(stream, batch_size)
        events, token = super().pull_stream(stream, batch_size)
        now = datetime.now(UTC)  # for events written since `dates` were read
        for event in events:
            event["clusterTime"] = event["wallTime"] = dates.get(event["_id"]["_data"], now)
        return [RawBSONDocument(bson.encode(event)) for event in events], token

    def _translate_row(self, stream: ChangeStreamCursor, rowid: int, row: Any) -> dict[str, Any]:
        _, operation, number, data, stored_id = row[:5]
        key = number if stored_id is None else _key(stored_id)
        document = orjson.loads(data) if data and stream.full_document != "off" else None
        if document is not None:
            document.setdefault("_id", key)
        return {
            "_id": _wire_token(rowid),
            "operationType": operation,
            "fullDocument": document,
            "ns": {"db": stream.db_name, "coll": stream.collection_name},
            "documentKey": {"_id": key},
            "updateDescription": None,
        }

    def _dates(self, stream: ChangeStreamCursor, count: int) -> dict[str, datetime]:
        """Return the time of the next events, to the second, by token; a follower measures its lag with it."""
        tracker = self._trackers.get((stream.db_name, stream.collection_name))
        if tracker is None:
            return {}
        rows = tracker["collection"].db.execute(
            f"SELECT id, timestamp {LOG} AND id > ? ORDER BY id LIMIT ?",
            (stream.collection_name, stream._watermark, count),
        )
        return {_wire_token(rowid)["_data"]: datetime.fromisoformat(f"{moment}+00:00") for rowid, moment in rows}

    def _can_resume(self, stream: ChangeStreamCursor, after: int | None) -> bool:
        """Whether all events after this one are in the log. Older events are pruned first, and never all of them."""
        tracker = self._trackers.get((stream.db_name, stream.collection_name))
        if after is None or tracker is None:
            return after is not None
        execute, name = tracker["collection"].db.execute, stream.collection_name
        if after > 0:
            return execute(f"SELECT 1 {LOG} AND id = ?", (name, after)).fetchone() is not None
        return execute(f"SELECT 1 {LOG} LIMIT 1 OFFSET ?", (name, MIN_LOG_EVENTS - 1)).fetchone() is None

    def _prune(self, db_name: str, collection_name: str) -> None:
        namespace = (db_name, collection_name)
        with self._lock:
            tracker = self._trackers.get(namespace)
            streams = [
                stream for stream in self._streams.values() if (stream.db_name, stream.collection_name) == namespace
            ]
        read = min((stream._watermark for stream in streams), default=0)
        if tracker is None or read < self._pruned_at.get(namespace, 0) + PRUNE_INTERVAL:
            return
        self._pruned_at[namespace] = read
        oldest = f"(SELECT id {LOG} ORDER BY id DESC LIMIT 1 OFFSET ?)"
        tracker["collection"].db.execute(
            f"DELETE {LOG} AND id < ? AND id < {oldest}", (collection_name, read, collection_name, MIN_LOG_EVENTS - 1)
        )


def _key(stored: str) -> str | ObjectId:
    """Return the `_id` of a change log entry, where an object id is text."""
    return ObjectId(stored) if ObjectId.is_valid(stored) else stored
