"""A client of a running gateway, for commands."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from services.contracts.domain.catalogues import path_of

TIMEOUT_S = 30.0
RULES = "/v1/merchandising/rules"


class GatewayError(Exception):
    """The gateway does not answer, or answers with a problem. `status` is the HTTP status; None without a response."""

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


def authorization(key: str | None) -> dict[str, str]:
    """Return the header field that sends a key; none without one."""
    return {} if key is None else {"Authorization": f"Bearer {key}"}


class GatewayClient:
    """Calls a gateway over one connection."""

    def __init__(self, address: str, key: str | None = None, transport: httpx.BaseTransport | None = None) -> None:
        """Check the address. The connection is opened by the first call, and each call sends the key, if there is one.

        Raises:
            ValueError: the address is not valid.
        """
        try:
            url = httpx.URL(address)
        except httpx.InvalidURL as error:
            raise ValueError(f"the gateway's address {address!r} is not valid: {error}") from None
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError(f"the gateway's address {address!r} is not valid: it must begin with http://")
        self.address = address
        self._http = httpx.Client(
            base_url=url, headers=authorization(key), timeout=TIMEOUT_S, trust_env=False, transport=transport
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def stats(self, catalogue: str) -> dict[str, Any]:
        """Return what the gateway's /v1/stats says of a catalogue, or of `all`.

        Raises:
            GatewayError: the gateway fails.
        """
        return self._get(path_of(catalogue) + "/v1/stats")

    def catalogues(self) -> tuple[str, ...]:
        """Return the names of the gateway's catalogues.

        Raises:
            GatewayError: the gateway fails.
        """
        return tuple(catalogue["name"] for catalogue in self._get("/v1/catalogues")["catalogues"])

    def similar(self, key: str, model: str, k: int, catalogue: str) -> list[str]:
        """Return the ids of the products nearest to one by a model's vectors; none if it has no vector of the model.

        Raises:
            GatewayError: the gateway fails.
        """
        try:
            path = f"{path_of(catalogue)}/v1/products/{quote(key, safe='')}/similar"
            response = self._get(path, k=k, model=model)
        except GatewayError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return []
            raise
        return [result["id"] for result in response["results"]]

    def rules(self, catalogue: str) -> tuple[dict[str, Any], str]:
        """Return the merchandising rules of a catalogue, and their ETag.

        Raises:
            GatewayError: the gateway fails.
        """
        document, headers = self._send("GET", path_of(catalogue) + RULES)
        return document, headers["ETag"]

    def put_rules(self, catalogue: str, rules: Any, etag: str | None = None) -> dict[str, Any]:
        """Replace the merchandising rules of a catalogue. Returns the rules that hold, and warnings.

        Args:
            catalogue: its name.
            rules: the rules as JSON.
            etag: of the rules that they replace; None for any.

        Raises:
            GatewayError: the gateway fails, the rules are not valid, or they have been changed in the meantime.
        """
        headers = {} if etag is None else {"If-Match": etag}
        return self._send("PUT", path_of(catalogue) + RULES, json=rules, headers=headers)[0]

    def preview(self, catalogue: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the results of a search in the plain order and by rules.

        Raises:
            GatewayError: the gateway fails, or the request is not valid.
        """
        return self._send("POST", path_of(catalogue) + "/v1/merchandising/preview", json=request)[0]

    def _get(self, path: str, **parameters: Any) -> dict[str, Any]:
        return self._send("GET", path, params=parameters)[0]

    def _send(self, method: str, path: str, **request: Any) -> tuple[dict[str, Any], Mapping[str, str]]:
        try:
            response = self._http.request(method, path, **request)
            document: dict[str, Any] = response.json()
        except httpx.HTTPError:
            raise GatewayError(f"no gateway answers at {self.address}: start the stack, or give --gateway") from None
        except ValueError:
            raise GatewayError(f"the server at {self.address} is not a Lookalike gateway") from None
        if response.status_code != httpx.codes.OK:
            detail = str(document.get("detail") or f"the gateway answered {response.status_code}")
            raise GatewayError(detail, response.status_code)
        return document, response.headers
