"""Which index nodes together hold every product: disjoint parts that are everything, each with its replicas."""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from services.contracts.domain.parts import WHOLE, Part
from services.gateway.index_nodes.node import IndexNode

Residues = frozenset[int]  # hashes of ids, modulo a number that the parts of all nodes divide


@dataclass(frozen=True)
class NodeGroup:
    """Nodes that hold the same part, in the order to ask them, and the hashes of that part."""

    part: Part
    residues: Residues
    nodes: tuple[IndexNode, ...]


def modulus_of(nodes: Sequence[IndexNode]) -> int:
    """Return the smallest number that every node's number of parts divides."""
    return math.lcm(*(node.part.of for node in nodes))


def cover(nodes: Sequence[IndexNode], wanted: Residues, modulus: int) -> list[NodeGroup] | None:
    """Return groups of nodes whose disjoint parts are exactly the wanted hashes, by part; None if there are none.

    Larger parts come first, so that few nodes are asked. A node that is likely to answer comes before one that is not:
    nodes that are not well belong to a cover only if there is none without them.

    Args:
        nodes: in the order to ask them.
        wanted: hashes modulo `modulus`.
        modulus: a multiple of the number of parts of each node.
    """
    for candidates in ([node for node in nodes if node.is_well], nodes):
        groups = _exact(_groups(candidates, modulus), wanted)
        if groups is not None:
            return sorted(groups, key=lambda group: (group.part.number, group.part.of))
    return None


def disjoint(parts: Collection[Part]) -> list[Part] | None:
    """Return those of the parts that are disjoint and together everything; None if there are none."""
    modulus = math.lcm(*(part.of for part in parts))
    groups = [NodeGroup(part, part.residues(modulus), ()) for part in sorted(parts, key=lambda part: part.of)]
    chosen = _exact(groups, WHOLE.residues(modulus))
    return None if chosen is None else [group.part for group in chosen]


def _groups(nodes: Sequence[IndexNode], modulus: int) -> list[NodeGroup]:
    by_part: dict[Part, list[IndexNode]] = {}
    for node in nodes:
        by_part.setdefault(node.part, []).append(node)
    groups = [NodeGroup(part, part.residues(modulus), tuple(holders)) for part, holders in by_part.items()]
    return sorted(groups, key=lambda group: group.part.of)


def _exact(groups: Sequence[NodeGroup], wanted: Residues) -> list[NodeGroup] | None:
    if not wanted:
        return []
    for group in _with(min(wanted), groups):
        if group.residues <= wanted:
            others = _exact(groups, wanted - group.residues)
            if others is not None:
                return [group, *others]
    return None


def _with(residue: int, groups: Sequence[NodeGroup]) -> Iterator[NodeGroup]:
    return (group for group in groups if residue in group.residues)
