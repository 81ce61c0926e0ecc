"""`python -m services.embedding`: the embedding service on its port, set by environment variables."""

from services.contracts.web.run import run_service
from services.embedding.settings import EmbeddingSettings


def main() -> None:
    """Serve until told to stop."""
    from services.embedding.app import create_app

    run_service("embedding", EmbeddingSettings, create_app)


if __name__ == "__main__":
    main()
