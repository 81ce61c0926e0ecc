"""The errors of the domain: their problem types are a contract with clients."""

import pytest

from services.contracts.domain.errors import (
    CatalogueUnavailable,
    ImageServerUnavailable,
    LookalikeError,
    TooManyRequests,
    error_types,
)

# Problem type → HTTP status and Retry-After in seconds.
PROBLEMS = {
    "internal": (500, None),
    "events-off": (409, None),
    "precondition-failed": (412, None),
    "invalid-request": (422, None),
    "invalid-image": (422, None),
    "image-too-large": (413, None),
    "unsupported-image": (415, None),
    "request-timeout": (408, None),
    "ambiguous-length": (400, None),
    "request-too-large": (413, None),
    "image-url-refused": (422, None),
    "image-url-failed": (422, None),
    "feed-too-large": (413, None),
    "invalid-feed": (422, None),
    "no-room": (507, None),
    "import-under-way": (409, 5),
    "unknown-import": (404, None),
    "not-found": (404, None),
    "method-not-allowed": (405, None),
    "unknown-product": (404, None),
    "unknown-category": (404, None),
    "unknown-catalogue": (404, None),
    "unknown-model": (404, None),
    "category-elsewhere": (421, None),
    "unauthorised": (401, None),
    "forbidden": (403, None),
    "unknown-host": (400, None),
    "too-many-requests": (429, 1),
    "index-not-ready": (503, 2),
    "embedding-unavailable": (503, 2),
    "detector-unavailable": (503, 5),
    "catalogue-unavailable": (503, 5),
    "model-index-mismatch": (503, 2),
    "page-expired": (410, None),
    "upstream-timeout": (504, 1),
}


def test_every_problem_type_has_its_status_and_retry_after() -> None:
    assert {slug: (kind.status, kind.retry_after_s) for slug, kind in error_types().items()} == PROBLEMS


def test_a_problem_type_is_the_most_general_of_its_classes() -> None:
    assert error_types()["image-url-failed"] is not ImageServerUnavailable
    assert issubclass(ImageServerUnavailable, error_types()["image-url-failed"])


@pytest.mark.parametrize("extra", [{}, {"errors": [1]}])
def test_an_error_has_its_detail_and_extension_members(extra: dict[str, object]) -> None:
    error = LookalikeError("detail", **extra)
    assert (str(error), error.detail, error.extra) == ("detail", "detail", extra)


def test_a_temporary_failure_has_its_detail_and_the_seconds_to_wait() -> None:
    error = ImageServerUnavailable("detail", wait_s=3)
    assert (error.detail, error.wait_s, error.extra) == ("detail", 3, {})


def test_what_is_inside_an_error_is_for_the_log_alone() -> None:
    errors = (
        CatalogueUnavailable("detail", "mongo:27017"),
        CatalogueUnavailable("detail"),
        TooManyRequests("detail", 7, limit="places"),
        TooManyRequests("detail"),
    )
    assert [error.inside for error in errors] == [{"database": "mongo:27017"}, {}, {"limit": "places"}, {}]
    assert [error.retry_after_s for error in errors] == [5, 5, 7, 1]
    assert not any(error.extra for error in errors)


def test_only_requests_of_no_known_end_close_their_connection() -> None:
    assert {slug for slug, kind in error_types().items() if kind.closes} == {"request-timeout", "ambiguous-length"}
