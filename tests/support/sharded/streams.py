"""The change streams of all shards as one, in the order of time, as a router of MongoDB merges them.

An event is held back until every shard has reached its time. A shard without writes reaches a time only when it writes
a no-op into its log, once in `noop_s` seconds. A token holds the place in the log of each shard.

The log of a shard has no times: an event has the time of the round in which it was read. Of one round, events before
and after the move of a chunk to another shard are put in order by the last move before them.
"""

import json
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from bson.timestamp import Timestamp
from pymongo.change_stream import CollectionChangeStream
from pymongo.errors import OperationFailure

Event = dict[str, Any]
INVALID_TOKEN = 260
PAUSE_S = 0.02
AWAIT_MS = 10
MOST = 500  # events of a shard that are read at a time


def token_of(seconds: float, places: Sequence[Any]) -> dict[str, str]:
    """Return a token: the cluster time as in a token of MongoDB, and the tokens of the shards."""
    return {"_data": f"82{int(seconds):08X}00000001{json.dumps(places).encode().hex().upper()}"}


def places_of(token: Mapping[str, Any]) -> list[Any]:
    """Return the tokens of the shards.

    Raises:
        OperationFailure: it is no token of a router.
    """
    try:
        places: list[Any] = json.loads(bytes.fromhex(str(token["_data"])[18:]))
    except (KeyError, ValueError):
        raise OperationFailure("it is no resume token", INVALID_TOKEN) from None
    return places


class Moves(Protocol):
    """What a stream asks about the moves of chunks; an event is named by its shard and its token there."""

    def is_moved(self, shard: int, token: Mapping[str, Any]) -> bool:
        """Whether an event belongs to a move."""

    def before(self, shard: int, token: Mapping[str, Any]) -> int:
        """Return the number of the last move that had ended before an event; 0 if none had."""


class _Pending(NamedTuple):
    seconds: float  # Unix time of the round in which it was read, whole
    move: int  # the last one before it
    event: Event


@dataclass
class _Shard:
    stream: CollectionChangeStream[Event]
    place: Any  # its token after the last event that was returned
    horizon: float = 0.0  # Unix time up to which it has reported
    reached: float = 0.0  # the greatest horizon so far
    pending: deque[_Pending] = field(default_factory=deque)


class MergedStream:
    """One change stream of a router."""

    def __init__(self, streams: Sequence[CollectionChangeStream[Event]], moves: Moves, noop_s: float) -> None:
        """Take an open stream of each shard.

        Args:
            streams: by shard.
            moves: of chunks.
            noop_s: seconds between two no-ops of a shard without writes.
        """
        self._shards = [_Shard(stream, stream.resume_token) for stream in streams]
        self._moves = moves
        self.noop_s = noop_s

    @property
    def token(self) -> dict[str, str]:
        """The token after the last event that was returned."""
        return token_of(min(shard.reached for shard in self._shards), [shard.place for shard in self._shards])

    def next_batch(self, within_s: float) -> list[Event]:
        """Return the next events, or none after a time in seconds.

        Raises:
            PyMongoError: a shard does not answer.
        """
        until = time.monotonic() + within_s
        while not (events := self._read()) and time.monotonic() < until:
            time.sleep(PAUSE_S)
        return events

    def close(self) -> None:
        """Close the streams of the shards."""
        for shard in self._shards:
            shard.stream.close()

    def _read(self) -> list[Event]:
        asked_at = time.time()
        for number, shard in enumerate(self._shards):
            self._pull(number, shard, asked_at)
        horizon = min(shard.horizon for shard in self._shards)
        ready = [
            (pending.seconds, pending.move, number)
            for number, shard in enumerate(self._shards)
            for pending in shard.pending
            if pending.seconds <= horizon
        ]
        return [self._take(self._shards[number]) for _, _, number in sorted(ready)]

    def _pull(self, number: int, shard: _Shard, asked_at: float) -> None:
        """Read the events of a shard, and note the time that it has reached."""
        for _ in range(MOST):
            event = shard.stream.try_next()
            if event is None:
                self._report(shard, asked_at // self.noop_s * self.noop_s)
                if not shard.pending:
                    shard.place = shard.stream.resume_token
                return
            self._report(shard, float(int(asked_at)))
            if not self._moves.is_moved(number, event["_id"]):
                move = self._moves.before(number, event["_id"])
                shard.pending.append(_Pending(float(int(asked_at)), move, event))

    @staticmethod
    def _report(shard: _Shard, seconds: float) -> None:
        shard.horizon = seconds
        shard.reached = max(shard.reached, seconds)

    def _take(self, shard: _Shard) -> Event:
        seconds, _, event = shard.pending.popleft()
        shard.place = event["_id"]
        token = token_of(seconds, [each.place for each in self._shards])
        return {**event, "_id": token, "clusterTime": Timestamp(int(seconds), 1)}
