"""The statuses of several index nodes, merged into one, and what several catalogues hold together."""

import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

from services.contracts.domain.catalogues import not_indexed
from services.contracts.wire.index import (
    CatalogueStatus,
    CategoryCount,
    IndexedModel,
    IndexStatus,
    SyncState,
    SyncStatus,
)
from services.gateway.index_nodes.node import IndexNode


def combined(status: IndexStatus, catalogues: Sequence[str]) -> CatalogueStatus:
    """Return what a status says of some catalogues, as if they were one.

    Raises:
        IndexNotReady: it does not know one of them.
    """
    parts = [_catalogue(status, name) for name in catalogues]
    first = parts[0]
    if len(parts) == 1:
        return first
    counts = [sum(part.categories[place].products for part in parts) for place in range(len(first.categories))]
    return CatalogueStatus(
        products=sum(counts),
        # Each catalogue has its own scale of similarity, so there is no common score for a close match.
        categories=[
            category.model_copy(update={"products": count, "close_score": None})
            for category, count in zip(first.categories, counts, strict=True)
        ],
        models=[_over_catalogues([part.models[place] for part in parts]) for place in range(len(first.models))],
        sync=max((part.sync for part in parts), key=_delay),
    )


def merged(nodes: Sequence[IndexNode]) -> IndexStatus:
    """Return the status of all nodes as if they were one node.

    A category is held if a node that can be searched holds it. Its count stays known while its nodes are unavailable.
    A catalogue's sync is that of the node with the longest delay. A catalogue is present if every node knows it.

    Args:
        nodes: at least one has been reached.
    """
    known = sorted((node for node in nodes if node.status), key=lambda node: node.trouble is not None)
    statuses = [node.status for node in known if node.status]
    first = statuses[0]
    searchable = frozenset[int]().union(*(node.held for node in nodes if node.is_well))
    names = [name for name in first.catalogues if all(name in status.catalogues for status in statuses)]
    catalogues = {name: _merged_catalogue(name, known, searchable) for name in names}
    return first.model_copy(
        update={"model": _active(catalogues, first), "ready": bool(searchable), "catalogues": catalogues}
    )


def gaps(nodes: Sequence[IndexNode]) -> tuple[str, ...]:
    """Return a sentence that names the categories that no node can be searched for, and why; none without gaps."""
    searchable = frozenset[int]().union(*(node.held for node in nodes if node.is_well))
    missing = {number: name for number, name in category_names(nodes).items() if number not in searchable}
    if not missing:
        return ()
    reasons = obstacles([node for node in nodes if node.status is None or node.held & missing.keys()])
    names = ", ".join(missing.values())
    return (f"no index node answers for {names}: {'; '.join(reasons) or 'none is set to hold them'}",)


def obstacles(nodes: Sequence[IndexNode]) -> list[str]:
    """Return why nodes cannot be searched, each reason once."""
    return list(dict.fromkeys(node.obstacle for node in nodes if node.obstacle is not None))


def category_names(nodes: Sequence[IndexNode]) -> dict[int, str]:
    """Return the categories' names by id, as the nodes know them."""
    return {category.id: category.name for node in nodes for category in node.categories}


def shares(count: int, status: CatalogueStatus, rng: random.Random) -> dict[int, int]:
    """Draw products at random from all that can be searched; return how many of them each category has."""
    held = [category for category in status.categories if category.held and category.products]
    ends = list(accumulate(category.products for category in held))
    total = ends[-1] if ends else 0
    drawn = Counter(bisect_right(ends, place) for place in rng.sample(range(total), min(count, total)))
    return {held[position].id: share for position, share in drawn.items()}


def _catalogue(status: IndexStatus, name: str) -> CatalogueStatus:
    if name not in status.catalogues:
        raise not_indexed(name)
    return status.catalogues[name]


