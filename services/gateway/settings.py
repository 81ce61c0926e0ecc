"""The gateway's settings: environment variables with the prefix `GATEWAY_`."""

import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.catalogue.api_key import key_id
from services.contracts.domain.catalogues import CataloguesSetting
from services.contracts.domain.quota import Quota
from services.contracts.domain.setting_types import (
    HeaderSecret,
    HostAndPort,
    HttpAddress,
    LogLevel,
    MongoUrl,
    Origin,
    TracesEndpoint,
    TracesRatio,
)
from services.contracts.web.requests.connections import ConnectionLimits
from services.gateway.public_path import checked_prefix
from services.gateway.shop_page import ShopPage

# What the work waits for. A service that stands still fills the places of its own kind only.
Work = Literal["photo", "similar", "write"]


class GatewaySettings(BaseSettings):
    """Settings of the gateway. A template holds `{id}` in the place of the product's id, which is percent-encoded."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", frozen=True, extra="ignore", populate_by_name=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    log_json: bool = False
    log_level: LogLevel = "INFO"
    traces_endpoint: TracesEndpoint
    traces_ratio: TracesRatio
    published_on: str | None = Field(
        None, validate_default=True, description="address on which others reach the gateway, if it is in a container"
    )
    access: Literal["local", "keys", "open"] = Field(
        "local",
        validate_default=True,
        description="local: without keys, on a loopback address only; keys: every call needs one; open: without keys "
        "on any address, behind a proxy that controls access",
    )
    admin_port: int | None = Field(
        None, ge=0, le=65535, description="if set, writes, imports, metrics and docs are served on this port only"
    )
    admin_host: str = Field("127.0.0.1", description="address of that port")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="host names that requests may name; *.example.com for all below it; default: any"
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        ("127.0.0.1",), description="addresses and networks of proxies whose X-Forwarded-For is taken"
    )

    embedding_url: HttpAddress = Field(
        "http://127.0.0.1:8001", validation_alias=AliasChoices("EMBEDDING_URL", "embedding_url")
    )
    index_urls: Annotated[tuple[HttpAddress, ...], NoDecode] = Field(
        ("http://127.0.0.1:8002",), min_length=1, validation_alias=AliasChoices("INDEX_URL", "index_urls")
    )
    mongo_url: MongoUrl = Field(
        SecretStr("mongodb://127.0.0.1:27017"), validation_alias=AliasChoices("MONGO_URL", "mongo_url")
    )
    mongo_database: str = Field("lookalike", validation_alias=AliasChoices("MONGO_DATABASE", "mongo_database"))
    service_token: HeaderSecret | None = Field(
        None,
        validation_alias=AliasChoices("SERVICE_TOKEN", "service_token"),
        description="token by which gateway, embedding and index know each other",
    )
    catalogues: CataloguesSetting
    embedding_timeout_s: float = Field(5.0, gt=0)
    index_timeout_s: float = Field(2.0, gt=0)
    index_refresh_s: float = Field(2.0, gt=0, description="seconds between two readings of the index nodes' status")

    index_shadow_url: HttpAddress | None = Field(
        None, description="index node whose answers are compared with those returned, before it takes their place"
    )
    index_shadow_share: float = Field(0.1, ge=0, le=1, description="share of the searches that are compared")
    index_hedge_share: float = Field(
        0.05,
        ge=0,
        le=1,
        description="second requests to a replica of a slow index node, as a share of all at most; 0 for none",
    )
    kept_responses_bytes: int = Field(
        32 * 1024 * 1024,
        ge=0,
        description="memory for responses to searches by product, which are kept until the index changes",
    )
    look_dir: Path | None = Field(Path("models/look/1"), description="version directory of the look model; optional")
    baskets_weight: float = Field(
        0.5, ge=0, le=1, description="greatest weight of what shoppers bought together in a look; 0: none"
    )
    baskets_refresh_s: float = Field(600.0, gt=0, description="seconds between two readings of the baskets")
    rules_refresh_s: float = Field(3.0, gt=0, description="seconds between two readings of the merchandising rules")
    taste_weight: float = Field(
        0.3, ge=0, le=1, description="weight of a visitor's taste, which is blended with the query; 0: never personal"
    )
    taste_attributes: float = Field(
        0.1, ge=0, le=0.1, description="what a taste adds to the score of a product whose attributes the visitor likes"
    )
    taste_timeout_s: float = Field(0.2, gt=0, description="how long a search waits for the taste of its visitor")
    taste_ttl_s: float = Field(5.0, gt=0, description="seconds for which a taste is used before it is computed again")
    max_tastes: int = Field(10_000, gt=0, description="visitors whose tastes are kept")
    learned_refresh_s: float = Field(2.0, gt=0, description="seconds between two readings of the learned order")
    learned_bound: float = Field(
        0.05, ge=0, le=2, description="how much lower the score of a result may be that the learned order puts first"
    )

    wait_s: float = Field(5.0, gt=0, description="longest wait of a write with `wait=true` for the index, in seconds")

    root_path: str = Field("", description="path under which a proxy serves the gateway, such as /lookalike")

    product_url_template: str | None = Field(None, description="URL of a product without one")
    image_url_template: str | None = Field(None, description="URL of a product's image without one")
    public_url: HttpAddress | None = Field(
        None, description="the gateway's address for shoppers; makes the URLs of stored pictures absolute"
    )

    currency: str | None = Field(
        None,
        pattern="^[A-Za-z]{3}$",
        description="ISO 4217 code of prices without a currency, for the pages",
    )

    page_file: Path | None = Field(
        None, description="JSON file with the shop's name, logo, colours, links, first products and texts for the page"
    )

    public_attributes: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="attributes that searchers see and filter by; empty: all"
    )

    max_image_bytes: int = Field(10 * 1024 * 1024, gt=0)
    max_connections: int = Field(1024, gt=0, description="connections at the same time; more get 503")
    max_client_connections: int = Field(256, gt=0, description="connections of one client address, but for proxies")
    head_timeout_s: float = Field(15.0, gt=0, description="time for the head of a request")
    write_timeout_s: float = Field(30.0, gt=0, description="time in which a client must read 48 kB of a response")
    min_body_bytes_per_s: int = Field(16 * 1024, gt=0, description="least rate at which a body arrives")
    max_bytes_in_flight: int = Field(128 * 1024 * 1024, gt=0, description="bytes of all bodies in memory")
    max_client_bytes_in_flight: int = Field(
        64 * 1024 * 1024, gt=0, description="bytes of the bodies of one client address"
    )
    max_concurrent_searches: int = Field(64, gt=0, description="searches by photo at the same time; more get 429")
    search_timeout_s: float = Field(8.0, gt=0, description="deadline of a search, for all services together")
    max_concurrent_similar: int = Field(64, gt=0, description="searches by product, and samples, at the same time")
    max_concurrent_writes: int = Field(16, gt=0, description="products that are written at the same time")
    admin_key: HeaderSecret | None = Field(
        None, description="a key of scope admin; if set, writing needs it, or another key, with any access"
    )
    page_key: str | None = Field(None, description="key of scope search that the gateway's pages send; it is public")
    keys_refresh_s: float = Field(5.0, gt=0, description="seconds between two readings of the API keys")
    client_quota: str | None = Field(
        "600/minute", description="requests of a client address, unless access is local; empty: any number"
    )
    key_quota: str | None = Field(None, description="requests of a key without a quota of its own; empty: any number")
    limits_url: SecretStr = Field(
        SecretStr("memory://"), description="where requests are counted: memory://, redis://… or mongodb://…"
    )
    cors_origins: Annotated[tuple[Origin, ...], NoDecode] = Field(
        (), description="origins that may call from a browser"
    )

    max_import_bytes: int = Field(32 * 1024 * 1024, gt=0, description="size of a feed in one request, uncompressed")
    import_dir: Path | None = Field(None, description="folder for feeds during their import")

    events_enabled: bool = Field(False, description="whether searches and events of shoppers are kept")
    events_days: float = Field(90, gt=0, le=3660, description="days for which they are kept")
    events_vectors: bool = Field(False, description="whether the vectors of searches are kept with them")
    events_quota: str | None = Field(
        "6000/minute", description="events of a client address, unless access is local; empty: any number"
    )

    fetch_enabled: bool = Field(False, description="whether `image_url` is fetched")
    fetch_timeout_s: float = Field(5.0, gt=0)
    fetch_allowed_hosts: Annotated[tuple[HostAndPort, ...], NoDecode] = Field(
        (), description="host:port pairs that may be fetched although their addresses are private"
    )

    @field_validator(
        "index_urls",
        "cors_origins",
        "fetch_allowed_hosts",
        "allowed_hosts",
        "trusted_proxies",
        "public_attributes",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator(
        "product_url_template",
        "image_url_template",
        "public_url",
        "published_on",
        "service_token",
        "admin_port",
        "admin_key",
        "page_key",
        "client_quota",
        "key_quota",
        "events_quota",
        "currency",
        "import_dir",
        "page_file",
        "look_dir",
        "index_shadow_url",
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("root_path")
    @classmethod
    def _is_path(cls, value: str) -> str:
        return checked_prefix(value)

    @field_validator("product_url_template", "image_url_template")
    @classmethod
    def _has_id(cls, value: str | None) -> str | None:
        if value is not None and "{id}" not in value:
            raise ValueError("the template needs {id} in the place of the product's id")
        return value

    @field_validator("import_dir")
    @classmethod
    def _is_writable(cls, value: Path | None) -> Path | None:
        if value is not None and not (value.is_dir() and os.access(value, os.W_OK | os.X_OK)):
            raise ValueError(f"{value} is not a folder in which the gateway can write")
        return value

    @field_validator("page_file")
    @classmethod
    def _is_page_file(cls, value: Path | None) -> Path | None:
        ShopPage.load(value)
        return value

    @field_validator("access")
    @classmethod
    def _is_safe(cls, value: str, info: ValidationInfo) -> str:
        host = info.data.get("published_on") or info.data.get("host", "")
        if value == "local" and not is_loopback(host):
            raise ValueError(
                f"the gateway listens on {host}, which other machines can reach: set GATEWAY_ACCESS=keys, so that "
                "every call needs a key, or GATEWAY_ACCESS=open, if a proxy in front of the gateway controls access"
            )
        return value

    @field_validator("client_quota", "key_quota", "events_quota")
    @classmethod
    def _is_quota(cls, value: str | None) -> str | None:
        return None if value is None else str(Quota.parse(value))

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            if network != "*":
                ipaddress.ip_network(network)  # its ValueError names the text
        return value

    @field_validator("page_key")
    @classmethod
    def _is_key(cls, value: str | None) -> str | None:
        if value is not None and key_id(value) is None:
            raise ValueError("this is not an API key: lookalike keys create prints one")
        return value

    @property
    def uses_keys(self) -> bool:
        """Whether any route needs a key."""
        return self.access == "keys" or self.admin_key is not None

    @property
    def token(self) -> str | None:
        """The token of the services; None without one."""
        return None if self.service_token is None else self.service_token.get_secret_value()

    @property
    def places(self) -> dict[Work, int]:
        """The number of requests of each kind at the same time."""
        return {
            "photo": self.max_concurrent_searches,
            "similar": self.max_concurrent_similar,
            "write": self.max_concurrent_writes,
        }

    @property
    def client_rate(self) -> Quota | None:
        """The quota of a client address; None: any number of requests."""
        return None if self.client_quota is None or self.access == "local" else Quota.parse(self.client_quota)

    @property
    def events_rate(self) -> Quota | None:
        """The quota of events of a client address; None: any number."""
        return None if self.events_quota is None or self.access == "local" else Quota.parse(self.events_quota)

    @property
    def key_rate(self) -> Quota | None:
        """The quota of a key without one of its own; None: any number of requests."""
        return None if self.key_quota is None else Quota.parse(self.key_quota)

    def connections(self) -> ConnectionLimits:
        """Return the bounds of connections."""
        return ConnectionLimits(
            self.max_connections, self.max_client_connections, self.is_proxy, self.head_timeout_s, self.write_timeout_s
        )

    def is_proxy(self, address: str) -> bool:
        """Return whether an address is one of the trusted proxies'."""
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return "*" in self.trusted_proxies
        return any(network == "*" or parsed in ipaddress.ip_network(network) for network in self.trusted_proxies)

    def admin_addresses(self) -> list[tuple[str, int]]:
        """Return the host and port for administration; none if it has no listener of its own."""
        return [] if self.admin_port is None else [(self.admin_host, self.admin_port)]

    def is_internal(self, server: Sequence[Any] | None) -> bool:
        """Return whether a request that arrived at this address may use the routes of administration."""
        return self.admin_port is None or (server is not None and server[1] == self.admin_port)

    @property
    def max_body_bytes(self) -> int:
        """Bound on a request's body: an image in base64, 4/3 of its size, and 64 KiB of JSON around it."""
        return self.max_image_bytes * 4 // 3 + 64 * 1024


def is_loopback(host: str) -> bool:
    """Return whether only programs of the same machine can reach an address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
