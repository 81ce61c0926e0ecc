"""The taste of the visitor who searches."""

from collections.abc import Sequence

from services.catalogue.taste.profile import Profile, TasteWeights
from services.gateway.ranking.candidate import Candidate, by_value, vectors_of
from services.gateway.ranking.options import RankingOptions
from services.gateway.ranking.personal import Personal
from services.gateway.ranking.reranker import RankedSearch, Stage
from services.gateway.ranking.taste_cache import TasteCache


class Taste:
    """Adds what the visitor likes to the scores of the window, and leaves out products that the visitor hid."""

    def __init__(self, tastes: TasteCache, weights: TasteWeights) -> None:
        """Take the visitors' tastes, and how much they count."""
        self._tastes = tastes
        self._weights = weights

    def applies(self, options: RankingOptions, catalogues: tuple[str, ...]) -> bool:
        """Return whether the search names a visitor, and is to be personal."""
        return options.visitor is not None and options.personal

    def prepare(self, options: RankingOptions, catalogues: tuple[str, ...], model: str) -> None:
        """Begin to read the taste of the visitor, if the search is to be personal."""
        if options.visitor is not None and options.personal:
            self._tastes.begin(catalogues, options.visitor, model)

    async def stage(self, search: RankedSearch) -> Stage | None:
        """Return what the visitor's taste does with the results."""
        visitor = search.options.visitor
        if visitor is None:
            return None
        profile = await self._tastes.get(search.catalogues, visitor, search.model)
        if profile is None:
            return Stage(personal=Personal(applied=False, reason="unavailable"))
        if profile.is_empty:
            return Stage(personal=Personal(applied=False, reason="no_events"))
        category, weights = search.category, self._weights
        return Stage(
            arrange=lambda candidates: arranged(candidates, profile, category, weights),
            vectors=True,
            exclude=profile.hidden,
            personal=Personal(applied=True),
            order="personal",
        )


def arranged(
    candidates: Sequence[Candidate], profile: Profile, category: int, weights: TasteWeights
) -> list[Candidate]:
    """Return candidates in the order of their values and of what the taste adds."""
    attributes = [candidate.hit.attributes for candidate in candidates]
    pulls = profile.pulls(category, vectors_of(candidates), attributes, weights)
    return by_value(candidate.adjusted("taste", float(pull)) for candidate, pull in zip(candidates, pulls, strict=True))
