"""Decides whether a request may pass: by its listener, its rate, its key, and what the key allows."""

import hashlib
import hmac
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.types import Scope

from services.catalogue.api_key import ApiKey
from services.catalogue.api_key import Scope as KeyScope
from services.contracts.domain.catalogues import ALL
from services.contracts.domain.errors import Forbidden, Limit, NotFound, TooManyRequests, Unauthorised
from services.contracts.domain.origin import origin_of
from services.contracts.domain.quota import Quota
from services.contracts.web.requests.fields import field_of
from services.gateway.access.key_ring import KeyRing
from services.gateway.access.limits import Allowance, RateLimits, client_name
from services.gateway.access.record import ADMIN_KEY, ANONYMOUS, record_of
from services.gateway.access.rules import AccessRule, rule_of
from services.gateway.request_path import requested_catalogue
from services.gateway.settings import GatewaySettings

_KEY = "lookalike.key"
_BY_LINK = "lookalike.by_link"
NEEDS_KEY = "this needs a key: Authorization: Bearer …"
PUBLIC_KEY = "a key in the address is public: use one of the scope search only"
KEY_PARAMETER = "key"
# By the name of a quota: whom an error names, and the limit in metrics.
POLICIES: dict[str, tuple[str, Limit]] = {
    "client": ("this address", "client-quota"),
    "key": ("this key", "key-quota"),
    "events": ("this address, in events,", "events-quota"),
}
MIN_LINK_DIGITS = 12  # of a picture's hash in its address
LINKS = ("v", "picture")  # the parameters of a picture's address that name its hash


class Guard:
    """The access rules of a running gateway.

    Attributes:
        keys: the API keys.
        limits: counts requests.
    """

    def __init__(self, settings: GatewaySettings) -> None:
        """Read nothing yet.

        Raises:
            SettingError: the address of the counters cannot be used.
        """
        self._settings = settings
        self.keys = KeyRing(settings.keys_refresh_s)
        self.limits = RateLimits(settings.limits_url.get_secret_value())

    async def check(self, request: Request, name: str) -> None:
        """Return if a request to a route may pass.

        Args:
            request: the request; its body has not been read.
            name: the route's.

        Raises:
            NotFound: another listener serves the route.
            TooManyRequests: the client or the key has used up its quota.
            Unauthorised: the key is missing or not valid.
            Forbidden: the key does not allow the route, the catalogue or the origin.
            CatalogueUnavailable: the key is not known, and the database does not answer.
        """
        rule, record = rule_of(name), record_of(request.scope)
        record.operation, record.is_write = name, rule.is_write
        if rule.is_internal and not self._settings.is_internal(request.scope.get("server")):
            raise NotFound("there is nothing at this address")
        if rule.is_public:
            return
        client_quota = self._settings.client_rate
        secret = _secret(request.scope)
        if secret is None and rule.is_beacon and (parameter := request.query_params.get(KEY_PARAMETER)):
            await self._check_beacon(rule, parameter, request)
            return
        if client_quota is not None and not self._is_server_key(secret):
            await self._count("client", client_quota, client_name(record.address), request)
        if not self._is_needed(rule):
            if secret is not None and self._is_admin(secret):
                record.who = ADMIN_KEY
            return
        if rule.is_link and secret is None and any(request.query_params.get(name) for name in LINKS):
            request.scope[_BY_LINK] = True
            return
        await self._check_key(rule, secret, request)

    async def count_events(self, request: Request, number: int) -> None:
        """Count the events of a request that has passed; a shop's own server may send any number.

        Raises:
            TooManyRequests: the client has used up its quota of events.
        """
        quota = self._settings.events_rate
        if quota is None or self._is_server_key(_secret(request.scope)):
            return
        await self._count("events", quota, client_name(record_of(request.scope).address), request, cost=number)

    def caller_of(self, scope: Scope) -> str:
        """Return the name under which `caller_name` counts the sender of a request that has not been checked yet."""
        secret = _secret(scope)
        if secret is not None and self._is_admin(secret):
            return ADMIN_KEY
        key = self.keys.known(secret) if secret is not None and self._settings.access == "keys" else None
        return client_name(record_of(scope).address) if key is None else key.id

    def _is_needed(self, rule: AccessRule) -> bool:
        settings = self._settings
        return settings.access == "keys" or (rule.is_write and settings.admin_key is not None)

    def _is_server_key(self, secret: str | None) -> bool:
        """Return whether a request comes from a shop's own server: one address for all its shoppers."""
        if secret is None or self._is_admin(secret):
            return secret is not None
        key = self.keys.known(secret)
        return key is not None and not key.origins and key.state(datetime.now(UTC)) == "active"

    def _is_admin(self, secret: str) -> bool:
        expected = self._settings.admin_key
        return expected is not None and _is_same(secret, expected.get_secret_value())

    async def _check_beacon(self, rule: AccessRule, secret: str, request: Request) -> None:
        """Check a key in the query string, which is public: it may open searches only."""
        if (quota := self._settings.client_rate) is not None:
            await self._count("client", quota, client_name(record_of(request.scope).address), request)
        if not self._is_needed(rule):
            return
        if self._is_admin(secret):
            raise Forbidden(PUBLIC_KEY)
        await self._check_key(rule, secret, request)
        if request.scope[_KEY].scopes != {KeyScope.SEARCH}:
            raise Forbidden(PUBLIC_KEY)

    async def _check_key(self, rule: AccessRule, secret: str | None, request: Request) -> None:
        record = record_of(request.scope)
        if secret is None:
            raise Unauthorised(NEEDS_KEY)
        if self._is_admin(secret):
            record.who = ADMIN_KEY
            return
        key = await self.keys.find(secret)
        if key is None:
            raise Unauthorised("the key is not valid")
        record.who, record.name = key.id, key.name
        if (state := key.state(datetime.now(UTC))) != "active":
            raise Unauthorised(f"the key {key.id} is {state}")
        quota = key.quota or self._settings.key_rate
        if quota is not None:
            await self._count("key", quota, key.id, request)
        request.scope[_KEY] = key
        _check_allowed(key, rule, request)

    async def _count(self, policy: str, quota: Quota, client: str, request: Request, cost: int = 1) -> None:
        allowance: Allowance = await self.limits.count(policy, quota, client, cost)
        record_of(request.scope).headers = allowance.headers
        if allowance.is_exceeded:
            subject, limit = POLICIES[policy]
            raise TooManyRequests(
                f"{subject} may send {quota}: try again in {allowance.reset_s} s",
                retry_after_s=allowance.reset_s,
                limit=limit,
            )


