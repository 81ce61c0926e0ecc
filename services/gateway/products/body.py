"""A product in a request: whole, or the parts of it that change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from services.catalogue.product import MAX_ATTRIBUTES, MAX_GROUP_LENGTH, MAX_IMAGES, Product
from services.contracts.domain.errors import InvalidRequest
from services.contracts.wire.index import Attributes
from services.gateway.products.addresses import PageAddress, WebAddress
from services.gateway.products.images import ImageBody

MAX_ATTRIBUTE_TEXT = 1000  # characters of a value
MAX_ATTRIBUTE_VALUES = 100  # of a list
AttributeText = Annotated[str, Field(max_length=MAX_ATTRIBUTE_TEXT)]
AttributeName = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^.$\x00][^.\x00]*$")]
AttributeList = Annotated[list[AttributeText | bool | int | float], Field(max_length=MAX_ATTRIBUTE_VALUES)]


class ProductBody(BaseModel):
    """A product in a request. Without an image, an existing product keeps its own."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = Field(default=None, max_length=1000, examples=["Men's navy blue checked shirt"])
    url: PageAddress | None = Field(default=None, max_length=2048, examples=["https://shop.example/products/15970"])
    image_url: WebAddress | None = Field(
        default=None,
        max_length=2048,
        description="URL of the shop's own image: results link it; it is fetched once if the request has no image",
    )
    image_base64: str | None = Field(default=None, description="the image file in base64, or a data: URL")
    images: list[ImageBody] | None = Field(
        default=None,
        max_length=MAX_IMAGES - 1,
        description="additional images, in their order; default: those that the product has; [] removes them",
        examples=[[{"url": "https://shop.example/images/15970-back.jpg"}]],
    )
    category: str | int | None = Field(default=None, description="name or id; default: the predicted category")
    attributes: dict[AttributeName, AttributeText | bool | int | float | AttributeList] = Field(
        default_factory=dict,
        max_length=MAX_ATTRIBUTES,
        examples=[{"gender": "Men", "baseColour": "Navy Blue", "price": 29.9}],
    )
    group: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_GROUP_LENGTH,
        description="what the variants of a style share",
        examples=["SHIRT-12"],
    )

    @field_validator("attributes", mode="before")
    @classmethod
    def _are_few(cls, value: object) -> object:
        """Count the attributes before each of them is validated."""
        if isinstance(value, dict) and len(value) > MAX_ATTRIBUTES:
            raise ValueError(f"a product has at most {MAX_ATTRIBUTES} attributes, not {len(value):,}")
        return value


@dataclass(frozen=True)
class ProductPatch:
    """Changes of a product, as a JSON merge patch (RFC 7396): null removes.

    Attributes:
        changed: the new values; its attributes are those that change.
        removed: the names of the fields to remove.
        removed_attributes: the names of the attributes to remove.
    """

    changed: ProductBody
    removed: frozenset[str] = frozenset()
    removed_attributes: frozenset[str] = frozenset()

    def applied(self, old: Product, names: Sequence[str], *, has_new_image: bool) -> ProductBody:
        """Return the whole product after the changes.

        Args:
            old: the product as it is stored.
            names: the categories' names by id.
            has_new_image: whether a file of the request is the new main image.

        Raises:
            InvalidRequest: the result would not be a product.
        """
        given = self.changed.model_fields_set
        if "image_url" in self.removed or "image_base64" in self.removed:
            raise InvalidRequest("a product needs a main image: send another one in its place")
        attributes = {
            name: value for name, value in self._attributes(old).items() if name not in self.removed_attributes
        }
        if len(attributes) > max(MAX_ATTRIBUTES, len(old.attributes)):
            raise InvalidRequest(f"attributes: a product has at most {MAX_ATTRIBUTES}; this one would have more")
        values: dict[str, Any] = {
            "title": self.changed.title if "title" in given | self.removed else old.title,
            "url": self.changed.url if "url" in given | self.removed else old.url,
            "attributes": attributes,
            "group": self.changed.group if "group" in given | self.removed else old.group,
        }
        if "images" in self.removed:
            values["images"] = []
        if "category" not in given:
            embeds = has_new_image or "image_base64" in given or _is_other(self.changed.image_url, old)
            values["category"] = self._category(old, names, embeds=embeds)
        return self.changed.model_copy(update=values)

    def _attributes(self, old: Product) -> Attributes:
        kept = {} if "attributes" in self.removed else dict(old.attributes)
        return {**kept, **self.changed.attributes}

    def _category(self, old: Product, names: Sequence[str], *, embeds: bool) -> str | None:
        """Return the category to write; None for the one that the product has, or that its new image is given."""
        if "category" in self.removed:
            prediction = old.embedding.prediction
            if not embeds and prediction is None:
                raise InvalidRequest("category: the prediction for the product's image is not known: name a category")
            return None if embeds or prediction is None else names[prediction.category]
        is_shops = old.category_source in ("feed", "mapping")
        return names[old.category] if embeds and is_shops else None


def split_patch(values: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str], frozenset[str]]:
    """Return the values of a merge patch without its nulls, the names of the fields that are null, and of attributes.

    The values are not validated; a name that is no field stays among the values, for validation to refuse it.
    """
    known = ProductBody.model_fields
    removed = frozenset(name for name, value in values.items() if value is None and name in known)
    kept = {name: value for name, value in values.items() if name not in removed}
    attributes = kept.get("attributes")
    if not isinstance(attributes, Mapping):
        return kept, removed, frozenset()
    gone = frozenset(name for name, value in attributes.items() if value is None)
    kept["attributes"] = {name: value for name, value in attributes.items() if value is not None}
    return kept, removed, gone


def _is_other(image_url: str | None, old: Product) -> bool:
    return image_url is not None and image_url != old.images[0].url
