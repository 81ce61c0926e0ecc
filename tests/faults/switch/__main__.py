"""`python -m tests.faults.switch`: from FAISS to Milvus and back under load, step by step as docs/scale.md says.

Two gateways behind nginx get requests at a fixed rate: searches by photo and by product, and writes. Shoppers read
searches page by page, and products come and go. No request may fail, no list of results may be of two engines, no write
may be lost, and the engines may differ only where products change. Otherwise the exit status is 1. It needs nginx, and
Milvus by `python -m tools.milvus_server`.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx

from services.catalogue.store.database import CatalogueDatabase
from tests.faults.switch.gateways import index_url_of, running_gateways
from tests.faults.switch.searches import Searches, scores_of, seeded_products
from tests.faults.switch.steps import DATABASE_S, HEAD, Switch
from tests.load.report import write_section
from tests.load.shop import Shop
from tests.support.servers.index import IndexProcess
from tests.support.servers.milvus import IS_INSTALLED, running_milvus
from tests.support.servers.shop import environment
from tests.support.servers.stack import MODEL_DIR, running_stack
from tests.support.waiting import PATIENT, eventually

SCALE = Path("docs/scale.md")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = argparse.ArgumentParser(prog="python -m tests.faults.switch", description=__doc__)
    result.add_argument("--rate", type=float, default=20.0, help="requests a second")
    result.add_argument("--seconds", type=float, default=10.0, help="time after each step")
    result.add_argument("--products", type=int, default=3000, help="number of products that do not change")
    result.add_argument("--shoppers", type=int, default=4, help="number of shoppers who read page by page")
    result.add_argument("--search", choices=("flat", "hnsw"), default="flat", help="the index in Milvus")
    result.add_argument("--search-width", type=int, default=24, help="candidates of hnsw: few, so that it differs")
    result.add_argument(
        "--patient", action="store_true", help="without the deadlines of the services: other work fails no request"
    )
    result.add_argument("--write", action="store_true", help="write the figures into docs/scale.md")
    return result


def switched(folder: Path, options: argparse.Namespace) -> Switch:
    """Run everything, and return what came of it."""
    patience = PATIENT if options.patient else {}
    with ExitStack() as exits:
        exits.enter_context(environment(patience))
        stack = exits.enter_context(running_stack(folder))
        model = httpx.get(f"{index_url_of(stack)}/v1/status", trust_env=False).json()["model"]
        products = seeded_products(options.products, model)
        asyncio.run(_put(stack.settings.mongo_url, products))
        eventually(lambda: _products(index_url_of(stack)) >= len(products))
        shop = Shop(stack.settings.gateway_url)
        shop.open()
        server = exits.enter_context(running_milvus(folder / "milvus"))
        settings = {
            "INDEX_ENGINE": "milvus",
            "INDEX_MILVUS_URI": server.uri,
            "INDEX_MILVUS_SEARCH": options.search,
            "INDEX_MILVUS_SEARCH_WIDTH": str(options.search_width),
            "INDEX_MODEL_DIR": str(MODEL_DIR),
            **patience,
        }
        index = IndexProcess(folder, stack.settings.mongo_url, **settings)
        exits.callback(index.http.close)
        exits.callback(index.stop)
        gateways = exits.enter_context(running_gateways(stack, folder, {"INDEX_URL": index_url_of(stack)}))
        switch = Switch(options, stack, shop, index, server)
        asyncio.run(switch.all(gateways, Searches(scores_of(products)), model))
        return switch


async def _put(mongo_url: str, products: Sequence[object]) -> None:
    async with CatalogueDatabase(mongo_url, timeout_s=DATABASE_S) as database:
        report = await database.products.put_many(products)  # type: ignore[arg-type]
        assert not report.failures


def _products(index_url: str) -> int:
    status = httpx.get(f"{index_url}/v1/status", trust_env=False).json()
    return int(status["catalogues"]["default"]["products"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status."""
    options = parser().parse_args(arguments)
    if not IS_INSTALLED or shutil.which("nginx") is None:
        sys.exit("this needs nginx, and Milvus: pip install pymilvus, and python -m tools.milvus_server")
    with suppress(KeyboardInterrupt), tempfile.TemporaryDirectory(prefix="lookalike-switch-") as name:
        switch = switched(Path(name), options)
        for note in switch.notes():
            sys.stdout.write(f"  {note}\n")
        for problem in sorted(switch.problems, key=switch.problems.count)[:20]:
            sys.stdout.write(f"! {problem}\n")
        if options.write:
            write_section(f"switch {options.search}", [HEAD, *switch.rows], switch.notes(), SCALE)
        return int(bool(switch.problems))
    return 130


if __name__ == "__main__":
    sys.exit(main())
