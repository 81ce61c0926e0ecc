"""One Milvus collection: the products of one model. The only module that imports Milvus's client.

A catalogue's category is a partition, named by the caller. A partition *key* is not used: in Milvus 2.3.5, an upsert
into a collection with one lost the row.
"""

import hashlib
import logging
import re
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import structlog

from services.catalogue.product import Float32Array
from services.contracts.domain import engines
from services.contracts.domain.errors import IndexNotReady, LookalikeError, UpstreamTimeout
from services.index.milvus.rows import MAX_CONTENT_BYTES, MAX_TOKENS

T = TypeVar("T")
log = structlog.get_logger()
SearchKind = Literal["flat", "hnsw", "diskann", "gpu"]
Consistency = Literal["bounded", "eventually", "session", "strong"]
INDEXES: dict[SearchKind, dict[str, Any]] = {
    "flat": {"index_type": "FLAT", "params": {}},
    "hnsw": {"index_type": "HNSW", "params": {"M": 32, "efConstruction": 360}},
    "diskann": {"index_type": "DISKANN", "params": {}},
    "gpu": {"index_type": "GPU_BRUTE_FORCE", "params": {}},
}
NEEDS: dict[SearchKind, str] = {
    "diskann": "queryNode.enableDisk in the configuration of Milvus, and a disk at its query and index nodes",
    "gpu": "the image of Milvus for GPUs, and a GPU at each of its query and index nodes",
}
POSITIONS = "lookalike_positions"
MAX_HITS = 16_384  # of a search or of one query
BATCH = 2000  # rows of a write: 64 MB is the most that Milvus takes, a row has at most 70 kB and mostly 1 kB
PAGE = 5000  # rows of a page of a scan
MAX_POSITION_BYTES = 65_535
REFUSED = (1, 1100, 65535)  # codes of errors that come from a server that responds
LATE = ("deadline", "timeout", "timed out")  # in the text of an error of a call that took too long
LOAD_TIMEOUT_S = 600.0


@dataclass(frozen=True)
class MilvusOptions:
    """How Milvus is reached and searched.

    Attributes:
        uri: such as `http://milvus:19530`.
        token: `user:password`, or an API key; empty for none.
        search: the kind of index.
        consistency: of searches.
        timeout_s: deadline of one call, in seconds.
        search_width: how many candidates an approximate search looks at, at least.
        replicas: how many times Milvus's query nodes hold each row in memory.
        ca_file: the certificates that Milvus's own is checked against, in PEM; empty for those of the system.
    """

    uri: str
    token: str = ""
    search: SearchKind = "flat"
    consistency: Consistency = "bounded"
    timeout_s: float = 10.0
    search_width: int = 256
    replicas: int = 1
    ca_file: str = ""

    @property
    def is_exact(self) -> bool:
        """Whether searches look at every vector."""
        return engines.is_exact(f"milvus {self.search}")


class MilvusRefused(IndexNotReady):
    """Milvus responds, and refuses a call."""


class RowHit(NamedTuple):
    """A row that a search returns."""

    distance: float
    fields: dict[str, Any]


class MilvusServer:
    """The connection to Milvus, which is opened when it is first used. It is thread-safe."""

    def __init__(self, options: MilvusOptions) -> None:
        self.options = options
        self._client: Any = None
        self._lock = threading.Lock()

    def call(self, work: Callable[[Any], T]) -> T:
        """Run work with the client.

        Raises:
            IndexNotReady: Milvus is unavailable, or refuses.
            UpstreamTimeout: it did not respond in time.
        """
        client = self._connected()
        with _errors():
            return work(client)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                client_class, options = _client_class(), self.options
                trusted = {"server_pem_path": options.ca_file} if options.ca_file else {}
                with _errors():
                    self._client = client_class(
                        uri=options.uri, token=options.token, timeout=options.timeout_s, **trusted
                    )
            return self._client


def _client_class() -> Any:
    try:
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # it logs every failed call with its stack
        from pymilvus import MilvusClient  # 1.5 s and 60 MB, which an index with FAISS does not need
    except ImportError:
        raise IndexNotReady(
            "INDEX_ENGINE=milvus needs the package pymilvus: install lookalike[milvus], or use the image index-milvus"
        ) from None
    return MilvusClient


@contextmanager
def _errors() -> Iterator[None]:
    """Turn Milvus's errors into the project's."""
    import grpc
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except (MilvusException, grpc.RpcError, ValueError, OSError) as error:
        text = re.sub(r"\s+", " ", str(getattr(error, "message", "") or error))[:300]
        raise _ours(error, text) from error


def _ours(error: Exception, text: str) -> LookalikeError:
    """Return the project's error for one of Milvus's."""
    if any(word in text.lower() for word in LATE):
        ours: LookalikeError = UpstreamTimeout("Milvus did not respond in time")
    elif getattr(error, "code", None) in REFUSED:
        log.warning("milvus_refused", reason=text)
        ours = MilvusRefused("Milvus refused a call: the index's log has its reason")
    else:
        ours = IndexNotReady("Milvus is unavailable")
    ours.inside = {"reason": text}
    return ours


