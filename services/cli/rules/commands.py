"""`lookalike rules list`, `set`, `check` and `delete`, through a running gateway, which writes the audit lines."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from services.cli.catalogues import Catalogue, chosen
from services.cli.dataclass_command import with_options
from services.cli.options import Json, Key
from services.cli.output import fail, print_json, print_line

if TYPE_CHECKING:
    from services.cli.gateway_client import GatewayClient

T = TypeVar("T")
app = typer.Typer(help="Merchandising rules: boost, bury, pin and hide products in results.", no_args_is_help=True)
RulesFile = Annotated[
    Path, typer.Argument(help="JSON as GET /v1/merchandising/rules returns it, or a list of rules; - for stdin.")
]
MAX_BYTES = 1024 * 1024


@dataclass(frozen=True)
class GatewayOptions:
    """The gateway and the catalogue that a command works on."""

    gateway: Annotated[str | None, typer.Option(envvar="GATEWAY_URL", help="The gateway's address.")] = None
    key: Key = None
    catalogue: Catalogue = None


@app.command("list")
@with_options
def list_(options: GatewayOptions, json: Json = False) -> None:
    """List the rules. With --json, in the form that `set` takes."""
    from services.cli.rules.display import show_rules

    document, _ = _call(options, lambda client, catalogue: client.rules(catalogue))
    if json:
        print_json(document)
    else:
        show_rules(document)


@app.command("set")
@with_options
def set_(options: GatewayOptions, file: RulesFile) -> None:
    """Replace all rules by those of a file. Gateways follow them within GATEWAY_RULES_REFRESH_S seconds."""
    document = _read(file)
    saved = _call(options, lambda client, catalogue: client.put_rules(catalogue, document))
    print_line(f"{len(saved['rules']['rules'])} rules hold now")
    _warn(saved["warnings"])


@app.command("check")
@with_options
def check(
    options: GatewayOptions,
    file: RulesFile,
    product: Annotated[
        str | None,
        typer.Option(help="Show the similar products of this product by the rules, next to the plain order."),
    ] = None,
    k: Annotated[int, typer.Option(min=1, max=100, help="Number of results to show.")] = 10,
    json: Json = False,
) -> None:
    """Say whether the rules of a file are valid, and what they would do. Nothing is stored.

    Without --product, no gateway is called.
    """
    document = _read(file)
    if product is None:
        print_line(f"{file}: {len(document['rules'])} rules are valid")
        return
    from services.cli.rules.display import show_preview

    request = {"product": product, "rules": document, "k": k}
    preview = _call(options, lambda client, catalogue: client.preview(catalogue, request))
    if json:
        print_json(preview)
    else:
        show_preview(preview)
        _warn(preview["warnings"])


@app.command("delete")
@with_options
def delete(
    options: GatewayOptions, id: Annotated[str, typer.Argument(help="The rule's id.", show_default=False)]
) -> None:
    """Delete a rule."""

    def without(client: "GatewayClient", catalogue: str) -> None:
        document, etag = client.rules(catalogue)
        kept = {name: [rule for rule in document[name] if rule["id"] != id] for name in ("rules", "apart")}
        if all(len(rules) == len(document[name]) for name, rules in kept.items()):
            fail(f"there is no rule {id!r}: lookalike rules list names them")
        client.put_rules(catalogue, {**document, **kept}, etag)

    _call(options, without)
    print_line(f"the rule {id} is deleted")


def _read(file: Path) -> dict[str, Any]:
    """Return the rules of a file; end the command with a message if they are not valid."""
    import orjson
    from pydantic import ValidationError

    from services.catalogue.merchandising import Merchandising
    from services.contracts.domain.errors import validation_message

    try:
        data = sys.stdin.buffer.read(MAX_BYTES + 1) if str(file) == "-" else file.read_bytes()
    except OSError as error:
        fail(f"{file}: {error.strerror}", 2)
    if len(data) > MAX_BYTES:
        fail(f"{file} has more than {MAX_BYTES:,} bytes", 2)
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        fail(f"{file} is not valid JSON: {error}", 2)
    try:
        rules = Merchandising.model_validate({"rules": document} if isinstance(document, list) else document)
    except ValidationError as error:
        places = [
            f"{'.'.join(map(str, item['loc'])) or 'rules'}: {validation_message(item, Merchandising)}"
            for item in error.errors()
        ]
        fail(f"{file}: {'; '.join(places[:5])}", 2)
    return rules.model_dump(mode="json")


def _warn(warnings: list[str]) -> None:
    for warning in warnings:
        typer.echo(f"without effect at present: {warning}", err=True)


def _call(options: GatewayOptions, work: "Callable[[GatewayClient, str], T]") -> T:
    """Return what `work` returns; end the command with a message if the gateway fails."""
    from services.cli.gateway_client import GatewayClient, GatewayError
    from services.cli.search import default_gateway

    catalogue = chosen(options.catalogue)
    try:
        with GatewayClient(options.gateway or default_gateway(), options.key) as client:
            return work(client, catalogue)
    except ValueError as error:
        fail(str(error), 2)
    except GatewayError as error:
        fail(str(error))