def _over_catalogues(parts: Sequence[IndexedModel]) -> IndexedModel:
    """Return what several catalogues of one node hold of a model."""
    return parts[0].model_copy(
        update={
            "complete": all(part.complete for part in parts),
            "products": sum(part.products for part in parts),
            "state": _worst_state(parts),
            "lag_seconds": _longest_lag(parts),
            "without_vector": sum(part.without_vector for part in parts),
        }
    )


def _merged_catalogue(name: str, known: Sequence[IndexNode], searchable: frozenset[int]) -> CatalogueStatus:
    """Return a catalogue's status over nodes; those that answered come first in `known`."""
    parts = [(node, node.status, node.status.catalogues[name]) for node in known if node.status]
    statuses = [part for _, _, part in parts]
    answering = [part for node, _, part in parts if node.trouble is None]
    well = [(status.model, part) for node, status, part in parts if node.is_well]
    categories = [
        _fullest(category.id, statuses).model_copy(update={"held": category.id in searchable})
        for category in statuses[0].categories
    ]
    return CatalogueStatus(
        products=sum(category.products for category in categories),
        categories=categories,
        models=_merged_models(well or [(status.model, part) for _, status, part in parts]),
        sync=max((part.sync for part in answering or statuses), key=_delay),
    )


def _active(catalogues: dict[str, CatalogueStatus], status: IndexStatus) -> str:
    """Return the active model of a merged status; it is the same in every catalogue."""
    models = (model for catalogue in catalogues.values() for model in catalogue.models)
    return next((model.model for model in models if model.role == "active"), status.model)


def _merged_models(parts: Sequence[tuple[str, CatalogueStatus]]) -> list[IndexedModel]:
    """Return the models of a catalogue over nodes: a model is complete if every node can search it.

    While nodes are being switched they name different active models; the merged one is a complete one.

    Args:
        parts: each node's active model and its status of the catalogue.
    """
    held = {model.model: [_model(part, model.model) for _, part in parts] for _, part in parts for model in part.models}
    complete = {name for name, models in held.items() if all(model is not None and model.complete for model in models)}
    named = [active for active, _ in parts]
    active = next((name for name in named if name in complete), named[0])
    statuses = [part for _, part in parts]
    return [_over_nodes(name, statuses, complete=name in complete, active=name == active) for name in held]


def _over_nodes(name: str, statuses: Sequence[CatalogueStatus], *, complete: bool, active: bool) -> IndexedModel:
    """Return what several nodes hold of a model in one catalogue. Nodes that hold the same categories count once."""
    pairs = [(_held(status), model) for status in statuses if (model := _model(status, name)) is not None]
    parts = [model for _, model in pairs]
    products = {held: max(model.products for other, model in pairs if other == held) for held, _ in pairs}
    without = {held: max(model.without_vector for other, model in pairs if other == held) for held, _ in pairs}
    roles = [model.role for model in parts if model.role != "active"]
    return IndexedModel(
        model=name,
        role="active" if active else next(iter(roles), "previous"),
        complete=complete,
        products=sum(products.values()),
        state=_worst_state(parts),
        lag_seconds=_longest_lag(parts),
        without_vector=sum(without.values()),
    )


def _held(status: CatalogueStatus) -> frozenset[int]:
    return frozenset(category.id for category in status.categories if category.held)


def _model(status: CatalogueStatus, name: str) -> IndexedModel | None:
    return next((model for model in status.models if model.model == name), None)


def _worst_state(parts: Sequence[IndexedModel]) -> SyncState:
    return max(parts, key=lambda part: part.state != "following").state


def _longest_lag(parts: Sequence[IndexedModel]) -> float | None:
    lags = [part.lag_seconds for part in parts]
    return None if None in lags else max(lag for lag in lags if lag is not None)


def _fullest(category: int, statuses: Sequence[CatalogueStatus]) -> CategoryCount:
    """Return a category's count by the node that has most of it."""
    counts = [count for status in statuses for count in status.categories if count.id == category]
    return max(counts, key=lambda count: (count.held, count.products))


def _delay(sync: SyncStatus) -> tuple[bool, float]:
    return sync.state != "following", float("inf") if sync.lag_seconds is None else sync.lag_seconds
