"""`python -m services.sample_shop`: write the sample catalogue, or check a model against it."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from services.sample_shop.catalogue import PER_CATEGORY, SEED, SampleError, sample_products, write_sample
from services.sample_shop.check import check_model
from services.sample_shop.sheet import contact_sheet, save_sheet


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.sample_shop", description=__doc__)
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write images and catalogue.ndjson here")
    parser.add_argument("--sheet", type=Path, metavar="PICTURE", help="save a contact sheet, PNG or JPEG")
    parser.add_argument(
        "--check",
        type=Path,
        metavar="MODEL_DIR",
        help="classify the products with this model, and print a report as JSON",
    )
    parser.add_argument(
        "--per-category",
        type=int,
        default=PER_CATEGORY,
        metavar="N",
        help="products in each category (default: %(default)s)",
    )
    parser.add_argument(
        "--columns", type=int, default=12, metavar="N", help="pictures in a row of the sheet (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=SEED, metavar="N", help="seed of the catalogue (default: %(default)s)"
    )
    return parser


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not (options.out or options.sheet or options.check):
        parser.error("give --out FOLDER, --sheet PICTURE or --check MODEL_DIR")
    try:
        if options.out:
            feed = write_sample(options.out, options.per_category, options.seed)
            sys.stdout.write(f"{feed}\n")
        if options.sheet:
            save_sheet(
                contact_sheet(sample_products(options.seed, options.per_category), max(1, options.columns)),
                options.sheet,
            )
        if options.check:
            report = check_model(options.check, sample_products(options.seed, options.per_category))
            sys.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    except SampleError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run())
