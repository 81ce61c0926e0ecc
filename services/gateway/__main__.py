"""`python -m services.gateway`: run the gateway with settings from environment variables."""

from fastapi import FastAPI

from services.contracts.web.run import Service, run_service
from services.gateway.settings import GatewaySettings


def _create_app(settings: GatewaySettings) -> FastAPI:
    from services.gateway.app import create_app

    return create_app(settings)


SERVICE = Service("gateway", GatewaySettings, _create_app, GatewaySettings.admin_addresses, GatewaySettings.connections)


def main() -> None:
    """Serve until stopped."""
    run_service(SERVICE)


if __name__ == "__main__":
    main()
