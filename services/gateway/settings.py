"""The gateway's settings: environment variables with the prefix `GATEWAY_`."""

from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.contracts.domain.catalogues import CataloguesSetting


class GatewaySettings(BaseSettings):
    """Settings of the gateway. A template holds `{id}` in the place of the product's id, which is percent-encoded."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", frozen=True, extra="ignore", populate_by_name=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    log_json: bool = False
    log_level: str = "INFO"

    embedding_url: str = Field("http://127.0.0.1:8001", validation_alias=AliasChoices("EMBEDDING_URL", "embedding_url"))
    index_urls: Annotated[tuple[str, ...], NoDecode] = Field(
        ("http://127.0.0.1:8002",), min_length=1, validation_alias=AliasChoices("INDEX_URL", "index_urls")
    )
    mongo_url: SecretStr = Field(
        SecretStr("mongodb://127.0.0.1:27017"), validation_alias=AliasChoices("MONGO_URL", "mongo_url")
    )
    mongo_database: str = Field("lookalike", validation_alias=AliasChoices("MONGO_DATABASE", "mongo_database"))
    catalogues: CataloguesSetting
    embedding_timeout_s: float = Field(5.0, gt=0)
    index_timeout_s: float = Field(2.0, gt=0)
    index_refresh_s: float = Field(2.0, gt=0, description="seconds between two readings of the index nodes' status")

    product_url_template: str | None = Field(None, description="URL of a product without one")
    image_url_template: str | None = Field(None, description="URL of a product's image without one")
    public_url: str | None = Field(
        None, description="the gateway's address for shoppers; makes the URLs of stored pictures absolute"
    )

    currency: str | None = Field(
        None,
        pattern="^[A-Za-z]{3}$",
        description="ISO 4217 code of prices without a currency, for the pages",
    )

    max_image_bytes: int = Field(10 * 1024 * 1024, gt=0)
    max_concurrent_searches: int = Field(64, gt=0, description="searches at the same time; more get 429")
    admin_key: SecretStr | None = Field(None, description="if set, writing products needs it as a bearer token")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field((), description="origins that may call from a browser")

    max_import_bytes: int = Field(32 * 1024 * 1024, gt=0, description="size of a feed in one request, uncompressed")
    import_dir: Path | None = Field(None, description="folder for feeds during their import")

    fetch_enabled: bool = Field(False, description="whether `image_url` is fetched")
    fetch_timeout_s: float = Field(5.0, gt=0)
    fetch_allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="host:port pairs that may be fetched although their addresses are private"
    )

    @field_validator("index_urls", "cors_origins", "fetch_allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("index_urls")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(url.startswith(("http://", "https://")) for url in value):
            raise ValueError("give an address such as http://index:8002, or several, separated by commas")
        return value

    @field_validator(
        "product_url_template", "image_url_template", "public_url", "admin_key", "currency", "import_dir", mode="before"
    )
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("product_url_template", "image_url_template")
    @classmethod
    def _has_id(cls, value: str | None) -> str | None:
        if value is not None and "{id}" not in value:
            raise ValueError("the template needs {id} in the place of the product's id")
        return value

    @property
    def max_body_bytes(self) -> int:
        """Bound on a request's body: an image in base64, 4/3 of its size, and 64 KiB of JSON around it."""
        return self.max_image_bytes * 4 // 3 + 64 * 1024
