"""Print the gateway's OpenAPI document."""

import sys

import orjson

from services.gateway.app import create_app
from services.gateway.settings import GatewaySettings

if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(create_app(GatewaySettings()).openapi(), option=orjson.OPT_INDENT_2) + b"\n")
