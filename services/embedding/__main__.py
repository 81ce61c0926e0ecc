"""`python -m services.embedding`: runs the embedding service with the settings of the environment."""

from services.contracts.web.run import run_service
from services.embedding.settings import EmbeddingSettings


def main() -> None:
    """Serve until a stop signal."""
    from services.embedding.app import create_app

    run_service("embedding", EmbeddingSettings, create_app)


if __name__ == "__main__":
    main()
