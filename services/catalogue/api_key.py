"""API keys: what a key may do, and the secrets by which clients prove that they have it.

A secret is `lk_<id>_<256 random bits>`. Only its SHA-256 is stored: the bits are random, so a slow hash adds nothing.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Literal

from services.contracts.domain.quota import Quota

_SECRET = re.compile(r"lk_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
MAX_NAME = 100
VALID_AT_ONCE = 2  # secrets of a key, from a rotation until the end of its overlap


class Scope(StrEnum):
    """What a key opens: searches and reading, writing a catalogue, the metrics, or everything."""

    SEARCH = "search"
    CATALOGUE = "catalogue"
    METRICS = "metrics"
    ADMIN = "admin"


KeyState = Literal["active", "expired", "revoked"]


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A secret as it is stored: its SHA-256 in hexadecimal digits, and until when it is valid; None: as its key."""

    sha256: str
    created_at: datetime
    expires_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Return whether it opens anything at a time."""
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key.

    Attributes:
        id: 12 hexadecimal digits, the part of its secrets by which it is found.
        name: whose it is, for people.
        scopes: what it opens.
        catalogues: the catalogues that it opens; empty: every one.
        origins: the web pages that may use it; empty: any client.
        quota: its requests in a time; None: that of the settings.
        secrets: the newest last.
        revision: grows with each change.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    catalogues: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    quota: Quota | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    secrets: tuple[StoredSecret, ...] = ()
    revision: int = 0

    def state(self, now: datetime) -> KeyState:
        """Return whether the key opens anything at a time."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and now >= self.expires_at else "active"

    def matches(self, secret: str, now: datetime) -> bool:
        """Return whether a secret is one of the key's valid ones, in a time that does not depend on the secret."""
        digest = _digest(secret)
        matches = [hmac.compare_digest(digest, stored.sha256) and stored.is_valid(now) for stored in self.secrets]
        return any(matches)

    def valid_secrets(self, now: datetime) -> tuple[StoredSecret, ...]:
        """Return the secrets that are valid at a time."""
        return tuple(stored for stored in self.secrets if stored.is_valid(now))


class KeyRefused(Exception):
    """A key cannot be created or changed. The text says why."""


def new_key(
    name: str,
    scopes: Sequence[Scope],
    *,
    catalogues: Sequence[str] = (),
    origins: Sequence[str] = (),
    quota: Quota | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Return a new key and its secret, which is stored nowhere.

    Raises:
        KeyRefused: the name is empty or too long, there is no scope, or the expiry has passed.
    """
    now = _now()
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise KeyRefused(f"a key's name has 1 to {MAX_NAME} printable characters")
    if not scopes:
        raise KeyRefused(f"a key needs a scope: {', '.join(Scope)}")
    if expires_at is not None and expires_at <= now:
        raise KeyRefused(f"the key would have expired at {expires_at.isoformat()}, which has passed")
    key = ApiKey(
        secrets.token_hex(6),
        name.strip(),
        frozenset(scopes),
        now,
        tuple(dict.fromkeys(catalogues)),
        tuple(dict.fromkeys(origins)),
        quota,
        expires_at,
    )
    return _with_secret(key, (), now)


def rotated(key: ApiKey, overlap: timedelta) -> tuple[ApiKey, str]:
    """Return a key with a new secret, and the secret. The newest one before stays valid for the overlap.

    Raises:
        KeyRefused: the key has been revoked or has expired, or the overlap of an earlier rotation has not ended.
    """
    now = _now()
    if (state := key.state(now)) != "active":
        raise KeyRefused(f"the key {key.id} is {state}: create a new one")
    valid = key.valid_secrets(now)
    if len(valid) >= VALID_AT_ONCE:
        until = min(stored.expires_at for stored in valid if stored.expires_at is not None)
        raise KeyRefused(
            f"two secrets of the key {key.id} are valid already, the earlier one until {until.isoformat()}: "
            "wait, or end it with lookalike keys revoke --previous"
        )
    kept = tuple(replace(stored, expires_at=now + overlap) for stored in valid) if overlap else ()
    return _with_secret(key, kept, now)


def without_previous(key: ApiKey) -> ApiKey:
    """Return a key whose newest secret only is valid."""
    return replace(key, secrets=key.secrets[-1:], revision=key.revision + 1)


def revoked(key: ApiKey) -> ApiKey:
    """Return a key that opens nothing any more, without its secrets. It stays in the list."""
    return replace(key, revoked_at=key.revoked_at or _now(), secrets=(), revision=key.revision + 1)


def key_id(secret: str) -> str | None:
    """Return the id of the key that a secret belongs to; None if the text is not a secret."""
    match = _SECRET.fullmatch(secret)
    return match[1] if match else None


def _with_secret(key: ApiKey, kept: tuple[StoredSecret, ...], now: datetime) -> tuple[ApiKey, str]:
    secret = f"lk_{key.id}_{secrets.token_urlsafe(32)}"
    stored = (*kept, StoredSecret(_digest(secret), now))
    return replace(key, secrets=stored, revision=key.revision + 1), secret


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _now() -> datetime:
    """Return the time as MongoDB keeps it, in whole milliseconds."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
