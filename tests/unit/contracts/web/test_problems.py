"""Problem documents: what an invalid request's errors name, and that they stay small."""

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from services.contracts.domain.errors import InvalidRequest, UnknownCategory
from services.contracts.web.problems import MAX_DETAIL, MAX_ERRORS, invalid_request, problem_response


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
