"""What OpenAPI says of a body that is a photo in any of its forms, and of what may be wrong with it."""

from collections.abc import Mapping
from typing import Any

from services.contracts.domain import errors
from services.gateway.search.request import FORM, JSON

Schemas = Mapping[str, Mapping[str, Any]]
BINARY = {"type": "string", "format": "binary"}
PHOTO_ERRORS = (
    errors.InvalidRequest,
    errors.InvalidImage,
    errors.ImageUrlRefused,
    errors.ImageUrlFailed,
    errors.ImageTooLarge,
    errors.UnsupportedImage,
)


def photo_body(examples: Schemas, fields: Schemas | None = None, members: Schemas | None = None) -> dict[str, Any]:
    """Return the schema of the body.

    Args:
        examples: of the body in JSON.
        fields: of the options in a form.
        members: of the options in JSON.
    """
    ways = {"image_url": {"type": "string", "format": "uri"}, "image_base64": {"type": "string"}}
    return {
        "required": True,
        "content": {
            FORM: {
                "schema": {"type": "object", "required": ["image"], "properties": {"image": BINARY, **(fields or {})}}
            },
            JSON: {
                "schema": {
                    "type": "object",
                    "properties": {**ways, **(members or {})},
                    "oneOf": [{"required": ["image_url"]}, {"required": ["image_base64"]}],
                    "additionalProperties": False,
                },
                "examples": examples,
            },
            "image/*": {"schema": BINARY},
        },
    }
