"""The path that a proxy puts before the gateway's paths."""

import re
from ipaddress import ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send

from services.contracts.web.public_address import set_public_address
from services.contracts.web.requests.fields import field_of

HEADER = b"x-forwarded-prefix"
_PATH = re.compile(r"(?:/[A-Za-z0-9._~%!$&'()*+,;=:@-]+)+")


def checked_prefix(text: str) -> str:
    """Return a path without the slash at its end; empty for the root.

    Raises:
        ValueError: it is not a path such as `/lookalike`.
    """
    path = text.strip().rstrip("/")
    if path and (not _PATH.fullmatch(path) or {".", ".."} & set(path.split("/"))):
        raise ValueError(f"{text!r} is not a path such as /lookalike")
    return path


class PublicPathMiddleware:
    """Finds the path before the gateway's paths, and removes it from a request whose proxy has not.

    It is the setting's, or that of `X-Forwarded-Prefix` from a trusted proxy.
    """

    def __init__(self, app: ASGIApp, root_path: str, trusted_proxies: tuple[str, ...]) -> None:
        """Take the setting, and the addresses and networks of the proxies; `*` trusts every client."""
        self.app = app
        self._root_path = root_path
        self._trusts_all = "*" in trusted_proxies
        self._trusted = [ip_network(network) for network in trusted_proxies if network != "*"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            prefix = self._prefix(scope)
            scope = inner = _without(prefix, scope)
            # Read later: other middleware takes the scheme from the proxy's header.
            set_public_address(lambda: f"{inner['scheme']}://{field_of(inner, b'host') or ''}", prefix)
        await self.app(scope, receive, send)

    def _prefix(self, scope: Scope) -> str:
        forwarded = field_of(scope, HEADER)
        if forwarded is None or not self._is_trusted(scope):
            return self._root_path
        try:
            return checked_prefix(forwarded.split(",")[0])
        except ValueError:
            return self._root_path

    def _is_trusted(self, scope: Scope) -> bool:
        if self._trusts_all:
            return True
        try:
            peer = ip_address((scope.get("client") or ("",))[0])
        except ValueError:
            return False
        return any(peer in network for network in self._trusted)


def _without(prefix: str, scope: Scope) -> Scope:
    """Return a scope whose path does not begin with the prefix."""
    raw = scope.get("raw_path")
    if not prefix or not (scope["path"] == prefix or scope["path"].startswith(prefix + "/")):
        return scope
    length = len(prefix)
    shorter = {"path": scope["path"][length:] or "/"}
    if raw is not None and raw.startswith(prefix.encode()):
        shorter["raw_path"] = raw[length:] or b"/"
    return {**scope, **shorter}
