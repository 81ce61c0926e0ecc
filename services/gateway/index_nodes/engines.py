"""Which index nodes may answer a search, by their engines."""

from collections.abc import Sequence

from services.contracts.domain.engines import continues
from services.contracts.domain.errors import PageExpired
from services.contracts.wire.index import IndexResponse
from services.gateway.index_nodes.node import IndexNode


def of_engine(nodes: Sequence[IndexNode], engine: str | None) -> list[IndexNode]:
    """Return the nodes whose results continue those of an engine, its own nodes first; all nodes for None.

    Raises:
        PageExpired: there are none.
    """
    if engine is None:
        return list(nodes)
    continuing = [node for node in nodes if node.engine is None or continues(engine, node.engine)]
    if nodes and not continuing:
        raise _expired(engine)
    return sorted(continuing, key=lambda node: (not node.is_well, node.engine != engine))


def by_engine(nodes: Sequence[IndexNode]) -> list[list[IndexNode]]:
    """Return the nodes of each engine, in the order of the first ones. Nodes that hold everything need no company.

    Parts of two engines are not merged. A node that was never reached may have any engine.
    """
    if all(node.part.is_whole for node in nodes):
        return [list(nodes)]
    groups = {node.engine: list[IndexNode]() for node in nodes if node.engine is not None}
    for engine, group in groups.items():
        group += [node for node in nodes if node.engine in (None, engine)]
    return list(groups.values()) or [list(nodes)]


def checked(response: IndexResponse, engine: str | None) -> IndexResponse:
    """Return a response if its results continue those of an engine: a node may have another one since its last status.

    Raises:
        PageExpired: they do not.
    """
    if engine is not None and not continues(engine, response.engine):
        raise _expired(engine)
    return response


def _expired(engine: str) -> PageExpired:
    return PageExpired(
        f"the page before is a search of the engine {engine}, which no index node has: search again from the first page"
    )
