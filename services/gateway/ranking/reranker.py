"""What changes the order of results, and what it may know of a search."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.filtering.filters import Filter
from services.gateway.ranking.candidate import Candidate
from services.gateway.ranking.options import RankingOptions
from services.gateway.ranking.personal import Personal


@dataclass(frozen=True)
class RankedSearch:
    """A search whose results are put in order.

    Attributes:
        catalogues: that are searched.
        category: id of the category that is searched.
        category_names: how rules may name it: its name in lower case, and its id.
        model: of the vectors.
        vector: the query's, shape (dimension,), unit length.
        product: the product whose similar ones are searched; None for a search by photo.
        options: the request's.
        category_name: the category's name, as responses and the log have it.
    """

    catalogues: tuple[str, ...]
    category: int
    category_names: frozenset[str]
    model: str
    vector: NDArray[np.float32]
    product: str | None
    options: RankingOptions
    category_name: str = ""


Order = Literal["plain", "learned", "personal"]
Arrangement = Callable[[Sequence[Candidate]], list[Candidate]]


@dataclass(frozen=True)
class Stage:
    """What a re-ranker does with one search.

    Attributes:
        arrange: returns the candidates of the window in the new order, all of them once; None: the order stays.
        hide: products that the search leaves out, on every page.
        pinned: products that are candidates in any case, by their ids, each if it meets a filter; the category has to
            have them, and the request may leave them out.
        vectors: whether `arrange` needs the candidates' vectors.
        exclude: ids of products that the search leaves out, on every page.
        personal: whether the search is personal, for the response; None: it is not about a visitor.
        order: the kind of order that it makes of what shoppers do, for the metrics.
    """

    arrange: Arrangement | None = None
    hide: Filter | None = None
    pinned: Mapping[str, Filter] = field(default_factory=dict)
    vectors: bool = False
    exclude: tuple[str, ...] = ()
    personal: Personal | None = None
    order: Order = "plain"


@runtime_checkable
class Preparing(Protocol):
    """A re-ranker that can begin to read for a search while the photo goes through the network."""

    def prepare(self, options: RankingOptions, catalogues: tuple[str, ...], model: str) -> None:
        """Begin to read. `stage` waits for it."""


class Reranker(Protocol):
    """Changes the order of results. Those of a search work one after the other, in the order of `Ranking`.

    A re-ranker never fails a search and never makes it wait for the database: it works with what it knows already, or
    has a short deadline of its own.
    """

    def applies(self, options: RankingOptions, catalogues: tuple[str, ...]) -> bool:
        """Return whether it may change this search. It costs nothing where the answer is no."""

    async def stage(self, search: RankedSearch) -> Stage | None:
        """Return what it does with a search; None: nothing."""
