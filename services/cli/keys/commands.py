"""`lookalike keys create`, `list`, `rotate` and `revoke`."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from services.cli.catalogues import chosen
from services.cli.dataclass_command import with_options
from services.cli.options import Database, Json
from services.cli.output import fail, sentence
from services.cli.own_stack import announce_target

if TYPE_CHECKING:
    from services.cli.keys.session import KeySession

T = TypeVar("T")
app = typer.Typer(help="API keys: who may call the gateway, and for what.", no_args_is_help=True)
KeyId = Annotated[str, typer.Argument(help="The key: its id, or a secret of it.", show_default=False)]
DEFAULT_OVERLAP = "7d"


@app.command("create")
@with_options
def create(
    database: Database,
    name: Annotated[str, typer.Argument(help="Whose key it is, for people.", show_default=False)],
    scope: Annotated[
        list[str],
        typer.Option(help="What it opens: search, catalogue, metrics or admin. Can be repeated.", show_default=False),
    ],
    catalogue: Annotated[
        list[str] | None, typer.Option(help="A catalogue that it opens. Can be repeated. Default: every one.")
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="A web page's origin that may use it: https://shop.example. Can be repeated. Default: any."),
    ] = None,
    quota: Annotated[
        str | None, typer.Option(help="Its requests in a time: 600/minute. Default: that of the gateway's settings.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="When it ends: 90d, 12h, or a date such as 2030-01-31. Default: never.")
    ] = None,
    json: Json = False,
) -> None:
    """Create a key and print its secret, which is shown only this once."""
    from services.cli.keys.display import show_secret
    from services.cli.keys.values import origins, parse_expiry, quota_of, scopes

    names = [chosen(text) for text in catalogue or ()]
    try:
        opened, pages = scopes(scope), origins(origin or ())
        rate, expires_at = quota_of(quota), parse_expiry(expires)
    except ValueError as error:
        fail(str(error), 2)
    limits = {"catalogues": names, "origins": pages, "quota": rate, "expires_at": expires_at}
    announce_target(database.mongo_url, database.mongo_database)
    key, secret = _run(lambda session: session.create(name, opened, **limits), database)
    show_secret(key, secret, as_json=json)


@app.command("list")
@with_options
def list_(database: Database, json: Json = False) -> None:
    """List the keys, without their secrets."""
    from services.cli.keys.display import show_keys

    show_keys(_run(lambda session: session.keys(), database), as_json=json)


@app.command("rotate")
@with_options
def rotate(
    database: Database,
    key: KeyId,
    overlap: Annotated[
        str, typer.Option(help="How long the present secret stays valid in addition: 7d, 12h, 30m, or 0.")
    ] = DEFAULT_OVERLAP,
    json: Json = False,
) -> None:
    """Give a key a new secret and print it. The present one stays valid for the overlap."""
    from services.cli.keys.display import show_secret
    from services.cli.keys.values import parse_duration

    try:
        duration = parse_duration(overlap)
    except ValueError as error:
        fail(str(error), 2)
    announce_target(database.mongo_url, database.mongo_database)
    changed, secret = _run(lambda session: session.rotate(key, duration), database)
    show_secret(changed, secret, as_json=json)


@app.command("revoke")
@with_options
def revoke(
    database: Database,
    key: KeyId,
    previous: Annotated[bool, typer.Option("--previous", help="End only the secret before the last rotation.")] = False,
    json: Json = False,
) -> None:
    """End a key. Gateways refuse it within GATEWAY_KEYS_REFRESH_S seconds."""
    from services.cli.keys.display import show_revoked

    announce_target(database.mongo_url, database.mongo_database)
    show_revoked(_run(lambda session: session.revoke(key, previous=previous), database), previous, as_json=json)


def _run(work: "Callable[[KeySession], Awaitable[T]]", database: Database) -> T:
    """Return what `work` returns; end the command with a message if it fails."""
    import asyncio

    from services.catalogue.api_key import KeyRefused
    from services.catalogue.store.database import CatalogueDatabase
    from services.cli.keys.session import KeySession
    from services.contracts.domain.errors import LookalikeError

    async def run() -> T:
        async with CatalogueDatabase(database.mongo_url, database.mongo_database) as store:
            return await work(KeySession(store.keys))

    try:
        return asyncio.run(run())
    except KeyRefused as error:
        fail(str(error))
    except LookalikeError as error:
        fail(sentence(error))
