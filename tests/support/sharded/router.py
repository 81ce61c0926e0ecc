"""The router: commands go to the shards that own their documents, and the answers are merged."""

import itertools
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nx_27017.changestream import _wire_rowid
from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from tests.support.sharded.chunks import Chunks, chunk_of
from tests.support.sharded.greeting import hello
from tests.support.sharded.merging import in_order, merged_groups
from tests.support.sharded.streams import MergedStream, places_of

Document = dict[str, Any]
Client = MongoClient[Document]
UNREACHABLE = {"code": 133, "codeName": "FailedToSatisfyReadPreference", "errmsg": "Could not find host matching read"}
NO_SHARD_KEY = 61
UNKNOWN_CURSOR = 43
FIRST_BATCH = 101
OF_THE_CLIENT = frozenset({"lsid", "txnNumber", "$clusterTime", "$db", "$readPreference", "apiVersion"})
LISTS = {"insert": "documents", "update": "updates", "delete": "deletes"}
TO_ALL = frozenset({"create", "createIndexes", "collMod", "drop", "dropDatabase", "dropIndexes"})
REACH_MS = 500
PART = 400  # ids in a filter


class Router:
    """Handles the messages of all connections, in the place of `NeoSQLiteHandler`; any thread may call it."""

    def __init__(self, urls: Sequence[str], sharded: Collection[str], noop_s: float) -> None:
        """Set what to route.

        Args:
            urls: of the shards; the first one has the collections that are not sharded.
            sharded: names of collections with the shard key `{_id: "hashed"}`.
            noop_s: as in `MergedStream`.
        """
        options: dict[str, Any] = {"directConnection": True, "retryWrites": False, "serverSelectionTimeoutMS": REACH_MS}
        self._clients: list[Client] = [MongoClient(url, **options) for url in urls]
        self._chunks = Chunks(len(urls))
        self._sharded = frozenset(sharded)
        self._noop_s = noop_s
        self._routing = threading.RLock()  # no command runs while a chunk moves
        self._seen: set[tuple[str, str]] = set()
        self._moves: list[tuple[int, str, int, int]] = []  # shard, namespace, and the entries of its log
        self._cursors: dict[int, tuple[str, deque[Document]]] = {}
        self._streams: dict[int, MergedStream] = {}
        self._numbers = itertools.count(1)

    def increment_connections(self) -> None:
        """Count nothing."""

    def decrement_connections(self) -> None:
        """Count nothing."""

    def close_streams_for_connection(self, connection: str) -> None:
        """Leave the streams open: a driver may continue them over another connection."""

    def handle_query(self, message: Mapping[str, Any]) -> tuple[int, list[Document]]:
        """Answer a message of the older kind, which drivers greet with."""
        return message["request_id"], [hello()]

    def handle_insert(self, message: Mapping[str, Any]) -> tuple[int, Document]:
        """Answer an insert."""
        return self.handle_command(message)

    def handle_command(self, message: Mapping[str, Any]) -> tuple[int, Document]:
        """Answer a command; an error of a shard is the router's, with its code."""
        command: Document = {}
        for _, section in message["sections"]:
            command |= section
        try:
            return message["request_id"], self._answer(command)
        except OperationFailure as error:
            return message["request_id"], {"ok": 0, "code": error.code or 8000, "errmsg": str(error)}
        except PyMongoError:
            return message["request_id"], {"ok": 0, **UNREACHABLE}

    def _answer(self, command: Document) -> Document:
        name = next(iter(command))
        if name.lower() in ("hello", "ismaster"):
            return hello()
        if name in ("ping", "endSessions"):
            return {"ok": 1}
        if name == "getMore" and command["getMore"] in self._streams:
            return self._next_events(command)
        with self._routing:
            return self._routed(name, command)

    def _routed(self, name: str, command: Document) -> Document:
        database = command["$db"]
        asked = {key: value for key, value in command.items() if key not in OF_THE_CLIENT}
        ways: dict[str, Callable[[], Document]] = {
            **dict.fromkeys(LISTS, lambda: self._write(name, database, asked)),
            "find": lambda: self._find(database, asked),
            "aggregate": lambda: self._aggregate(database, asked),
            "count": lambda: {"ok": 1, "n": sum(each["n"] for each in self._from_all(database, asked, asked["count"]))},
            "findAndModify": lambda: self._send(self._targets(asked[name], asked["query"])[0], database, asked),
            "getMore": lambda: self._more(command["getMore"], command.get("batchSize"), "nextBatch"),
            "killCursors": lambda: self._kill(command["cursors"]),
            **dict.fromkeys(TO_ALL, lambda: self._to_all(database, asked)),
        }
        return ways.get(name, lambda: self._send(0, database, asked))()

    def _send(self, shard: int, database: str, command: Document) -> Document:
        return dict(self._clients[shard][database].command(command))

    def _targets(self, collection: str, condition: Mapping[str, Any]) -> list[int]:
        return self._chunks.targets(condition) if collection in self._sharded else [0]

    def _from_all(self, database: str, command: Document, collection: str) -> list[Document]:
        return [self._send(shard, database, command) for shard in self._targets(collection, {})]

    def _to_all(self, database: str, command: Document) -> Document:
        """Send a command to every shard; a shard without the collection refuses some of them."""
        answers: list[Document] = []
        for shard in range(len(self._clients)):
            try:
                answers.append(self._send(shard, database, command))
            except OperationFailure as error:
                refusal = error
        if not answers:
            raise refusal
        return answers[0]

    def _write(self, name: str, database: str, command: Document) -> Document:
        """Send each statement to the shards of its documents, and put the answers together."""
        collection, statements = command[name], command[LISTS[name]]
        self._seen.add((database, collection))
        result: Document = {"ok": 1, "n": 0, "nModified": 0, "upserted": [], "writeErrors": []}
        for group in (
            [[pair] for pair in enumerate(statements)] if command.get("ordered", True) else [[*enumerate(statements)]]
        ):
            for shard, own in self._by_shard(name, collection, group, result).items():
                part = {**command, LISTS[name]: [statement for _, statement in own]}
                numbers = [number for number, _ in own]
                try:
                    _add(result, self._send(shard, database, part), numbers)
                except ConnectionFailure:
                    result["writeErrors"] += [{"index": number, **UNREACHABLE} for number in numbers]
            if result["writeErrors"] and command.get("ordered", True):
                break
        return {key: value for key, value in result.items() if value != []}

    def _by_shard(
        self, name: str, collection: str, statements: Iterable[tuple[int, Document]], result: Document
    ) -> dict[int, list[tuple[int, Document]]]:
        by_shard: dict[int, list[tuple[int, Document]]] = {}
        for number, statement in statements:
            condition = {"_id": statement["_id"]} if name == "insert" else statement["q"]
            targets = self._targets(collection, condition)
            is_single = statement.get("upsert") or statement.get("limit") == 1
            is_single = is_single or (name == "update" and not statement.get("multi"))
            if is_single and len(targets) != 1:
                text = "the filter of a write of one document must have the shard key"
                result["writeErrors"].append({"index": number, "code": NO_SHARD_KEY, "errmsg": text})
                continue
            for shard in targets:
                by_shard.setdefault(shard, []).append((number, statement))
        return by_shard

    def _find(self, database: str, command: Document) -> Document:
        """Read all documents at once: a move of a chunk during the scan changes nothing of what it returns."""
        collection, skip, limit = command["find"], command.get("skip", 0), command.get("limit", 0)
        condition, order = command.get("filter", {}), list(command.get("sort", {}).items())
        documents: list[Document] = []
        for shard in self._targets(collection, condition):
            cursor = self._clients[shard][database][collection].find(condition, command.get("projection"))
            documents += cursor.sort(order) if order else cursor
        documents = in_order(documents, order)[skip : skip + limit if limit else None]
        number = self._keep(f"{database}.{collection}", documents)
        first = command.get("batchSize", FIRST_BATCH)
        return self._more(number, limit or first if command.get("singleBatch") else first, "firstBatch")

    def _keep(self, namespace: str, documents: Iterable[Document]) -> int:
        number = next(self._numbers)
        self._cursors[number] = (namespace, deque(documents))
        return number

    def _more(self, number: int, size: int | None, name: str) -> Document:
        if number not in self._cursors:
            raise OperationFailure("there is no such cursor", UNKNOWN_CURSOR)
        namespace, documents = self._cursors[number]
        count = len(documents) if size is None else min(size, len(documents))
        batch = [documents.popleft() for _ in range(count)]
        if not documents:
            del self._cursors[number]
        return {"ok": 1, "cursor": {"id": number if documents else 0, "ns": namespace, name: batch}}

    def _kill(self, numbers: Iterable[int]) -> Document:
        for number in numbers:
            self._cursors.pop(number, None)
            if (stream := self._streams.pop(number, None)) is not None:
                stream.close()
        return {"ok": 1}

    def _aggregate(self, database: str, command: Document) -> Document:
        collection, stages = command["aggregate"], command["pipeline"]
        if stages and "$changeStream" in stages[0]:
            return self._watch(database, collection, stages[0]["$changeStream"])
        shards = self._targets(collection, {})
        parts = [list(self._clients[shard][database][collection].aggregate(stages)) for shard in shards]
        documents = parts[0] if len(parts) == 1 else merged_groups(stages, parts)
        return self._more(self._keep(f"{database}.{collection}", documents), None, "firstBatch")

    def _watch(self, database: str, collection: str, options: Mapping[str, Any]) -> Document:
        after = options.get("startAfter") or options.get("resumeAfter")
        shards = self._targets(collection, {})
        places = [None] * len(shards) if after is None else places_of(after)
        streams = [
            self._clients[shard][database][collection].watch(
                full_document=options.get("fullDocument"), start_after=place, max_await_time_ms=10, batch_size=1000
            )
            for shard, place in zip(shards, places, strict=True)
        ]
        stream = MergedStream(streams, _MovesOf(self, f"{database}.{collection}"), self._noop_s)
        number = next(self._numbers)
        self._streams[number] = stream
        cursor = {
            "id": number,
            "ns": f"{database}.{collection}",
            "firstBatch": [],
            "postBatchResumeToken": stream.token,
        }
        return {"ok": 1, "cursor": cursor}

    def _next_events(self, command: Document) -> Document:
        number = command["getMore"]
        stream = self._streams[number]
        try:
            events = stream.next_batch(command.get("maxTimeMS", 0) / 1000)
        except PyMongoError:
            self._streams.pop(number, None)
            stream.close()
            raise
        namespace = f"{command['$db']}.{command['collection']}"
        cursor = {"id": number, "ns": namespace, "nextBatch": events, "postBatchResumeToken": stream.token}
        return {"ok": 1, "cursor": cursor}

    def report(self, noop_s: float) -> None:
        """Change how often a shard without writes reports, also for open streams."""
        self._noop_s = noop_s
        for stream in self._streams.values():
            stream.noop_s = noop_s

    def move(self, chunk: int, to: int) -> int:
        """Move the documents of a chunk to another shard, without events in streams; return how many there were."""
        moved = 0
        with self._routing:
            origin, self._chunks.owners[chunk] = self._chunks.owners[chunk], to
            for database, collection in sorted(self._seen):
                if collection in self._sharded and origin != to:
                    moved += self._move(database, collection, chunk, (origin, to))
        return moved

    def _move(self, database: str, collection: str, chunk: int, shards: tuple[int, int]) -> int:
        here, there = (self._clients[shard][database][collection] for shard in shards)
        documents = [document for document in here.find({}) if chunk_of(document["_id"]) == chunk]
        before = [_place(here), _place(there)]
        ids = [document["_id"] for document in documents]
        if documents:
            there.insert_many(documents)
        for begin in range(0, len(ids), PART):
            here.delete_many({"_id": {"$in": ids[begin : begin + PART]}})
        for shard, begin, end in zip(shards, before, [_place(here), _place(there)], strict=True):
            self._moves.append((shard, f"{database}.{collection}", begin, end))
        return len(documents)

    def moves_of(self, shard: int, namespace: str) -> list[tuple[int, int, int]]:
        """Return the moves of a shard's documents: the number of each, and the entries before and at its end."""
        with self._routing:  # a move in progress ends first
            numbered = list(enumerate(self._moves, start=1))
        return [
            (number, begin, end)
            for number, (where, name, begin, end) in numbered
            if (where, name) == (shard, namespace)
        ]

    def close(self) -> None:
        """Close the streams and the connections to the shards."""
        self._kill(list(self._streams))
        for client in self._clients:
            client.close()


@dataclass(frozen=True)
class _MovesOf:
    router: Router
    namespace: str

    def is_moved(self, shard: int, token: Mapping[str, Any]) -> bool:
        """Whether an event belongs to a move."""
        entry = _wire_rowid(token) or 0
        return any(begin < entry <= end for _, begin, end in self.router.moves_of(shard, self.namespace))

    def before(self, shard: int, token: Mapping[str, Any]) -> int:
        """Return the number of the last move that had ended before an event."""
        entry = _wire_rowid(token) or 0
        return max((number for number, _, end in self.router.moves_of(shard, self.namespace) if end < entry), default=0)


def _add(result: Document, part: Document, numbers: Sequence[int]) -> None:
    """Add the answer of a shard, whose statements have these numbers in the command."""
    result["n"] += part.get("n", 0)
    result["nModified"] += part.get("nModified", 0)
    for name in ("upserted", "writeErrors"):
        result[name] += [{**entry, "index": numbers[entry["index"]]} for entry in part.get(name, [])]


def _place(collection: Any) -> int:
    """Return the last entry of a shard's log."""
    with collection.watch() as stream:
        return _wire_rowid(stream.resume_token) or 0
