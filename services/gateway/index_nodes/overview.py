"""The statuses of several index nodes, merged into one, and what several catalogues hold together."""

import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from services.contracts.domain.catalogues import not_indexed
from services.contracts.domain.parts import WHOLE, Part
from services.contracts.wire.index import (
    CatalogueStatus,
    CategoryCount,
    IndexedModel,
    IndexStatus,
    SyncState,
    SyncStatus,
)
from services.gateway.index_nodes.cover import cover, disjoint, modulus_of
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

    A category is held if nodes that can be searched hold all parts of it. Its count stays known while its nodes are
    unavailable.
    A catalogue's sync is that of the node with the longest delay. A catalogue is present if every node knows it.

    Args:
        nodes: at least one has been reached.
    """
    known = sorted((node for node in nodes if node.status), key=lambda node: node.trouble is not None)
    statuses = [node.status for node in known if node.status]
    first = statuses[0]
    searchable = _searchable(nodes)
    names = [name for name in first.catalogues if all(name in status.catalogues for status in statuses)]
    catalogues = {name: _merged_catalogue(name, known, searchable) for name in names}
    return first.model_copy(
        update={"model": _active(catalogues, first), "ready": bool(searchable), "catalogues": catalogues}
    )


def gaps(nodes: Sequence[IndexNode]) -> tuple[str, ...]:
    """Return sentences that name the categories that cannot be searched, or not all of them, and why."""
    searchable = _searchable(nodes)
    missing = {number: name for number, name in category_names(nodes).items() if number not in searchable}
    if not missing:
        return ()
    partly = _missing_parts(nodes, missing)
    wholly = missing.keys() - partly.keys()
    if not wholly:
        return tuple(partly.values())
    reasons = obstacles([node for node in nodes if node.status is None or node.held & wholly])
    names = ", ".join(name for number, name in missing.items() if number in wholly)
    sentence = f"no index node answers for {names}: {'; '.join(reasons) or 'none is set to hold them'}"
    return (*partly.values(), sentence)


def obstacles(nodes: Sequence[IndexNode]) -> list[str]:
    """Return why nodes cannot be searched, each reason once."""
    return list(dict.fromkeys(node.obstacle for node in nodes if node.obstacle is not None))


def category_names(nodes: Sequence[IndexNode]) -> dict[int, str]:
    """Return the categories' names by id, as the nodes know them."""
    return {category.id: category.name for node in nodes for category in node.categories}


def shares(count: int, status: CatalogueStatus, rng: random.Random) -> dict[int, int]:
    """Draw products at random from all that can be searched; return how many of them each category has."""
    held = [category for category in status.categories if category.held and category.products]
    places = drawn([category.products for category in held], count, rng)
    return {category.id: share for category, share in zip(held, places, strict=True) if share}


def drawn(sizes: Sequence[int], count: int, rng: random.Random) -> list[int]:
    """Draw from sets of these sizes together; return how many come from each."""
    ends = list(accumulate(sizes))
    total = ends[-1] if ends else 0
    places = Counter(bisect_right(ends, place) for place in rng.sample(range(total), min(count, total)))
    return [places[position] for position in range(len(sizes))]


def products_of(replicas: Iterable[IndexNode], category: int, catalogues: Sequence[str]) -> int:
    """Return how many products of a category and these catalogues nodes that hold the same have, by the fullest."""
    statuses = (node.status for node in replicas if node.status)
    known = ([status.catalogues[name] for name in catalogues if name in status.catalogues] for status in statuses)
    return max((sum(part.categories[category].products for part in parts) for parts in known), default=0)


def _searchable(nodes: Sequence[IndexNode]) -> frozenset[int]:
    """Return the categories of which nodes that can be searched hold every part."""
    well = [node for node in nodes if node.is_well]
    held = frozenset[int]().union(*(node.held for node in well))
    if all(node.part.is_whole for node in well):
        return held
    return frozenset(category for category in held if _is_complete([node for node in well if category in node.held]))


def _is_complete(holders: Sequence[IndexNode]) -> bool:
    modulus = modulus_of(holders)
    return cover(holders, WHOLE.residues(modulus), modulus) is not None


