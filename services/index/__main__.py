"""`python -m services.index`: the index service on its port, set by environment variables."""

import os
import sys

# Before NumPy and FAISS are loaded: each searching thread would bring an OpenMP pool of its own.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from fastapi import FastAPI

from services.contracts.domain.categories import held_categories
from services.contracts.domain.errors import UnknownCategory
from services.contracts.domain.manifest import load_manifest
from services.contracts.web.run import exit_with, run_service
from services.index.settings import IndexSettings

# Code that changes the index lets a search go on after so many seconds, in the place of Python's 0.005: nine in ten searches
# beside it took 2 to 3 ms at most, in the place of 5 to 7 (measured on busy processors).
SWITCH_S = 0.0005


def main() -> None:
    """Serve until told to stop."""
    from services.index.app import create_app

    sys.setswitchinterval(SWITCH_S)

    def checked(settings: IndexSettings) -> FastAPI:
        manifest = load_manifest(settings.model_dir)  # here, what is missing is a sentence; in the lifespan a traceback
        try:
            held_categories(settings.categories, manifest.categories)
        except UnknownCategory as error:
            exit_with(f"lookalike index: setting INDEX_CATEGORIES: {error}")
        return create_app(settings)

    run_service("index", IndexSettings, checked)


if __name__ == "__main__":
    main()
