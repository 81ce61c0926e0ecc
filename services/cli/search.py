"""`lookalike search PHOTO`: a search through a running gateway, as a table."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.options import Key
from services.cli.output import fail, out
from services.contracts.domain.catalogues import DEFAULT_CATALOGUE, path_of

NOTES = {
    "no_clothing": ": no clothing found; the closest products",
    "other_clothing": ": a garment of another kind; the closest products",
    "no_close_match": ": no close match",
}


class Crop(StrEnum):
    """Whether a search may look at one garment of the photo."""

    auto = "auto"
    none = "none"


def search(
    photo: Annotated[Path, typer.Argument(help="The photo: JPEG, PNG, WebP, GIF, BMP, AVIF or HEIC.")],
    catalogue: Annotated[str, typer.Option(help="The catalogue to search, or all.")] = DEFAULT_CATALOGUE,
    k: Annotated[int, typer.Option(min=1, max=100, help="Number of results, at most.")] = 10,
    offset: Annotated[int, typer.Option(min=0, help="Number of results to skip.")] = 0,
    category: Annotated[
        str | None, typer.Option(help="Search this category. Default: the predicted one.", show_default=False)
    ] = None,
    filter: Annotated[str | None, typer.Option(help='Conditions as JSON, such as {"gender": "Men"}.')] = None,
    box: Annotated[
        str | None, typer.Option(help="The part of the photo to search with: left,top,right,bottom, each 0 to 1.")
    ] = None,
    crop: Annotated[
        Crop, typer.Option(help="Without --box: look at the surest garment by itself where that helps, or never.")
    ] = Crop.auto,
    gateway: Annotated[str | None, typer.Option(envvar="GATEWAY_URL", help="The gateway's address.")] = None,
    key: Key = None,
    json: Annotated[bool, typer.Option("--json", help="Print the response as JSON.")] = False,
) -> None:
    """Find the products that look like a photo."""
    try:
        data = photo.read_bytes()
    except OSError as error:
        fail(f"{photo}: {error.strerror}", 2)
    options = {"k": k, "offset": offset, "category": category, "filter": filter, "box": box, "crop": str(crop)}
    response = request_search((gateway or default_gateway()) + path_of(catalogue), data, options, key)
    if json:
        import orjson

        typer.echo(orjson.dumps(response, option=orjson.OPT_INDENT_2))
    else:
        show(response, offset)


def default_gateway() -> str:
    """Return the address of the local stack's gateway."""
    import os

    return f"http://127.0.0.1:{os.environ.get('GATEWAY_PORT', '').strip() or 8000}"


def request_search(gateway: str, data: bytes, options: dict[str, Any], key: str | None = None) -> dict[str, Any]:
    """Return the gateway's response to a search; end the command if it is a problem."""
    import httpx

    from services.cli.gateway_client import authorization

    try:
        response = httpx.post(
            gateway + "/v1/search",
            content=data,
            params={name: value for name, value in options.items() if value is not None},
            headers={"Content-Type": "application/octet-stream", **authorization(key)},
            timeout=30,
            trust_env=False,
        )
    except httpx.InvalidURL as error:
        fail(f"{gateway} is not a valid address: {error}", 2)
    except httpx.HTTPError:
        fail(f"no gateway answers at {gateway}: start the stack (make demo), or give --gateway")
    try:
        document: dict[str, Any] = response.json()
    except ValueError:
        fail(f"the server at {gateway} is not a Lookalike gateway (status {response.status_code})")
    if response.status_code != httpx.codes.OK:
        fail(str(document.get("detail") or f"the gateway answered {response.status_code}"))
    return document


def similarity(result: dict[str, Any]) -> str:
    """Return a result's calibrated similarity, as its label and its value; empty without a scale."""
    value = result.get("similarity")
    return f"{value['label']}, {value['value']:.2f}" if value else ""


def show(response: dict[str, Any], offset: int = 0) -> None:
    """Print a search's response as a table: URLs whole, titles cut where the terminal ends. Ranks count from 1."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    category = response["category"]
    note = NOTES.get(response["outcome"], "")
    table = Table(
        title=f"{category['name']}, {category['probability']:.1%}{note}", box=box.SIMPLE, title_justify="left"
    )
    has_catalogues = any("catalogue" in result for result in response["results"])
    for name in ("", "score", "similarity", *(["catalogue"] if has_catalogues else []), "id", "url"):
        table.add_column(name, no_wrap=True, overflow="ignore")
    table.add_column("title")  # the only column that may be narrower than its texts
    for rank, result in enumerate(response["results"], offset + 1):
        catalogue = [result["catalogue"]] if has_catalogues else []
        cells = (similarity(result), *catalogue, result["id"], result["url"] or "")
        title = Text(result["title"] or "", no_wrap=True, overflow="ellipsis")
        table.add_row(str(rank), f"{result['score']:.3f}", *(escape(cell) for cell in cells), title)
    out.print(table)
    if response.get("crop"):
        garment = response["crop"]["category"]
        out.print(
            f"looked at the garment found in the photo: {garment['name']}, {garment['probability']:.1%}", style="dim"
        )
    timings = response["timings_ms"]
    text = f"model {response['model']}, {timings['total']:.1f} ms, of which the network {timings['network']:.1f}"
    out.print(text, style="dim")
