"""The options of a search that decide the order of its results. Each is declared once, here."""

from services.contracts.domain.frozen_model import FrozenModel


class RankingOptions(FrozenModel):
    """The options of the order. None of them changes the index's order by default."""
