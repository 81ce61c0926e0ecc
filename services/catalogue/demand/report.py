"""The demand report as a value: searches by day and category, and clusters of those that are unmet."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

By = Literal["cluster", "day"]
OUTCOMES = ("ok", "no_close_match", "other_clothing", "no_clothing")


@dataclass(frozen=True, slots=True)
class DayCount:
    """The searches of a day (UTC) in a category, by outcome, and those of the outcome `ok` without a click."""

    day: date
    category: str
    searches: int
    ok: int
    no_close_match: int
    other_clothing: int
    no_clothing: int
    without_click: int


@dataclass(frozen=True, slots=True)
class NearestProduct:
    """A product that stood first in searches of a cluster.

    Attributes:
        id, title: the product's; no title if it is no longer in the catalogue.
        searches: how often it stood first.
        score: cosine similarity to the cluster's centre; None without vectors.
    """

    id: str
    title: str | None
    searches: int
    score: float | None


@dataclass(frozen=True, slots=True)
class Cluster:
    """Unmet searches that ask for the same.

    Attributes:
        category: that was searched.
        type, colour: those that most of the nearest products have; None if they have none.
        searches: how many.
        visitors: of how many visitors, where they are known.
        no_close_match, without_click: the searches by reason.
        similarity: median calibrated similarity of the nearest product, 0 to 1; None without a scale.
        gap: how much similarity is missing for a close match, at least 0; None without a scale.
        nearest: the products that stood first most often.
        days: searches by day, the first day first.
    """

    category: str
    type: str | None
    colour: str | None
    searches: int
    visitors: int
    no_close_match: int
    without_click: int
    similarity: float | None
    gap: float | None
    nearest: tuple[NearestProduct, ...]
    days: tuple[tuple[date, int], ...]


@dataclass(frozen=True, slots=True)
class DemandReport:
    """What shoppers did not find.

    Attributes:
        since, until: the time of the report.
        searches: the number of searches; of a large log, the latest that are examined.
        unmet: those without a close match or without a click.
        is_cut: whether there were more searches in this time than are examined.
        knows_clicks: whether events say which searches had a click.
        grouped_by: how clusters were made.
        days: by day and category, the latest day first.
        clusters: the largest first.
        clusters_left_out: number of smaller clusters.
    """

    since: datetime
    until: datetime
    searches: int
    unmet: int
    is_cut: bool
    knows_clicks: bool
    grouped_by: Literal["vectors", "attributes"]
    days: tuple[DayCount, ...]
    clusters: tuple[Cluster, ...]
    clusters_left_out: int


def csv_of(report: DemandReport, by: By) -> str:
    """Return clusters or days as CSV with a header."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(_rows(report, by))  # RFC 4180
    return text.getvalue()


def _rows(report: DemandReport, by: By) -> Iterator[Sequence[object]]:
    if by == "day":
        yield ("day", "category", "searches", *OUTCOMES, "without_click")
        for day in report.days:
            counts = [getattr(day, outcome) for outcome in OUTCOMES]
            yield day.day, _cell(day.category), day.searches, *counts, day.without_click
        return
    reasons = ("no_close_match", "without_click")
    columns = ("similarity", "gap", "nearest", "first_day", "last_day")
    yield ("category", "type", "colour", "searches", "visitors", *reasons, *columns)
    for cluster in report.clusters:
        yield (
            *map(_cell, (cluster.category, cluster.type, cluster.colour)),
            cluster.searches,
            cluster.visitors,
            cluster.no_close_match,
            cluster.without_click,
            cluster.similarity,
            cluster.gap,
            _cell(" ".join(product.id for product in cluster.nearest)),
            cluster.days[0][0],
            cluster.days[-1][0],
        )


def _cell(text: str | None) -> str | None:
    """Return a text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text and text[0] in "=+-@\t\r" else text
