"""Options that several commands share."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

T = TypeVar("T")
AllowHost = Annotated[
    list[str] | None,
    typer.Option(help="host:port of a server that is not public but may be read. Can be repeated."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
UnversionedModel = Annotated[
    str, typer.Option(envvar="INDEX_UNVERSIONED_MODEL", help="The model of documents that name no model.")
]
Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait for a service that is unavailable.")]
FIRST_MODEL = "fashion/1"


@dataclass(frozen=True)
class Services:
    """The addresses of the services that a command uses."""

    embedding_url: Annotated[str, typer.Option(envvar="EMBEDDING_URL", help="The embedding service's address.")] = (
        "http://127.0.0.1:8001"
    )
    mongo_url: Annotated[
        str, typer.Option(envvar="MONGO_URL", help="MongoDB's address.", show_default="mongodb://127.0.0.1:27017")
    ] = "mongodb://127.0.0.1:27017"
    mongo_database: Annotated[str, typer.Option(envvar="MONGO_DATABASE", help="The database's name.")] = "lookalike"


@dataclass(frozen=True)
class GatewayServices(Services):
    """The addresses of the services that a command uses, the gateway's among them."""

    gateway: Annotated[
        str | None,
        typer.Option(envvar="GATEWAY_URL", help="The gateway's address.", show_default="the local stack's"),
    ] = None


def with_options(command: Callable[..., T]) -> Callable[..., T]:
    """Give a Typer command one option for each field of its parameters that are dataclasses.

    The fields are annotated as a command's parameters are: `Annotated[str, typer.Option(...)]`. Their options are
    listed last. The command is called with the dataclasses.
    """
    hints = get_type_hints(command, include_extras=True)
    groups = {name: hints[name] for name in inspect.signature(command).parameters if is_dataclass(hints.get(name))}

    @wraps(command)
    def expanded(**values: Any) -> T:
        for name, group in groups.items():
            values[name] = group(**{field.name: values.pop(field.name) for field in fields(group)})
        return command(**values)

    parameters = [parameter for parameter in _parameters(command) if parameter.name not in groups]
    for group in groups.values():
        parameters += _parameters(group)
    expanded.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    expanded.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return expanded


def _parameters(command: Callable[..., Any]) -> list[Parameter]:
    """Return a callable's parameters, as ones that are passed by name and whose annotations are types."""
    hints = get_type_hints(command, include_extras=True)
    return [
        parameter.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[parameter.name])
        for parameter in inspect.signature(command).parameters.values()
    ]
