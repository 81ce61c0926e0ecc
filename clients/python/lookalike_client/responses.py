"""The shapes of responses. They are plain dictionaries: fields that a newer gateway adds do no harm."""

from typing import Any, Literal, NotRequired, TypedDict

Value = str | bool | int | float
Attributes = dict[str, Value | list[Value]]
Filter = dict[str, Any]


class Similarity(TypedDict):
    """Calibrated similarity, 0 to 1: from 0.5 on it is a close match."""

    value: float
    label: str


class Category(TypedDict):
    """A category; `probability` is the network's, None for a search by product."""

    id: int
    name: str
    probability: float | None


class Box(TypedDict):
    """A part of a photo, in fractions of its sides."""

    x: float
    y: float
    width: float
    height: float


class Page(TypedDict):
    """The options of the next page."""

    k: int
    offset: int


class Result(TypedDict):
    """A product near the query; `score` is cosine similarity."""

    id: str
    url: str | None
    image_url: str | None
    title: str | None
    category: str
    attributes: Attributes
    score: float
    image_index: int
    similarity: Similarity | None
    catalogue: NotRequired[str]


class SimilarResponse(TypedDict):
    """The results of a search, best first."""

    outcome: Literal["ok", "no_close_match", "other_clothing", "no_clothing"]
    category: Category
    results: list[Result]
    next_page: Page | None
    facets: list[dict[str, Any]]
    model: str
    request_id: str | None
    timings_ms: dict[str, float]


class SearchResponse(SimilarResponse):
    """The results of a search by photo, with the network's probabilities of the categories."""

    probabilities: dict[str, float]


class Garment(TypedDict):
    """A garment in a photo."""

    box: Box
    category: Category


class Garments(TypedDict):
    """The garments of a photo, the most certain first."""

    garments: list[Garment]
    model: str
    request_id: str | None
    timings_ms: dict[str, float]


class ImageLink(TypedDict):
    """An additional image of a product."""

    url: str | None


class Product(TypedDict):
    """A product as it is stored; `searchable` only after a write with `wait`."""

    id: str
    category: str
    category_source: str
    url: str | None
    image_url: str | None
    title: str | None
    attributes: Attributes
    model: str | None
    images: list[ImageLink]
    searchable: NotRequired[bool]


class Deleted(TypedDict):
    """How many products were deleted, and which ids had none."""

    deleted: int
    unknown: list[str]
    searchable: NotRequired[bool]


# A line of an import's response: the outcome of a row, or the import itself under the key `import`.
ImportLine = dict[str, Any]