def _missing_parts(nodes: Sequence[IndexNode], missing: Mapping[int, str]) -> dict[int, str]:
    """Return a sentence for each category of which only some parts can be searched, by its id."""
    well = [node for node in nodes if node.is_well]
    parts = {number: sorted({str(node.part) for node in well if number in node.held}) for number in missing}
    return {
        number: f"of {missing[number]}, index nodes answer only for part {', '.join(held)}"
        for number, held in parts.items()
        if held
    }


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
    of_parts = [(status.part, part) for _, status, part in parts]
    answering = [part for node, _, part in parts if node.trouble is None]
    well = [(status, part) for node, status, part in parts if node.is_well]
    categories = [
        _counted(category.id, of_parts).model_copy(update={"held": category.id in searchable})
        for category in statuses[0].categories
    ]
    return CatalogueStatus(
        products=sum(category.products for category in categories),
        categories=categories,
        models=_merged_models(well or [(status, part) for _, status, part in parts]),
        sync=max((part.sync for part in answering or statuses), key=_delay),
    )


def _active(catalogues: dict[str, CatalogueStatus], status: IndexStatus) -> str:
    """Return the active model of a merged status; it is the same in every catalogue."""
    models = (model for catalogue in catalogues.values() for model in catalogue.models)
    return next((model.model for model in models if model.role == "active"), status.model)


def _merged_models(parts: Sequence[tuple[IndexStatus, CatalogueStatus]]) -> list[IndexedModel]:
    """Return the models of a catalogue over nodes: a model is complete if every node can search it.

    While nodes are being switched they name different active models; the merged one is a complete one.

    Args:
        parts: each node's status, and that of the catalogue.
    """
    held = {model.model: [_model(part, model.model) for _, part in parts] for _, part in parts for model in part.models}
    complete = {name for name, models in held.items() if all(model is not None and model.complete for model in models)}
    named = [status.model for status, _ in parts]
    active = next((name for name in named if name in complete), named[0])
    statuses = [(status.part, part) for status, part in parts]
    return [_over_nodes(name, statuses, complete=name in complete, active=name == active) for name in held]


def _over_nodes(
    name: str, statuses: Sequence[tuple[Part, CatalogueStatus]], *, complete: bool, active: bool
) -> IndexedModel:
    """Return what several nodes hold of a model in one catalogue. Nodes that hold the same count once."""
    held: dict[frozenset[int], list[tuple[Part, IndexedModel]]] = {}
    for part, status in statuses:
        if (model := _model(status, name)) is not None:
            held.setdefault(_held(status), []).append((part, model))
    parts = [model for models in held.values() for _, model in models]
    products = [_sum_of_parts((part, model.products) for part, model in models) for models in held.values()]
    without = [_sum_of_parts((part, model.without_vector) for part, model in models) for models in held.values()]
    roles = [model.role for model in parts if model.role != "active"]
    return IndexedModel(
        model=name,
        role="active" if active else next(iter(roles), "previous"),
        complete=complete,
        products=sum(products),
        state=_worst_state(parts),
        lag_seconds=_longest_lag(parts),
        without_vector=sum(without),
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


def _counted(category: int, statuses: Sequence[tuple[Part, CatalogueStatus]]) -> CategoryCount:
    """Return a category's count over its parts, each by the node that has most of it."""
    counts = [(part, count) for part, status in statuses for count in status.categories if count.id == category]
    fullest = max((count for _, count in counts), key=lambda count: (count.held, count.products))
    products = _sum_of_parts((part, count.products) for part, count in counts if count.held)
    scaled = [(part, count.close_score) for part, count in counts if count.held and count.close_score is not None]
    if all(part.is_whole for part, _ in scaled):
        return fullest.model_copy(update={"products": max(products, fullest.products)})
    _, close_score = min(scaled, key=lambda each: (each[0].number, each[0].of))  # as `merged_response` does
    return fullest.model_copy(update={"products": products, "close_score": close_score})


def _sum_of_parts(counts: Iterable[tuple[Part, int]]) -> int:
    """Return the sum over disjoint parts, each by its greatest count; if some are missing, the most that is known."""
    fullest: dict[Part, int] = {}
    for part, count in counts:
        fullest[part] = max(count, fullest.get(part, 0))
    if parts := disjoint(fullest):
        return sum(fullest[part] for part in parts)
    sums: Counter[int] = Counter()
    for part, count in fullest.items():
        sums[part.of] += count
    return max(sums.values(), default=0)


def _delay(sync: SyncStatus) -> tuple[bool, float]:
    return sync.state != "following", float("inf") if sync.lag_seconds is None else sync.lag_seconds
