"""Settings that are checked when a service starts."""

from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from services.contracts.domain.setting_types import (
    HeaderSecret,
    HostAndPort,
    HttpAddress,
    LogLevel,
    MongoUrl,
    Origin,
    TracesEndpoint,
    TracesRatio,
)


def check(kind: Any, value: str) -> Any:
    checked = TypeAdapter[Any](kind).validate_python(value)
    return checked.get_secret_value() if hasattr(checked, "get_secret_value") else checked


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (LogLevel, " warning ", "WARNING"),
        (HttpAddress, "http://index:8002/", "http://index:8002"),
        (HttpAddress, "https://Shop.example/lookalike", "https://Shop.example/lookalike"),
        (HttpAddress, "http://[::1]:8002", "http://[::1]:8002"),
        (Origin, "HTTPS://Shop.Example:443/", "https://shop.example"),
        (Origin, "http://shop.example:8080", "http://shop.example:8080"),
        (HostAndPort, "TFS:8500", "tfs:8500"),
        (HostAndPort, "tfs:1", "tfs:1"),
        (HostAndPort, "tfs:65535", "tfs:65535"),
        (HostAndPort, "[::1]:8500", "[::1]:8500"),
        (MongoUrl, "mongodb://mongo:27017/?replicaSet=rs0", "mongodb://mongo:27017/?replicaSet=rs0"),
        (MongoUrl, "mongodb://us%40er:p%3Aw@a:1,b:2/admin?x=a@b", "mongodb://us%40er:p%3Aw@a:1,b:2/admin?x=a@b"),
        (MongoUrl, "mongodb+srv://user:pw@cluster.example", "mongodb+srv://user:pw@cluster.example"),
        (MongoUrl, "mongodb://[::1]:27017", "mongodb://[::1]:27017"),
        (HeaderSecret, "open sesame!", "open sesame!"),
    ],
)
def test_a_usable_value_is_taken_in_its_usual_form(kind: Any, value: str, expected: str) -> None:
    assert check(kind, value) == expected


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        (LogLevel, "loud", "Input should be 'DEBUG', 'INFO'"),
        (HttpAddress, "embedding:8001", "with its scheme, such as http://index:8002"),
        (HttpAddress, "http://", "with its scheme"),
        (HttpAddress, "http://a b", "with its scheme"),
        (HttpAddress, "http://a/b c", "with its scheme"),
        (HttpAddress, "http://a\n", "with its scheme"),
        (HttpAddress, "http://a:99999", "with its scheme"),
        (Origin, "shop.example", "write a scheme and a host"),
        (Origin, "https://shop.example/path", "write a scheme and a host"),
        (Origin, "*", "write a scheme and a host"),
        (HostAndPort, "http://tfs:8500", "such as tfs:8500"),
        (HostAndPort, "tfs", "such as tfs:8500"),
        (HostAndPort, "tfs:0", "such as tfs:8500"),
        (HostAndPort, "tfs:65536", "such as tfs:8500"),
        (HostAndPort, "tfs:99999", "such as tfs:8500"),
        (MongoUrl, "localhost:27017", "an address of MongoDB"),
        (MongoUrl, "http://mongo", "an address of MongoDB"),
        (MongoUrl, "mongodb://", "an address of MongoDB"),
        (MongoUrl, "mongodb://user:pw@", "an address of MongoDB"),
        (MongoUrl, "mongodb://us@er:pw@mongo", "write them as %40"),
        (MongoUrl, "mongodb://user:p/w@mongo", "write them as %40"),
        (MongoUrl, "mongodb:mongo", "an address of MongoDB"),
        (MongoUrl, "", "an address of MongoDB"),
        (MongoUrl, "mongodb://user:p:w@mongo", "write it as %3A"),
        (HeaderSecret, "schlüssel", "signs of ASCII"),
        (HeaderSecret, " padded", "signs of ASCII"),
        (HeaderSecret, "line\n", "signs of ASCII"),
    ],
)
def test_a_value_that_cannot_work_is_refused_with_its_reason(kind: Any, value: str, reason: str) -> None:
    with pytest.raises(ValidationError) as refused:
        check(kind, value)
    assert reason in str(refused.value)


class Traced(BaseModel):
    endpoint: TracesEndpoint


@pytest.mark.parametrize(
    ("value", "endpoint"), [("", None), (None, None), ("http://collector:4318", "http://collector:4318")]
)
def test_an_empty_address_of_the_collector_means_no_traces(value: str | None, endpoint: str | None) -> None:
    assert Traced.model_validate({"TRACES_ENDPOINT": value}).endpoint == endpoint


class Sampled(BaseModel):
    ratio: TracesRatio


@pytest.mark.parametrize("value", [0, 0.5, 1])
def test_a_part_of_the_requests_is_traced_and_by_default_all(value: float) -> None:
    assert Sampled.model_validate({"TRACES_RATIO": value}).ratio == value
    assert Sampled.model_validate({}).ratio == 1


@pytest.mark.parametrize("value", [-0.01, 1.01])
def test_a_part_is_from_0_to_1(value: float) -> None:
    with pytest.raises(ValidationError):
        Sampled.model_validate({"TRACES_RATIO": value})
