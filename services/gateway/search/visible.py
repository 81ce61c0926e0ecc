"""Which attributes of products searchers see: all, or those of a list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from services.contracts.domain.errors import InvalidRequest
from services.contracts.domain.filtering.facets import Facet
from services.contracts.domain.filtering.filters import Filter

Value = TypeVar("Value")
GROUP = "group"  # the attribute that filters know the group of variants by


@dataclass(frozen=True)
class VisibleAttributes:
    """The names of the attributes that searchers see and filter by; none: all."""

    names: frozenset[str] = frozenset()

    def of(self, attributes: Mapping[str, Value]) -> dict[str, Value]:
        """Return the visible ones of a product's attributes."""
        return {name: value for name, value in attributes.items() if not self.names or name in self.names}

    def facets(self, facets: Sequence[Facet]) -> list[Facet]:
        """Return the facets of visible attributes."""
        return [facet for facet in facets if not self.names or facet.attribute in self.names]

    def check(self, filter_: Filter, group_by: str | None = None) -> None:
        """Return if a filter has visible attributes only: another one would give away values that are not shown.

        Args:
            filter_: the filter.
            group_by: the attribute by which results are grouped; that of variants is in every result.

        Raises:
            InvalidRequest: there is another attribute.
        """
        if self.names and group_by is not None and group_by not in {*self.names, GROUP}:
            raise InvalidRequest(f"group_by: results cannot be grouped by {group_by!r}")
        hidden = sorted(filter_.attributes - self.names) if self.names else []
        if hidden:
            raise InvalidRequest(f"filter: searches cannot be filtered by {', '.join(hidden[:5])}")
