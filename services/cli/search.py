"""`lookalike search PHOTO`: a search through a running gateway, as a table."""

from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.output import fail, out
from services.contracts.domain.catalogues import DEFAULT, path_of

NOTES = {"no_clothing": ": no clothing seen; the closest all the same", "no_close_match": ": nothing really close"}


def search(
    photo: Annotated[Path, typer.Argument(help="The photo: JPEG, PNG, WebP, GIF, BMP or AVIF.")],
    catalogue: Annotated[
        str,
        typer.Option(help="Which catalogue, where there are several, or all of them."),
    ] = DEFAULT,
    k: Annotated[int, typer.Option(min=1, max=100, help="How many results at most.")] = 10,
    offset: Annotated[int, typer.Option(min=0, help="Pass over so many of the best, for further pages.")] = 0,
    category: Annotated[str | None, typer.Option(help="Search this category, not the predicted one.")] = None,
    filter: Annotated[str | None, typer.Option(help='Conditions as JSON, such as {"gender": "Men"}.')] = None,
    box: Annotated[str | None, typer.Option(help="The part to search with: left,top,right,bottom, 0 to 1.")] = None,
    gateway: Annotated[str | None, typer.Option(envvar="GATEWAY_URL", help="The gateway's address.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Find the products that look like a photo."""
    try:
        data = photo.read_bytes()
    except OSError as error:
        fail(f"{photo}: {error.strerror}", 2)
    options = {"k": k, "category": category, "filter": filter, "box": box}
    answer = ask((gateway or default_gateway()) + path_of(catalogue), data, options)
    if json:
        import orjson

        typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2))
    else:
        show(answer, offset)


def default_gateway() -> str:
    """Return the address of the local stack's gateway."""
    from services.local.settings import StackSettings

    return StackSettings().gateway_url


def ask(gateway: str, data: bytes, options: dict[str, Any]) -> dict[str, Any]:
    """Return the gateway's answer to a search; end the command with its problem if it has one."""
    import httpx

    given = {name: value for name, value in options.items() if value is not None}
    try:
        response = httpx.post(
            gateway + "/v1/search",
            content=data,
            params=given,
            headers={"Content-Type": "application/octet-stream"},
            timeout=30,
        )
    except httpx.InvalidURL as error:
        fail(f"{gateway} is no address: {error}", 2)
    except httpx.HTTPError:
        fail(f"no gateway answers at {gateway}: start the stack (make demo), or give --gateway")
    try:
        answer: dict[str, Any] = response.json()
    except ValueError:
        fail(f"what answers at {gateway} is no Lookalike gateway (status {response.status_code})")
    if response.status_code != httpx.codes.OK:
        fail(str(answer.get("detail") or f"the gateway answered {response.status_code}"))
    return answer


def similarity(result: dict[str, Any]) -> str:
    """Return how alike a result is, in words and as a number; nothing where the gateway has no scale."""
    found = result.get("similarity")
    return f"{found['label']}, {found['value']:.2f}" if found else ""


def show(answer: dict[str, Any], offset: int = 0) -> None:
    """Print a search's answer as a table; URLs whole, titles as far as there is room. Places count from 1."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    seen = answer["category"]
    note = NOTES.get(answer["outcome"], "")
    table = Table(title=f"{seen['name']}, {seen['probability']:.1%}{note}", box=box.SIMPLE, title_justify="left")
    spans = any("catalogue" in result for result in answer["results"])
    for name in ("", "score", "similarity", *(["catalogue"] if spans else []), "id", "url"):
        table.add_column(name, no_wrap=True, overflow="ignore")
    table.add_column("title", no_wrap=True, overflow="ellipsis")
    for rank, result in enumerate(answer["results"], offset + 1):
        of = [result["catalogue"]] if spans else []
        cells = (similarity(result), *of, result["id"], result["url"] or "", result["title"] or "")
        table.add_row(str(rank), f"{result['score']:.3f}", *(escape(cell) for cell in cells))
    out.print(table)
    took = answer["timings_ms"]
    out.print(f"model {answer['model']}, {took['total']:.1f} ms, of them network {took['network']:.1f}", style="dim")
