"""API keys for tests."""

from collections.abc import Sequence
from typing import Any

from services.catalogue.api_key import ApiKey, Scope, new_key


def make_key(*scopes: str, name: str = "shop", **values: Any) -> tuple[ApiKey, str]:
    """Return a key with these scopes, and its secret."""
    return new_key(name, [Scope(scope) for scope in scopes], **values)


def bearer(secret: str, origin: str | None = None) -> dict[str, str]:
    """Return the header fields of a request with a key, from a page of an origin."""
    return {"Authorization": f"Bearer {secret}"} | ({} if origin is None else {"Origin": origin})


def rows(*keys: tuple[ApiKey, str]) -> Sequence[ApiKey]:
    """Return the keys without their secrets."""
    return [key for key, _ in keys]
