"""Milvus in memory: the part of pymilvus that the index uses, in place of the package.

Like Milvus, it checks rows against the schema, has to load what it searches, and shows changes to searches late: reads
that are not strongly consistent see what the last strong one saw.
"""

import ast
import operator
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

MAX_HITS = 16_384
MAX_DEPTH = 40  # of parentheses
Row = dict[str, Any]
Condition = Callable[[Row], bool]
OPERATORS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda value, values: value in values,
}


class MilvusException(Exception):
    """The client's error."""

    def __init__(self, code: int = 1, message: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass
class Schema:
    """The fields of a collection."""

    fields: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add_field(self, name: str, kind: str, **limits: Any) -> None:
        self.fields[name] = {"kind": kind, **limits}


class IndexParams:
    """The index that is to be made."""

    def __init__(self) -> None:
        self.added: dict[str, Any] = {}

    def add_index(self, name: str, **params: Any) -> None:
        self.added = {"field": name, **params}


@dataclass
class Collection:
    """What one collection holds. `rows` and `visible` have partition and row by id."""

    schema: Schema
    index: dict[str, Any] | None
    partitions: set[str] = field(default_factory=lambda: {"_default"})
    loaded: set[str] = field(default_factory=set)
    replicas: int = 1
    rows: dict[str, tuple[str, Row]] = field(default_factory=dict)
    visible: dict[str, tuple[str, Row]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The name of the field of the ids."""
        (name,) = (name for name, limits in self.schema.fields.items() if limits.get("is_primary"))
        return name

    def check(self, row: Row) -> None:
        """Raise an error if a row does not fit the schema."""
        if row.keys() != self.schema.fields.keys():
            raise MilvusException(1100, f"fields {sorted(row)} instead of {sorted(self.schema.fields)}")
        for name, limits in self.schema.fields.items():
            value = row[name]
            size = len(value.encode()) if isinstance(value, str) else len(value) if hasattr(value, "__len__") else 0
            most = limits.get("max_length", limits.get("max_capacity", limits.get("dim", sys.maxsize)))
            if size > most or size < limits.get("dim", 0):
                raise MilvusException(1100, f"the length of {name} is {size}, and the schema has {most}")


class Pages:
    """Pages of rows, as an iterator of pymilvus."""

    def __init__(self, milvus: "MemoryMilvus", rows: list[Row], size: int) -> None:
        self._milvus = milvus
        self._rows = rows
        self._size = size
        milvus.open_iterators += 1

    def next(self) -> list[Row]:
        self._milvus.fail_if_troubled()
        page, self._rows = self._rows[: self._size], self._rows[self._size :]
        return page

    def close(self) -> None:
        self._milvus.open_iterators -= 1


class MemoryMilvus:
    """A server. Every call is noted with its arguments; `trouble` is raised by every call until it is None again."""

    def __init__(self) -> None:
        self.collections: dict[str, Collection] = {}
        self.aliases: dict[str, str] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.connections: list[dict[str, Any]] = []
        self.open_connections = 0
        self.open_iterators = 0
        self.trouble: Exception | None = None
        self.query_nodes = 1
        self.index_types = {"FLAT", "HNSW", "DISKANN", "GPU_BRUTE_FORCE"}  # that its build and its configuration offer

    def fail_if_troubled(self) -> None:
        if self.trouble is not None:
            raise self.trouble

    def called(self, name: str) -> list[dict[str, Any]]:
        """Return the arguments of the calls of a method."""
        return [arguments for called, arguments in self.calls if called == name]


class Client:
    """`MilvusClient`."""

    milvus: MemoryMilvus

    def __init__(self, **options: Any) -> None:
        self.milvus.fail_if_troubled()
        self.milvus.connections.append(options)
        self.milvus.open_connections += 1

    def close(self) -> None:
        self.milvus.open_connections -= 1

    @staticmethod
    def create_schema(**options: Any) -> Schema:
        assert options == {"auto_id": False, "enable_dynamic_field": False}
        return Schema()

    @staticmethod
    def prepare_index_params() -> IndexParams:
        return IndexParams()

    # Collections, partitions, indexes, aliases

    def has_collection(self, name: str) -> bool:
        self._note("has_collection", name=name)
        return name in self.milvus.collections

    def create_collection(self, name: str, schema: Schema, index_params: IndexParams, consistency_level: str) -> None:
        self._note("create_collection", name=name, consistency_level=consistency_level)
        self._check_index(index_params)
        if name in self.milvus.collections:
            raise MilvusException(65535, "the collection exists")
        self.milvus.collections[name] = Collection(schema, index_params.added)

    def drop_collection(self, name: str) -> None:
        self._note("drop_collection")
        if name in self.milvus.aliases.values():
            raise MilvusException(65535, "an alias names the collection")
        del self.milvus.collections[name]

    def load_collection(self, name: str, timeout: float | None = None, replica_number: int = 1) -> None:
        self._note("load_collection", name=name, timeout=timeout, replica_number=replica_number)
        collection = self._collection(name)
        if collection.index is None:
            raise MilvusException(65535, "the collection has no index")
        if collection.loaded and collection.replicas != replica_number:
            raise MilvusException(1100, "the collection is loaded with another number of replicas")
        if replica_number > self.milvus.query_nodes:
            raise MilvusException(1, "no enough nodes to create replicas")
        collection.loaded, collection.replicas = set(collection.partitions), replica_number

    def get_load_state(self, name: str) -> dict[str, Any]:
        loaded = self._collection(name).loaded
        return {"state": SimpleNamespace(name="Loaded" if loaded else "NotLoad")}

    def describe_replica(self, name: str) -> list[str]:
        return [f"replica {number}" for number in range(self._collection(name).replicas)]

    def release_collection(self, name: str) -> None:
        self._note("release_collection", name=name)
        self._collection(name).loaded = set()

    def list_partitions(self, name: str) -> list[str]:
        return sorted(self._collection(name).partitions)

    def create_partition(self, name: str, partition: str) -> None:
        self._note("create_partition", name=name, partition=partition)
        if partition in self._collection(name).partitions:
            raise MilvusException(65535, "the partition exists")
        self._collection(name).partitions.add(partition)

    def list_indexes(self, name: str) -> list[str]:
        index = self._collection(name).index
        return [] if index is None else [index["field"]]

    def describe_index(self, name: str, index: str) -> dict[str, Any]:
        described = self._collection(name).index
        assert described is not None
        assert described["field"] == index
        return described

    def drop_index(self, name: str, index: str) -> None:
        if self._collection(name).loaded:
            raise MilvusException(65535, "the collection is loaded")
        self._collection(name).index = None

    def create_index(self, name: str, params: IndexParams) -> None:
        self._check_index(params)
        if self._collection(name).index is not None:
            raise MilvusException(65535, "the field has another index")
        self._collection(name).index = params.added

    def _check_index(self, params: IndexParams) -> None:
        if params.added["index_type"] not in self.milvus.index_types:
            raise MilvusException(1100, f"invalid index type: {params.added['index_type']}")

    def list_aliases(self, name: str) -> dict[str, Any]:
        self._note("list_aliases")
        return {"aliases": [alias for alias, named in self.milvus.aliases.items() if named == name]}

    def describe_alias(self, alias: str) -> dict[str, str]:
        self._note("describe_alias")
        if alias not in self.milvus.aliases:
            raise MilvusException(1600, "there is no such alias")
        return {"alias": alias, "collection_name": self.milvus.aliases[alias]}

    def create_alias(self, name: str, alias: str) -> None:
        self._note("create_alias")
        if alias in self.milvus.aliases:
            raise MilvusException(65535, "the alias exists")
        self.milvus.aliases[alias] = name

    def alter_alias(self, name: str, alias: str) -> None:
        self._note("alter_alias")
        if alias not in self.milvus.aliases:
            raise MilvusException(65535, "there is no such alias")
        self.milvus.aliases[alias] = name

    def drop_alias(self, alias: str) -> None:
        self._note("drop_alias")
        del self.milvus.aliases[alias]

    # Rows

    def upsert(self, name: str, rows: Sequence[Row], partition_name: str = "_default", timeout: Any = None) -> None:
        self._note("upsert", rows=len(rows), partition_name=partition_name, timeout=timeout)
        collection = self._collection(name)
        if partition_name not in collection.partitions:
            raise MilvusException(200, "there is no such partition")
        for row in rows:
            collection.check(row)
        for row in rows:
            collection.rows[row[collection.key]] = (partition_name, dict(row))

    def delete(self, name: str, ids: Sequence[str], partition_name: str, timeout: Any = None) -> None:
        self._note("delete", ids=len(ids), partition_name=partition_name, timeout=timeout)
        rows = self._collection(name).rows
        for row_id in ids:
            if row_id in rows and rows[row_id][0] == partition_name:
                del rows[row_id]

    def search(self, name: str, *, data: Any, filter: str, limit: int, **options: Any) -> list[list[dict[str, Any]]]:
        self._note("search", filter=filter, limit=limit, **options)
        _check_limit(limit)
        rows = self._matching(name, filter, options["partition_names"], options["consistency_level"])
        (vector,) = data
        scored = [(float(np.dot(row[options["anns_field"]], vector)), row) for row in rows]
        scored.sort(key=lambda entry: -entry[0])
        fields = options["output_fields"]
        return [[{"distance": score, "entity": {name: row[name] for name in fields}} for score, row in scored[:limit]]]

    def query(
        self,
        name: str,
        *,
        output_fields: Sequence[str],
        filter: str = "",
        ids: Sequence[str] | None = None,
        partition_names: Sequence[str] | None = None,
        limit: int = MAX_HITS,
        timeout: float | None = None,
        consistency_level: str = "Bounded",
    ) -> list[Row]:
        self._note("query", filter=filter, limit=limit, timeout=timeout, consistency_level=consistency_level)
        _check_limit(limit)
        rows = self._matching(name, filter, partition_names, consistency_level)
        if ids is not None:
            rows = [row for row in rows if row[self._collection(name).key] in ids]
        if list(output_fields) == ["count(*)"]:
            return [{"count(*)": len(rows)}]
        return [{name: row[name] for name in output_fields} for row in rows[:limit]]

    def query_iterator(
        self, name: str, *, batch_size: int, filter: str, output_fields: Sequence[str], partition_names: Sequence[str]
    ) -> Pages:
        self._note("query_iterator", filter=filter, batch_size=batch_size)
        rows = self._matching(name, filter, partition_names, "Bounded")
        return Pages(self.milvus, [{name: row[name] for name in output_fields} for row in rows], batch_size)

    def _matching(self, name: str, text: str, partitions: Sequence[str] | None, level: str) -> list[Row]:
        assert level in ("Strong", "Bounded", "Session", "Eventually")
        collection = self._collection(name)
        if not collection.loaded or not set(partitions or ()) <= collection.loaded:
            raise MilvusException(101, "the collection or a partition is not loaded")
        if level == "Strong":
            collection.visible = dict(collection.rows)
        condition = parse(text)
        return [
            row
            for partition, row in collection.visible.values()
            if (partitions is None or partition in partitions) and condition(row)
        ]

    def _collection(self, name: str) -> Collection:
        self.milvus.fail_if_troubled()
        if name not in self.milvus.collections:
            raise MilvusException(100, "there is no such collection")
        return self.milvus.collections[name]

    def _note(self, call: str, **arguments: Any) -> None:
        self.milvus.calls.append((call, arguments))
        self.milvus.fail_if_troubled()


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= MAX_HITS:
        raise MilvusException(65535, f"the limit {limit} is not from 1 to {MAX_HITS}")


def parse(text: str) -> Condition:
    """Return a boolean expression of Milvus as a function. A number that a row does not have meets no comparison."""
    depth = most = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        most = max(most, depth)
    if most > MAX_DEPTH:
        raise MilvusException(1100, "the expression is nested too deeply")
    try:
        return _condition(ast.parse(text, mode="eval").body) if text else lambda row: True
    except (SyntaxError, KeyError, AssertionError) as error:
        raise MilvusException(1100, f"the expression {text!r} is not valid: {error!r}") from error


def _condition(node: ast.expr) -> Condition:
    match node:
        case ast.BoolOp(op, values):
            parts = [_condition(value) for value in values]
            combined = all if isinstance(op, ast.And) else any
            return lambda row: combined(part(row) for part in parts)
        case ast.UnaryOp(ast.Not(), operand):
            inner = _condition(operand)
            return lambda row: not inner(row)
        case ast.Call(ast.Name("array_contains_any"), [ast.Name(name), values]):
            wanted = set(ast.literal_eval(values))
            return lambda row: not wanted.isdisjoint(row[name])
        case ast.Compare(left, [comparison], [right]):
            compare, read = OPERATORS[type(comparison)], _reader(left)
            value = True if isinstance(right, ast.Name) and right.id == "true" else ast.literal_eval(right)
            return lambda row: (own := read(row)) is not None and compare(own, value)
    raise AssertionError(ast.dump(node))


def _reader(node: ast.expr) -> Callable[[Row], Any]:
    match node:
        case ast.Name(name):
            return lambda row: row[name]
        case ast.Subscript(ast.Name(name), ast.Constant(member)):
            return lambda row: row[name].get(member)
    raise AssertionError(ast.dump(node))


class Pymilvus(ModuleType):
    """Takes the place of the package."""

    def __init__(self, milvus: MemoryMilvus) -> None:
        super().__init__("pymilvus")
        self.MilvusClient = type("MilvusClient", (Client,), {"milvus": milvus})
        names = ("VARCHAR", "INT64", "BOOL", "ARRAY", "JSON", "FLOAT_VECTOR")
        self.DataType = SimpleNamespace(**{name: name for name in names})


class Exceptions(ModuleType):
    """Takes the place of `pymilvus.exceptions`."""

    def __init__(self) -> None:
        super().__init__("pymilvus.exceptions")
        self.MilvusException = MilvusException


@contextmanager
def milvus_in_memory() -> Iterator[MemoryMilvus]:
    """Put a server in memory in the place of pymilvus for as long as the block lasts."""
    milvus = MemoryMilvus()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "pymilvus", Pymilvus(milvus))
        patch.setitem(sys.modules, "pymilvus.exceptions", Exceptions())
        yield milvus
