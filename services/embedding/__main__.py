"""`python -m services.embedding`: runs the embedding service with the settings of the environment."""

from fastapi import FastAPI

from services.contracts.web.run import Service, run_service
from services.embedding.settings import EmbeddingSettings


def _create_app(settings: EmbeddingSettings) -> FastAPI:
    from services.embedding.app import create_app

    return create_app(settings)


SERVICE = Service("embedding", EmbeddingSettings, _create_app)


def main() -> None:
    """Serve until a stop signal."""
    run_service(SERVICE)


if __name__ == "__main__":
    main()
