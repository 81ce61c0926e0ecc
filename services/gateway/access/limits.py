"""How often a key and a client address may call: sliding windows of the library `limits`."""

import asyncio
import ipaddress
import math
import time
from dataclasses import dataclass
from functools import lru_cache

import structlog
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import ConfigurationError, StorageError
from limits.storage import storage_from_string

from services.contracts.domain.quota import Quota
from services.contracts.web.run import SettingError

log = structlog.get_logger()
MEMORY = "memory://"
DEADLINE_S = 0.25  # of the shared counters
PAUSE_S = 1.0  # without the shared counters after they failed
REDIS = ("redis", "rediss", "unix", "redis+cluster", "redis+sentinel")
KNOWN_ADDRESSES = 4096  # whose names are kept
IPV6_NETWORK = 64  # bits of an address that tell clients apart: a client has all addresses of such a network


@dataclass(frozen=True)
class Allowance:
    """The rest of a quota.

    Attributes:
        policy: the quota's name, for the headers.
        quota: the quota.
        remaining: requests that are still allowed.
        reset_s: seconds until more are.
        is_exceeded: whether the request is one too many.
    """

    policy: str
    quota: Quota
    remaining: int
    reset_s: int
    is_exceeded: bool

    @property
    def headers(self) -> dict[str, str]:
        """The header fields `RateLimit` and `RateLimit-Policy` of the IETF's draft."""
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.quota.requests};w={self.quota.seconds}',
            "RateLimit": f'"{self.policy}";r={self.remaining};t={self.reset_s}',
        }


class RateLimits:
    """Counts requests, in this process or in a database that several gateways share.

    If the shared database fails, this process counts by itself: a search does not fail because of its limit.
    """

    def __init__(self, url: str) -> None:
        """Take the address of the counters: `memory://`, or one of Redis or MongoDB.

        Raises:
            SettingError: the address cannot be used.
        """
        self._own = SlidingWindowCounterRateLimiter(_storage(MEMORY))
        self._shared = self._own if url == MEMORY else SlidingWindowCounterRateLimiter(_storage(url))
        self._failed_at = -float("inf")

    async def count(self, policy: str, quota: Quota, client: str, cost: int = 1) -> Allowance:
        """Count a request of a client, or several at once, and return the rest of its quota."""
        item = RateLimitItemPerSecond(quota.requests, quota.seconds, namespace="lookalike")
        if self._shared is not self._own and time.monotonic() - self._failed_at > PAUSE_S:
            try:
                async with asyncio.timeout(DEADLINE_S):
                    return await self._count(self._shared, item, policy, quota, client, cost)
            except (StorageError, TimeoutError, OSError) as error:
                self._failed_at = time.monotonic()
                log.warning("shared_limits_failed", error=type(error).__name__, pause_s=PAUSE_S)
        return await self._count(self._own, item, policy, quota, client, cost)

    async def _count(
        self,
        limiter: SlidingWindowCounterRateLimiter,
        item: RateLimitItem,
        policy: str,
        quota: Quota,
        client: str,
        cost: int,
    ) -> Allowance:
        is_allowed = await limiter.hit(item, policy, client, cost=cost)
        window = await limiter.get_window_stats(item, policy, client)
        reset_s = max(1, math.ceil(min(window.reset_time - time.time(), quota.seconds)))
        return Allowance(policy, quota, window.remaining if is_allowed else 0, reset_s, not is_allowed)


@lru_cache(KNOWN_ADDRESSES)
def client_name(address: str) -> str:
    """Return the name under which an address is counted: an IPv6 address counts as its /64 network."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64] or "unknown"
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, IPV6_NETWORK), strict=False))


def _storage(url: str) -> Storage:
    options: dict[str, str | bool] = {"wrap_exceptions": True}
    if url.partition("://")[0] in REDIS:
        options["implementation"] = "redispy"
    try:
        storage = storage_from_string("async+" + url, **options)
    except (ConfigurationError, ValueError, AssertionError) as error:
        raise SettingError(
            f"setting GATEWAY_LIMITS_URL: requests cannot be counted there ({error}): use {MEMORY}, redis://HOST:6379 "
            "or mongodb://HOST:27017"
        ) from None
    assert isinstance(storage, Storage)
    return storage
