"""`python -m services.index`: the index service on its port, set by environment variables."""

import os

# Before NumPy and FAISS are loaded: each searching thread would bring an OpenMP pool of its own.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from fastapi import FastAPI

from services.contracts.manifest import load_manifest
from services.contracts.run import run_service
from services.index.settings import IndexSettings


def main() -> None:
    """Serve until told to stop."""
    from services.index.app import create_app

    def checked(settings: IndexSettings) -> FastAPI:
        load_manifest(settings.model_dir)  # here, a missing model is a sentence; in the lifespan it is a traceback
        return create_app(settings)

    run_service("index", IndexSettings, checked)


if __name__ == "__main__":
    main()
