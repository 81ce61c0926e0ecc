"""Schemas of request bodies, by name in the OpenAPI document.

A body that has a name gets a class of that name in generated clients. FastAPI names only bodies that it reads itself.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from services.contracts.web.problems import SCHEMAS

Schema = dict[str, Any]
_components: dict[str, Schema] = {}


def named(name: str, schema: Schema) -> Schema:
    """Give a schema a name; return the reference to it."""
    _components[name] = schema
    return {"$ref": SCHEMAS + name}


def named_model(model: type[BaseModel]) -> Schema:
    """Give the schemas of a model, and of those that it refers to, their names; return the reference to it.

    A default is left out: a generated client would send it, and values in the body come before those of the query.
    """
    schema = model.model_json_schema(ref_template=SCHEMAS + "{model}")
    for name, inner in schema.pop("$defs", {}).items():
        named(name, _without_defaults(inner))
    return named(model.__name__, _without_defaults(schema))


def without_default(properties: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return the properties of a body without their defaults, which their descriptions name."""
    return {name: _described_default(schema) for name, schema in properties.items()}


def add_to(document: Schema) -> None:
    """Add the named schemas to an OpenAPI document."""
    document["components"]["schemas"].update(_components)


def _without_defaults(schema: Schema) -> Schema:
    properties: Mapping[str, Schema] = schema.get("properties", {})
    return {**schema, "properties": {name: _plain(value) for name, value in properties.items()}}


def _plain(schema: Schema) -> Schema:
    return {name: value for name, value in schema.items() if name not in ("default", "title")}


def _described_default(schema: Schema) -> Schema:
    if "default" not in schema:
        return schema
    plain = {name: value for name, value in schema.items() if name != "default"}
    default = str(schema["default"]).lower() if isinstance(schema["default"], bool) else schema["default"]
    text = plain.get("description")
    return plain | {"description": f"{text}; default: {default}" if text else f"default: {default}"}
