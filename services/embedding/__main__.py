"""`python -m services.embedding`: runs the embedding service with the settings of the environment."""

from services.contracts.web.lean_imports import lean_imports
from services.contracts.web.run import Service, run_service
from services.embedding.settings import EmbeddingSettings


@lean_imports()
def service() -> Service[EmbeddingSettings]:
    """Return the service, whose app is imported only to run it."""
    from services.embedding.app import create_app

    return Service("embedding", EmbeddingSettings, create_app)


def main() -> None:
    """Serve until a stop signal."""
    run_service(service())


if __name__ == "__main__":
    main()
