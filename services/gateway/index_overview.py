"""What several index nodes hold together."""

import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

from services.contracts.wire import CategoryCount, IndexStatus, SyncStatus
from services.gateway.index_node import IndexNode


def merged(nodes: Sequence[IndexNode]) -> IndexStatus:
    """Return the status of all nodes as if they were one.

    A category is held where a node that can be searched holds it; its count stays known while the nodes are away. The
    sync is that of the node that is furthest behind.

    Args:
        nodes: at least one has been reached.
    """
    known = sorted((node for node in nodes if node.status), key=lambda node: node.trouble is not None)
    statuses = [node.status for node in known if node.status]
    answering = [node.status for node in known if node.status and node.trouble is None]
    searchable = frozenset[int]().union(*(node.held for node in nodes if node.is_well))
    categories = [
        _fullest(one.id, statuses).model_copy(update={"held": one.id in searchable}) for one in statuses[0].categories
    ]
    return statuses[0].model_copy(
        update={
            "ready": bool(searchable),
            "products": sum(one.products for one in categories),
            "categories": categories,
            "sync": max((status.sync for status in answering or statuses), key=_behind),
        }
    )


def obstacles(nodes: Sequence[IndexNode]) -> list[str]:
    """Return why nodes cannot be searched, each reason once."""
    return list(dict.fromkeys(node.obstacle for node in nodes if node.obstacle is not None))


def gaps(nodes: Sequence[IndexNode]) -> tuple[str, ...]:
    """Return a sentence that says which categories no node can be searched for, and why; none where there are none."""
    lacking = [one for one in merged(nodes).categories if not one.held]
    if not lacking:
        return ()
    numbers = {one.id for one in lacking}
    reasons = obstacles([node for node in nodes if node.status is None or node.held & numbers])
    names = ", ".join(one.name for one in lacking)
    return (f"no index node answers for {names}: {'; '.join(reasons) or 'none is set to hold them'}",)


def name_of(category: int, nodes: Sequence[IndexNode]) -> str:
    """Return a category's name as the nodes have it."""
    names = {one.id: one.name for node in nodes if node.status for one in node.status.categories}
    return names.get(category, f"category {category}")


def shared_out(count: int, status: IndexStatus, rng: random.Random) -> dict[int, int]:
    """Return how many of so many products, chosen by chance among all that can be searched, are of each category."""
    held = [one for one in status.categories if one.held and one.products]
    ends = list(accumulate(one.products for one in held))
    total = ends[-1] if ends else 0
    drawn = Counter(bisect_right(ends, place) for place in rng.sample(range(total), min(count, total)))
    return {held[position].id: share for position, share in drawn.items()}


def _fullest(category: int, statuses: Sequence[IndexStatus]) -> CategoryCount:
    """Return what is said of a category by the node that has most of it."""
    said = [one for status in statuses for one in status.categories if one.id == category]
    return max(said, key=lambda one: (one.held, one.products))


def _behind(sync: SyncStatus) -> tuple[bool, float]:
    return sync.state != "following", float("inf") if sync.lag_seconds is None else sync.lag_seconds
