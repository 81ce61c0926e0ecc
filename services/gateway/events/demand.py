"""The demand report as the API returns it."""

from datetime import date, datetime
from typing import Literal

from pydantic import ConfigDict, Field

from services.contracts.domain.frozen_model import FrozenModel


class _Read(FrozenModel):
    model_config = ConfigDict(from_attributes=True)


class DemandDay(_Read):
    """The searches of a day (UTC) in a category, by outcome. `without_click` are some of those of `ok`."""

    day: date
    category: str = Field(examples=["Topwear"])
    searches: int
    ok: int
    no_close_match: int
    other_clothing: int
    no_clothing: int
    without_click: int


class DemandProduct(_Read):
    """A product that stood first in searches of a cluster. `score` is its cosine similarity to the cluster's centre."""

    id: str
    title: str | None = Field(description="null if the product has been deleted")
    searches: int
    score: float | None = Field(description="null without vectors")


class DemandCluster(_Read):
    """Unmet searches that ask for the same."""

    category: str = Field(examples=["Topwear"])
    type: str | None = Field(description="of most of the nearest products", examples=["Dress"])
    colour: str | None = Field(description="of most of the nearest products", examples=["Red"])
    searches: int
    visitors: int = Field(description="where they are known")
    no_close_match: int
    without_click: int
    similarity: float | None = Field(description="median similarity of the nearest product; null without a scale")
    gap: float | None = Field(description="the similarity that is missing for a close match; null without a scale")
    nearest: list[DemandProduct]
    days: list[tuple[date, int]] = Field(description="searches by day, the first day first")


class DemandResponse(_Read):
    """The searches of a time, and clusters of those that had no close match, or no click."""

    since: datetime
    until: datetime
    searches: int
    unmet: int
    is_cut: bool = Field(description="whether the log has more searches of this time than the latest ones examined")
    knows_clicks: bool = Field(description="whether events say which searches had a click")
    grouped_by: Literal["vectors", "attributes"]
    days: list[DemandDay] = Field(description="by day and category, the latest day first")
    clusters: list[DemandCluster] = Field(description="the largest first")
    clusters_left_out: int
