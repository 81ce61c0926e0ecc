"""The change streams of all shards as one, in the order of time, as a router of MongoDB merges them.

An event is held back until every shard has reached its time. A shard without writes reaches a time only when it writes
a no-op into its log, once in `noop_s` seconds. A token holds the place in the log of each shard.
"""

import json
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bson.timestamp import Timestamp
from pymongo.change_stream import CollectionChangeStream
from pymongo.errors import OperationFailure

Event = dict[str, Any]
IsMoved = Callable[[int, Mapping[str, Any]], bool]
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


@dataclass
class _Shard:
    stream: CollectionChangeStream[Event]
    place: Any  # its token after the last event that was returned
    horizon: float = 0.0  # Unix time up to which it has reported
    reached: float = 0.0  # the greatest horizon so far
    pending: deque[Event] = field(default_factory=deque)


class MergedStream:
    """One change stream of a router."""

    def __init__(self, streams: Sequence[CollectionChangeStream[Event]], is_moved: IsMoved, noop_s: float) -> None:
        """Take an open stream of each shard.

        Args:
            streams: by shard.
            is_moved: whether an event of a shard, with its token, belongs to the move of a chunk.
            noop_s: seconds between two no-ops of a shard without writes.
        """
        self._shards = [_Shard(stream, stream.resume_token) for stream in streams]
        self._is_moved = is_moved
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
        for number, shard in enumerate(self._shards):
            self._pull(number, shard)
        horizon = min(shard.horizon for shard in self._shards)
        ready = [
            (_seconds(event), number)
            for number, shard in enumerate(self._shards)
            for event in shard.pending
            if _seconds(event) <= horizon
        ]
        return [self._take(self._shards[number]) for _, number in sorted(ready)]

    def _pull(self, number: int, shard: _Shard) -> None:
        """Read the events of a shard, and note the time that it has reached."""
        for _ in range(MOST):
            asked_at = time.time()
            event = shard.stream.try_next()
            if event is None:
                self._report(shard, asked_at // self.noop_s * self.noop_s)
                if not shard.pending:
                    shard.place = shard.stream.resume_token
                return
            self._report(shard, _seconds(event))
            if not self._is_moved(number, event["_id"]):
                shard.pending.append(event)

    @staticmethod
    def _report(shard: _Shard, seconds: float) -> None:
        shard.horizon = seconds
        shard.reached = max(shard.reached, seconds)

    def _take(self, shard: _Shard) -> Event:
        event = shard.pending.popleft()
        shard.place = event["_id"]
        seconds = _seconds(event)
        token = token_of(seconds, [each.place for each in self._shards])
        return {**event, "_id": token, "clusterTime": Timestamp(int(seconds), 1)}


def _seconds(event: Event) -> float:
    moment = event["wallTime"]
    return float(int(moment.timestamp()))
