"""`python -m services.gateway`: the gateway on its port, set by environment variables."""

from services.contracts.web.run import run_service
from services.gateway.settings import GatewaySettings


def main() -> None:
    """Serve until told to stop."""
    from services.gateway.app import create_app

    run_service("gateway", GatewaySettings, create_app)


if __name__ == "__main__":
    main()
