"""Print the OpenAPI document of a service: `python -m tools.openapi [gateway|embedding|index]`."""

import sys
from typing import Any

import orjson

from services.embedding import app as embedding
from services.embedding.settings import EmbeddingSettings
from services.gateway import app as gateway
from services.gateway.settings import GatewaySettings
from services.index import app as index
from services.index.settings import IndexSettings


def documents() -> dict[str, dict[str, Any]]:
    """Return the OpenAPI document of each service, by its name."""
    apps = {
        "gateway": gateway.create_app(GatewaySettings()),
        "embedding": embedding.create_app(EmbeddingSettings()),
        "index": index.create_app(IndexSettings()),
    }
    return {name: app.openapi() for name, app in apps.items()}


if __name__ == "__main__":
    document = documents()[sys.argv[1] if len(sys.argv) > 1 else "gateway"]
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