class MilvusCollection:
    """The products of one model in Milvus."""

    def __init__(self, server: MilvusServer, database: str, model: str, dimension: int) -> None:
        """Set the collection's name; it is made by `open`.

        Args:
            server: the connection.
            database: of MongoDB, so that several installations may share a Milvus.
            model: such as `fashion/3`.
            dimension: numbers a vector.
        """
        self.server = server
        self.options = server.options
        self.name = _name("lookalike", database, model)
        self._database = database
        self._dimension = dimension
        self._lock = threading.Lock()

    def open(self, partitions: Collection[str]) -> None:
        """Make the collection, its index and these partitions where they do not exist, and load it.

        Raises:
            IndexNotReady, UpstreamTimeout: as `MilvusServer.call`, or Milvus lacks what the settings ask for.
        """
        try:
            with self._lock:
                self.server.call(lambda client: self._open(client, partitions))
        except MilvusRefused as error:
            raise self._lacking(error) from error

    def _lacking(self, error: MilvusRefused) -> LookalikeError:
        """Return an error that names the setting that Milvus may be unable to follow."""
        options = self.options
        needs = {f"INDEX_MILVUS_SEARCH={options.search}": NEEDS.get(options.search)}
        if options.replicas > 1:
            needs[f"INDEX_MILVUS_REPLICAS={options.replicas}"] = "as many query nodes with memory for all rows"
        texts = [f"{setting} needs {what}" for setting, what in needs.items() if what]
        if not texts:
            return error
        explained = IndexNotReady(f"Milvus refused to open the collection: {'; '.join(texts)} (the log has its reason)")
        explained.inside = error.inside
        return explained

    def _open(self, client: Any, partitions: Collection[str]) -> None:
        if not client.has_collection(self.name):
            client.create_collection(
                self.name, schema=self._schema(), index_params=self._index(client), consistency_level="Bounded"
            )
            log.info("milvus_collection_made", collection=self.name, search=self.options.search)
        elif self._index_type(client) != INDEXES[self.options.search]["index_type"]:
            client.release_collection(self.name)
            client.drop_index(self.name, "vector")
            client.create_index(self.name, self._index(client))
            log.info("milvus_index_replaced", collection=self.name, search=self.options.search)
        existing = set(client.list_partitions(self.name))
        for partition in partitions:
            if partition not in existing:
                client.create_partition(self.name, partition)
        self._load(client)

    def _load(self, client: Any) -> None:
        """Load the collection; it is released before if it is loaded with another number of replicas."""
        replicas = self.options.replicas
        if (
            client.get_load_state(self.name)["state"].name == "Loaded"
            and len(client.describe_replica(self.name)) != replicas
        ):
            client.release_collection(self.name)
        client.load_collection(self.name, timeout=LOAD_TIMEOUT_S, replica_number=replicas)

    def _schema(self) -> Any:
        from pymilvus import DataType, MilvusClient

        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("row", DataType.VARCHAR, is_primary=True, max_length=40)
        schema.add_field("product", DataType.VARCHAR, max_length=32)
        schema.add_field("version", DataType.VARCHAR, max_length=32)
        schema.add_field("category", DataType.INT64)
        schema.add_field("image", DataType.INT64)
        schema.add_field("legacy", DataType.BOOL)
        schema.add_field("tokens", DataType.ARRAY, element_type=DataType.INT64, max_capacity=MAX_TOKENS)
        schema.add_field("numbers", DataType.JSON)
        schema.add_field("content", DataType.VARCHAR, max_length=MAX_CONTENT_BYTES)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self._dimension)
        return schema

    def _index(self, client: Any) -> Any:
        params = client.prepare_index_params()
        params.add_index("vector", metric_type="IP", **INDEXES[self.options.search])
        return params

    def _index_type(self, client: Any) -> str | None:
        names = client.list_indexes(self.name)
        return client.describe_index(self.name, names[0])["index_type"] if names else None

    def write(self, rows: Sequence[dict[str, Any]], partition: str) -> None:
        """Add rows, or replace those of the same ids in any partition."""
        for begin in range(0, len(rows), BATCH):
            self.server.call(partial(self._upsert, rows=list(rows[begin : begin + BATCH]), partition=partition))

    def _upsert(self, client: Any, rows: list[dict[str, Any]], partition: str) -> None:
        client.upsert(self.name, rows, partition_name=partition, timeout=self.options.timeout_s)

    def delete(self, rows: Collection[str], partition: str) -> None:
        """Delete rows if they are there."""
        ids = list(rows)
        for begin in range(0, len(ids), BATCH):
            self.server.call(partial(self._delete, ids=ids[begin : begin + BATCH], partition=partition))

    def _delete(self, client: Any, ids: list[str], partition: str) -> None:
        client.delete(self.name, ids=ids, partition_name=partition, timeout=self.options.timeout_s)

    def search(
        self, partition: str, vector: Float32Array, limit: int, expression: str, timeout_s: float | None
    ) -> list[RowHit]:
        """Return the nearest rows of a partition, best first, with key, image, vector and content."""
        params = {} if self.options.is_exact else {"ef": max(self.options.search_width, limit)}
        if self.options.search == "diskann":
            params = {"search_list": max(self.options.search_width, limit)}
        hits = self.server.call(
            lambda client: client.search(
                self.name,
                data=[vector],
                anns_field="vector",
                filter=expression,
                limit=limit,
                search_params={"metric_type": "IP", "params": params},
                output_fields=["product", "image", "content", "vector"],
                partition_names=[partition],
                consistency_level=self.options.consistency.capitalize(),
                timeout=timeout_s or self.options.timeout_s,
            )
        )
        return [RowHit(float(hit["distance"]), hit["entity"]) for hit in hits[0]]

    def query(
        self,
        expression: str,
        fields: Sequence[str],
        partitions: Sequence[str],
        *,
        limit: int = MAX_HITS,
        timeout_s: float | None = None,
        strong: bool = False,
    ) -> list[dict[str, Any]]:
        """Return rows that meet an expression; `strong`: all changes that were written before count."""
        rows = self.server.call(
            lambda client: client.query(
                self.name,
                filter=expression,
                output_fields=list(fields),
                partition_names=list(partitions),
                limit=limit,
                timeout=timeout_s or self.options.timeout_s,
                consistency_level="Strong" if strong else self.options.consistency.capitalize(),
            )
        )
        return [dict(row) for row in rows]

    def count(self, expression: str, partition: str, *, timeout_s: float | None = None, strong: bool = False) -> int:
        """Return how many rows of a partition meet an expression."""
        rows = self.server.call(
            lambda client: client.query(
                self.name,
                filter=expression,
                output_fields=["count(*)"],
                partition_names=[partition],
                timeout=timeout_s or self.options.timeout_s,
                consistency_level="Strong" if strong else self.options.consistency.capitalize(),
            )
        )
        return int(rows[0]["count(*)"])

    def scan(self, expression: str, fields: Sequence[str], partitions: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
        """Yield all rows that meet an expression, page by page."""
        pages = self.server.call(
            lambda client: client.query_iterator(
                self.name,
                batch_size=PAGE,
                filter=expression,
                output_fields=["row", *fields],
                partition_names=list(partitions),
            )
        )
        try:
            while rows := self.server.call(lambda _: pages.next()):
                yield [dict(row) for row in rows]
        finally:
            pages.close()

    def drop(self) -> None:
        """Delete the collection, and the aliases that name it."""

        def work(client: Any) -> None:
            if client.has_collection(self.name):
                for alias in client.list_aliases(self.name).get("aliases", []):
                    client.drop_alias(alias)
                client.drop_collection(self.name)

        self.server.call(work)

    def name_by_alias(self, role: str) -> None:
        """Let the alias of a role, such as `active`, name this collection, for tools that read Milvus."""
        alias = _name("lookalike", self._database, role)

        def work(client: Any) -> None:
            try:
                client.describe_alias(alias)
            except Exception:  # there is none yet; Milvus 2.3 says so with an error of no special kind
                client.create_alias(self.name, alias)
            else:
                client.alter_alias(self.name, alias)

        self.server.call(work)

    def read_position(self, catalogue: str) -> str | None:
        """Return the text that was stored for a catalogue; None without one."""

        def work(client: Any) -> str | None:
            if not client.has_collection(POSITIONS):
                return None
            client.load_collection(POSITIONS)
            rows = client.query(
                POSITIONS, ids=[self._position_id(catalogue)], output_fields=["position"], consistency_level="Strong"
            )
            return str(rows[0]["position"]) if rows else None

        return self.server.call(work)

    def write_position(self, catalogue: str, text: str) -> None:
        """Store a text for a catalogue, after everything that was written before."""
        row = {"id": self._position_id(catalogue), "position": text, "unused": np.ones(2, np.float32)}

        def work(client: Any) -> None:
            self._make_positions(client)
            client.upsert(POSITIONS, [row])

        self.server.call(work)

    def _make_positions(self, client: Any) -> None:
        from pymilvus import DataType, MilvusClient

        if client.has_collection(POSITIONS):
            return
        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=512)
        schema.add_field("position", DataType.VARCHAR, max_length=MAX_POSITION_BYTES)
        schema.add_field("unused", DataType.FLOAT_VECTOR, dim=2)  # a collection of Milvus 2.3 needs a vector
        params = client.prepare_index_params()
        params.add_index("unused", index_type="FLAT", metric_type="IP")
        client.create_collection(POSITIONS, schema=schema, index_params=params, consistency_level="Strong")

    def _position_id(self, catalogue: str) -> str:
        return f"{self.name}/{hashlib.blake2b(catalogue.encode(), digest_size=16).hexdigest()}"


def partition_of(catalogue: str, category: int) -> str:
    """Return the name of the partition of a catalogue's category."""
    return _name("c", catalogue, str(category))


def _name(prefix: str, *parts: str) -> str:
    """Return a name that Milvus takes: letters, digits and underscores, different for different parts."""
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=4).hexdigest()
    return re.sub(r"[^A-Za-z0-9]+", "_", "_".join([prefix, *parts]))[:200] + f"_{digest}"
