"""`python -m services.gateway`: run the gateway with settings from environment variables."""

from services.contracts.web.lean_imports import lean_imports
from services.contracts.web.run import Service, run_service
from services.gateway.settings import GatewaySettings


@lean_imports()
def service() -> Service[GatewaySettings]:
    """Return the service, whose app is imported only to run it."""
    from services.gateway.app import create_app

    return Service("gateway", GatewaySettings, create_app, GatewaySettings.admin_addresses, GatewaySettings.connections)


def main() -> None:
    """Serve until stopped."""
    run_service(service())


if __name__ == "__main__":
    main()
