"""Problem documents: what an invalid request's errors name, and that they stay small."""

import orjson
import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from services.contracts.domain.errors import (
    DetectorUnavailable,
    DimensionMismatch,
    InvalidImage,
    InvalidRequest,
    LookalikeError,
    RequestTimeout,
    TooManyRequests,
    Unauthorised,
    UnknownCategory,
)
from services.contracts.web.problems import (
    MAX_DETAIL,
    MAX_ERRORS,
    error_from_problem,
    invalid_request,
    problem_response,
    responses,
)


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    k: int = 1


def error_of(names: list[str]) -> InvalidRequest:
    try:
        Body.model_validate(dict.fromkeys(names, 1))
    except ValidationError as error:
        return invalid_request(((), item) for item in error.errors())
    raise AssertionError("the body is valid")


def test_a_few_places_are_all_named() -> None:
    error = error_of(["a", "b"])
    assert [place["pointer"] for place in error.extra["errors"]] == ["#/a", "#/b"]
    assert "errors_left_out" not in error.extra
    assert error.detail == "a: there is no such field; b: there is no such field"


def test_of_many_places_the_first_are_named_and_the_others_counted() -> None:
    error = error_of([f"n{number}" for number in range(1000)])
    assert [place["pointer"] for place in error.extra["errors"]] == [f"#/n{number}" for number in range(MAX_ERRORS)]
    assert error.extra["errors_left_out"] == 1000 - MAX_ERRORS


def test_names_of_any_length_make_a_small_response() -> None:
    for name in ("x" * 60_000, "\U0001f457" * 15_000, "/~" * 30_000):
        body = problem_response(error_of([f"{number}{name}" for number in range(50)])).body
        document = orjson.loads(body)
        assert len(body) < 16_000
        assert document["errors"]
        assert len(document["errors"]) + document["errors_left_out"] == 50


def test_the_detail_of_any_problem_has_a_bound() -> None:
    detail = orjson.loads(problem_response(UnknownCategory("x" * 10**5)).body)["detail"]
    assert len(detail) == MAX_DETAIL
    assert detail.endswith("x…")


@pytest.mark.parametrize(
    ("error", "fields"),
    [
        (InvalidImage("x"), {}),
        (DetectorUnavailable("x"), {"retry-after": "5"}),
        (TooManyRequests("x", 17), {"retry-after": "17"}),
        (RequestTimeout("x"), {"connection": "close"}),
        (Unauthorised("x"), {"www-authenticate": "Bearer"}),
    ],
)
def test_a_problem_has_the_header_fields_of_its_kind(error: LookalikeError, fields: dict[str, str]) -> None:
    response = problem_response(error)
    assert response.status_code == error.status
    usual = {"content-length", "content-type"}
    assert {name: value for name, value in response.headers.items() if name not in usual} == fields
    assert response.headers["content-type"] == "application/problem+json"


def test_a_problem_has_the_extension_members_of_its_error() -> None:
    document = orjson.loads(problem_response(InvalidImage("cut short", line=7)).body)
    assert document == {
        "type": "/problems/invalid-image",
        "title": "The image cannot be read",
        "status": 422,
        "detail": "cut short",
        "request_id": None,
        "line": 7,
    }


@pytest.mark.parametrize(
    ("body", "kind", "detail"),
    [
        (b'{"type": "/problems/invalid-image", "detail": "cut"}', InvalidImage, "cut"),
        (b'{"type": "invalid-image", "detail": 7}', InvalidImage, "7"),
        (b'{"type": "/problems/of-tomorrow", "detail": "new"}', LookalikeError, "new"),
        (b'{"type": "/problems/invalid-image"}', LookalikeError, "a service answered 418 without a problem document"),
        (b'{"detail": "cut"}', LookalikeError, "a service answered 418 without a problem document"),
        (b"[1]", LookalikeError, "a service answered 418 without a problem document"),
        (b"no JSON", LookalikeError, "a service answered 418 without a problem document"),
    ],
)
def test_the_problem_of_another_service_is_its_exception(body: bytes, kind: type[LookalikeError], detail: str) -> None:
    error = error_from_problem(418, body)
    assert (type(error), error.detail) == (kind, detail)


def test_a_problem_of_several_classes_is_the_most_general_one() -> None:
    error = error_from_problem(422, bytes(problem_response(DimensionMismatch("3 is not 64")).body))
    assert (type(error), error.detail) == (InvalidRequest, "3 is not 64")


def test_the_detail_names_the_first_five_places_and_each_in_two_hundred_characters() -> None:
    items = [({"loc": ("a", number), "msg": "m" * 300, "type": "x"}) for number in range(6)]
    error = invalid_request((("query",), item) for item in items)
    assert [place["pointer"] for place in error.extra["errors"]] == [f"#/query/a/{number}" for number in range(6)]
    assert {place["detail"] for place in error.extra["errors"]} == {"m" * 199 + "…"}
    assert error.detail == "; ".join(f"a.{number}: {'m' * 199}…" for number in range(5))
    assert invalid_request([((), {"loc": (), "msg": "m", "type": "x"})]).detail == "body: m"


@pytest.mark.parametrize(("places", "left_out"), [(20, None), (21, 1)])
def test_twenty_places_are_named(places: int, left_out: int | None) -> None:
    error = error_of([f"n{number}" for number in range(places)])
    assert len(error.extra["errors"]) == 20
    assert error.extra.get("errors_left_out") == left_out


@pytest.mark.parametrize(("more", "named"), [(0, 20), (1, 19)])
def test_the_pointers_and_details_of_all_places_have_at_most_8000_bytes(more: int, named: int) -> None:
    details = ["ü" * 150 + "m" * 38] * 19 + ["ü" * 150 + "m" * (38 + more)]
    items = [{"loc": ("x" * 60,), "msg": detail, "type": "x"} for detail in details]
    assert len(b"#/" + b"x" * 60 + details[0].encode()) == 8000 / 20
    error = invalid_request(((), item) for item in items)
    assert (len(error.extra["errors"]), error.extra.get("errors_left_out", 0)) == (named, 20 - named)


def test_routes_document_their_problems_by_status() -> None:
    documented = responses(InvalidImage, Unauthorised, InvalidRequest)
    assert list(documented) == [422, 401]
    assert documented[401]["description"] == "`unauthorised`: A valid key is required"
    examples = documented[422]["content"]["application/problem+json"]["examples"]
    assert list(examples) == ["invalid-image", "invalid-request"]
    assert examples["invalid-image"]["value"]["status"] == 422
    assert examples["invalid-image"]["value"]["type"] == "/problems/invalid-image"