def allowed_catalogues(request: Request, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of some catalogues that the key of a request opens; all of them without a key."""
    key = request.scope.get(_KEY)
    return names if key is None or not key.catalogues else tuple(name for name in names if name in key.catalogues)


def caller_name(request: Request) -> str:
    """Return the name of who sends a request, for counting: the key's id, or the client's address."""
    record = record_of(request.scope)
    return client_name(record.address) if record.who == ANONYMOUS else record.who


def check_link(request: Request, sha256: str) -> None:
    """Return if a request without a key may have a picture: its address names the picture's hash.

    Raises:
        Unauthorised: it names another one.
    """
    if request.scope.get(_BY_LINK) and "picture" not in request.query_params:
        name = request.query_params["v"].lower()
        if len(name) < MIN_LINK_DIGITS or not sha256.startswith(name):
            raise Unauthorised(NEEDS_KEY)


def may_write(request: Request, settings: GatewaySettings) -> bool:
    """Return whether the sender of a request may write products, and so see all of their fields."""
    if not settings.uses_keys:
        return True
    key = request.scope.get(_KEY)
    return record_of(request.scope).who == ADMIN_KEY or (key is not None and rule_of("put_product").allows(key.scopes))


def _check_allowed(key: ApiKey, rule: AccessRule, request: Request) -> None:
    if not rule.allows(key.scopes):
        raise Forbidden(f"this needs a key of the scope {' or '.join(sorted(rule.scopes))}, or admin")
    catalogue = requested_catalogue(request)
    if key.catalogues and catalogue not in key.catalogues:
        subject = "all catalogues" if catalogue == ALL else "this catalogue"
        raise Forbidden(f"the key does not open {subject}")
    if key.origins and _origin(request) not in key.origins:
        raise Forbidden("the key may not be used from this origin: its pages are listed with it")


def _origin(request: Request) -> str | None:
    """Return the origin of the page that sends a request. Browsers send no Origin with some requests to their own."""
    return origin_of(request.headers.get("origin") or request.headers.get("referer", ""))


def _secret(scope: Scope) -> str | None:
    scheme, _, secret = (field_of(scope, b"authorization") or "").partition(" ")
    return (secret.strip() or None) if scheme.lower() == "bearer" else None


def _is_same(secret: str, expected: str) -> bool:
    """Compare two keys in a time that does not depend on them."""
    digests = [hashlib.sha256(text.encode()).digest() for text in (secret, expected)]
    return hmac.compare_digest(*digests)
