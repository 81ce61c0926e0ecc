"""`python -m services.index`: runs the index service, with settings from environment variables."""

import os
import sys

# Before NumPy and FAISS are loaded; otherwise each searching thread has an OpenMP pool of its own.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from fastapi import FastAPI

from services.contracts.domain.categories import held_categories
from services.contracts.domain.errors import UnknownCategory
from services.contracts.domain.manifest import load_manifest
from services.contracts.web.lean_imports import lean_imports
from services.contracts.web.run import Service, exit_with, run_service
from services.index.settings import IndexSettings

# Seconds after which a thread that changes the index lets a search run; Python's default is 0.005. Nine in ten searches
# during changes took at most 2 to 3 ms instead of 5 to 7 (measured on busy processors).
SWITCH_INTERVAL_S = 0.0005


@lean_imports()
def service() -> Service[IndexSettings]:
    """Return the service, whose app is imported only to run it, before the log begins: FAISS reports what it loads."""
    from services.index.app import create_app

    def checked(settings: IndexSettings) -> FastAPI:
        manifest = load_manifest(
            settings.model_dir
        )  # here a missing file is one line; in the lifespan it is a traceback
        try:
            held_categories(settings.categories, manifest.categories)
        except UnknownCategory as error:
            exit_with(f"lookalike index: setting INDEX_CATEGORIES: {error}")
        return create_app(settings)

    return Service("index", IndexSettings, checked)


def main() -> None:
    """Serve until the process is terminated."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    run_service(service())


if __name__ == "__main__":
    main()
