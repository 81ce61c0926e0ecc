"""Options that several commands share."""

from dataclasses import dataclass
from typing import Annotated

import typer

from services.contracts.domain.parts import Part

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


def _part(text: str) -> Part:
    try:
        return Part.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


OnePart = Annotated[
    Part | None,
    typer.Option(
        "--part",
        "--shard",
        parser=_part,
        metavar="I/N",
        help="Only the products of one of n parts, such as 2/4: several processes share the work.",
        show_default="all products",
    ),
]


Key = Annotated[
    str | None,
    typer.Option(
        envvar=["LOOKALIKE_KEY", "GATEWAY_ADMIN_KEY"], help="The API key, if the gateway needs one.", show_envvar=True
    ),
]


@dataclass(frozen=True)
class Database:
    """The database that a command uses."""

    mongo_url: Annotated[
        str, typer.Option(envvar="MONGO_URL", help="MongoDB's address.", show_default="mongodb://127.0.0.1:27017")
    ] = "mongodb://127.0.0.1:27017"
    mongo_database: Annotated[str, typer.Option(envvar="MONGO_DATABASE", help="The database's name.")] = "lookalike"


@dataclass(frozen=True)
class Services(Database):
    """The addresses of the services that a command uses."""

    embedding_url: Annotated[str, typer.Option(envvar="EMBEDDING_URL", help="The embedding service's address.")] = (
        "http://127.0.0.1:8001"
    )
    service_token: Annotated[
        str | None, typer.Option(envvar="SERVICE_TOKEN", help="The token of the services, if they ask for one.")
    ] = None


@dataclass(frozen=True)
class GatewayServices(Services):
    """The addresses of the services that a command uses, the gateway's among them."""

    gateway: Annotated[
        str | None,
        typer.Option(envvar="GATEWAY_URL", help="The gateway's address.", show_default="the local stack's"),
    ] = None
    key: Key = None
