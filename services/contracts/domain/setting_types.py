"""Types of settings that are checked when a service starts, so that a wrong value ends it with a sentence."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr

from services.contracts.domain.origin import origin_of, parse_origin

HOST_AND_PORT = re.compile(r"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})")
HIGHEST_PORT = 65_535


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_upper)]


def http_address(value: str) -> str:
    """Return an address of HTTP without a slash at its end.

    Raises:
        ValueError: it has no scheme or no host, or white space.
    """
    if origin_of(value) is None or re.search(r"\s", value):
        raise ValueError(f"{value!r} is no address: write it with its scheme, such as http://index:8002")
    return value.rstrip("/")


def host_and_port(value: str) -> str:
    """Return a host and its port, in lower case.

    Raises:
        ValueError: it has a scheme, a path or no port.
    """
    match = HOST_AND_PORT.fullmatch(value)
    if match is None or not 0 < int(match[1]) <= HIGHEST_PORT:
        raise ValueError(f"{value!r} is no host with a port: write it without scheme and path, such as tfs:8500")
    return value.lower()


def _mongo_url(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    scheme, separator, rest = text.partition("://")
    address = re.split(r"[/?]", rest, maxsplit=1)[0]
    if scheme not in ("mongodb", "mongodb+srv") or not separator or not address.rpartition("@")[2]:
        raise ValueError("write an address of MongoDB, such as mongodb://mongo:27017")
    if "@" in rest.partition("?")[0].replace(address, "", 1) or address.count("@") > 1:
        raise ValueError("the user's name or password has an @, / or ?: write them as %40, %2F and %3F")
    if address.rpartition("@")[0].count(":") > 1:
        raise ValueError("the user's name or password has a colon: write it as %3A")
    return value


def _header_text(value: SecretStr | None) -> SecretStr | None:
    if value is not None and not re.fullmatch(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?", value.get_secret_value()):
        raise ValueError("a key travels in a header: use letters, digits and signs of ASCII, without spaces around it")
    return value


HttpAddress = Annotated[str, AfterValidator(http_address)]
TracesEndpoint = Annotated[
    HttpAddress | None,
    BeforeValidator(lambda value: value or None),
    Field(
        None,
        validation_alias=AliasChoices("TRACES_ENDPOINT", "traces_endpoint"),
        description="address of the collector for traces (OTLP over HTTP); empty: no traces",
    ),
]
TracesRatio = Annotated[
    float,
    Field(
        1.0,
        ge=0,
        le=1,
        validation_alias=AliasChoices("TRACES_RATIO", "traces_ratio"),
        description="part of the requests that are traced",
    ),
]
Origin = Annotated[str, AfterValidator(parse_origin)]
HostAndPort = Annotated[str, AfterValidator(host_and_port)]
MongoUrl = Annotated[SecretStr, AfterValidator(_mongo_url)]
HeaderSecret = Annotated[SecretStr, AfterValidator(_header_text)]
