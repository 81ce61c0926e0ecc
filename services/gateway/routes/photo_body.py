"""The OpenAPI description of a body that holds a photo, in each of its forms, and of the errors of such a body."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from services.contracts.domain import errors
from services.gateway.search.options import NoOptions, Schema, json_properties, text_properties
from services.gateway.search.request import FORM, JSON

BINARY: Schema = {"type": "string", "format": "binary"}
IMAGE_SOURCES: dict[str, Schema] = {
    "image_url": {"type": "string", "format": "uri"},
    "image_base64": {"type": "string"},
}
PHOTO_ERRORS = (
    errors.InvalidRequest,
    errors.InvalidImage,
    errors.ImageUrlRefused,
    errors.ImageUrlFailed,
    errors.ImageTooLarge,
    errors.RequestTooLarge,
    errors.UnsupportedImage,
)


def photo_body(examples: Mapping[str, Schema], options: type[BaseModel] = NoOptions) -> dict[str, Any]:
    """Return the `requestBody` of a route.

    Args:
        examples: of the body in JSON.
        options: the route's options, which travel in the body with the photo.
    """
    form = {"type": "object", "required": ["image"], "properties": {"image": BINARY, **text_properties(options)}}
    json = {
        "type": "object",
        "properties": {**IMAGE_SOURCES, **json_properties(options)},
        "oneOf": [{"required": [source]} for source in IMAGE_SOURCES],
        "additionalProperties": False,
    }
    return {
        "required": True,
        "content": {
            FORM: {"schema": form},
            JSON: {"schema": json, "examples": examples},
            "image/*": {"schema": BINARY},
        },
    }
