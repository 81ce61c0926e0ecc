"""A client of Lookalike's API: `Lookalike` calls the gateway, `Problem` is its error."""

from lookalike_client.client import Lookalike
from lookalike_client.photo import Photo
from lookalike_client.problem import FieldError, Problem, Unreachable
from lookalike_client.responses import (
    Deleted,
    Garment,
    Garments,
    ImportLine,
    Product,
    Result,
    SearchResponse,
    SimilarResponse,
)

__all__ = [
    "Deleted",
    "FieldError",
    "Garment",
    "Garments",
    "ImportLine",
    "Lookalike",
    "Photo",
    "Problem",
    "Product",
    "Result",
    "SearchResponse",
    "SimilarResponse",
    "Unreachable",
]
