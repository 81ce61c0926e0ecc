"""What several index nodes hold together."""

import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from copy import copy
from itertools import accumulate

from services.contracts.domain.catalogues import DEFAULT, not_indexed
from services.contracts.wire.index import CatalogueStatus, CategoryCount, IndexedModel, IndexStatus, SyncStatus
from services.gateway.index_nodes.node import IndexNode


def seen(node: IndexNode, catalogues: Sequence[str]) -> IndexNode:
    """Return a node with what it says of these catalogues, taken together, in the place of the default one's.

    Raises:
        IndexNotReady: it has not been told of one of them.
    """
    if node.status is None or list(catalogues) == [DEFAULT]:
        return node
    parts = [_catalogue(node.status, name) for name in catalogues]
    shown = copy(node)
    shown.status = node.status.model_copy(update=dict(parts[0] if len(parts) == 1 else _spanning(parts)))
    return shown


def _catalogue(status: IndexStatus, name: str) -> CatalogueStatus:
    found = status.further.get(name)
    if found is None and name != DEFAULT:
        raise not_indexed(name)
    return found or CatalogueStatus(**{field: getattr(status, field) for field in CatalogueStatus.model_fields})


def _spanning(parts: Sequence[CatalogueStatus]) -> CatalogueStatus:
    """Return the status of several catalogues of a node as if they were one; each has its own scale of similarity."""
    first = parts[0]
    counts = [sum(part.categories[place].products for part in parts) for place in range(len(first.categories))]
    return CatalogueStatus(
        products=sum(counts),
        categories=[
            one.model_copy(update={"products": count, "close_score": None})
            for one, count in zip(first.categories, counts, strict=True)
        ],
        models=[_of_all([part.models[place] for part in parts]) for place in range(len(first.models))],
        sync=max((part.sync for part in parts), key=_behind),
    )


def _of_all(parts: Sequence[IndexedModel]) -> IndexedModel:
    lags = [part.lag_seconds for part in parts]
    return parts[0].model_copy(
        update={
            "complete": all(part.complete for part in parts),
            "products": sum(part.products for part in parts),
            "state": max(parts, key=lambda part: part.state != "following").state,
            "lag_seconds": None if None in lags else max(lag for lag in lags if lag is not None),
            "without_vector": sum(part.without_vector for part in parts),
        }
    )


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
    models = merged_models([node.status for node in nodes if node.status and node.is_well] or statuses)
    return statuses[0].model_copy(
        update={
            "model": next(one.model for one in models if one.role == "active"),
            "models": models,
            "ready": bool(searchable),
            "products": sum(one.products for one in categories),
            "categories": categories,
            "sync": max((status.sync for status in answering or statuses), key=_behind),
        }
    )


def merged_models(statuses: Sequence[IndexStatus]) -> list[IndexedModel]:
    """Return the models that nodes hold as if they were one node: a model is complete where all of them can search it.

    While nodes are being switched they name different ones: then the active one is one that is complete.
    """
    held = {
        one.model: [_model(status, one.model) for status in statuses] for status in statuses for one in _models(status)
    }
    complete = {model for model, parts in held.items() if all(part is not None and part.complete for part in parts)}
    named = [status.model for status in statuses]
    active = next((model for model in named if model in complete), named[0])
    return [_together(model, statuses, complete=model in complete, active=model == active) for model in held]


def _together(model: str, statuses: Sequence[IndexStatus], *, complete: bool, active: bool) -> IndexedModel:
    found = [(_categories(status), part) for status in statuses if (part := _model(status, model)) is not None]
    parts = [part for _, part in found]
    # Nodes that hold the same categories count once.
    fullest = {held: max(part.products for of, part in found if of == held) for held, _ in found}
    lacking = {held: max(part.without_vector for of, part in found if of == held) for held, _ in found}
    roles = [part.role for part in parts if part.role != "active"]
    lags = [part.lag_seconds for part in parts]
    return IndexedModel(
        model=model,
        role="active" if active else next(iter(roles), "previous"),
        complete=complete,
        products=sum(fullest.values()),
        state=max(parts, key=lambda part: part.state != "following").state,
        lag_seconds=None if None in lags else max(lag for lag in lags if lag is not None),
        without_vector=sum(lacking.values()),
    )


def _categories(status: IndexStatus) -> frozenset[int]:
    return frozenset(one.id for one in status.categories if one.held)


def _models(status: IndexStatus) -> list[IndexedModel]:
    """Return the models of a node, that of its status at the least."""
    if status.models:
        return status.models
    sync = status.sync
    return [
        IndexedModel(
            model=status.model,
            role="active",
            complete=status.ready,
            products=status.products,
            state=sync.state,
            lag_seconds=sync.lag_seconds,
            without_vector=sync.other_models,
        )
    ]


def _model(status: IndexStatus, model: str) -> IndexedModel | None:
    return next((one for one in _models(status) if one.model == model), None)


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
