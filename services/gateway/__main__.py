"""`python -m services.gateway`: run the gateway with settings from environment variables."""

from services.contracts.web.run import run_service
from services.gateway.settings import GatewaySettings


def main() -> None:
    """Serve until stopped."""
    from services.gateway.app import create_app

    run_service("gateway", GatewaySettings, create_app, GatewaySettings.admin_addresses, GatewaySettings.connections)


if __name__ == "__main__":
    main()
