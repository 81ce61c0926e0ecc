"""Print the OpenAPI document of a service, or the JSON schemas of the files that services and commands read.

`python -m tools.openapi [gateway|embedding|index|files]`
"""

import sys
from typing import Any

import orjson

from services.catalogue.sources.records.mapping import FeedMapping
from services.contracts.domain.manifest import DetectorManifest, Manifest
from services.embedding import app as embedding
from services.embedding.settings import EmbeddingSettings
from services.gateway import app as gateway
from services.gateway.settings import GatewaySettings
from services.gateway.shop_page import ShopPage
from services.index import app as index
from services.index.settings import IndexSettings
from services.look.manifest import LookManifest

FILES = (ShopPage, FeedMapping, Manifest, DetectorManifest, LookManifest)


def documents() -> dict[str, dict[str, Any]]:
    """Return the OpenAPI document of each service, by its name, and the schemas of files as `files`."""
    apps = {
        "gateway": gateway.create_app(GatewaySettings()),
        "embedding": embedding.create_app(EmbeddingSettings()),
        "index": index.create_app(IndexSettings()),
    }
    files = {model.__name__: model.model_json_schema() for model in FILES}
    return {"files": files, **{name: app.openapi() for name, app in apps.items()}}


if __name__ == "__main__":
    document = documents()[sys.argv[1] if len(sys.argv) > 1 else "gateway"]
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
