"""The responses about merchandising rules."""

from pydantic import Field

from services.catalogue.merchandising import Merchandising
from services.contracts.domain.frozen_model import FrozenModel
from services.gateway.search.responses import Outcome, SearchedCategory, SearchResult


class SavedRulesResponse(FrozenModel):
    """The rules that hold from now on, and the parts of them that have no effect at present."""

    rules: Merchandising
    warnings: list[str] = Field(examples=[["no product has the attribute 'margin'"]])


class PreviewResponse(FrozenModel):
    """The results of one search in the plain order and by the rules."""

    outcome: Outcome
    category: SearchedCategory
    plain: list[SearchResult] = Field(description="without any rule")
    ruled: list[SearchResult] = Field(description="by the rules; `moved` names the rule of each move")
    warnings: list[str]
    model: str = Field(examples=["fashion/2"])
    request_id: str | None = Field(examples=["6f1c2ab09d3e4c55"])
