"""What commands ask a running gateway."""

from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from services.contracts.domain.catalogues import DEFAULT, path_of

TIMEOUT_S = 30.0


class GatewayError(Exception):
    """The gateway does not answer, or answers with a problem. The text says which; `status` is its status, if it has one."""

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


class GatewayClient:
    """Reads from a gateway, over one connection."""

    def __init__(self, address: str, transport: httpx.BaseTransport | None = None) -> None:
        """Open nothing yet.

        Raises:
            ValueError: the address is none.
        """
        try:
            url = httpx.URL(address)
        except httpx.InvalidURL as error:
            raise ValueError(f"the gateway's address {address!r} is no address: {error}") from None
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError(f"the gateway's address {address!r} is no address: it must begin with http://")
        self.address = address
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def stats(self, catalogue: str = DEFAULT) -> dict[str, Any]:
        """Return what the installation holds of a catalogue, or of `all`.

        Raises:
            GatewayError: it does not say.
        """
        return self._get(path_of(catalogue) + "/v1/stats")

    def catalogues(self) -> tuple[str, ...]:
        """Return the names of the gateway's catalogues.

        Raises:
            GatewayError: it does not say.
        """
        return tuple(one["name"] for one in self._get("/v1/catalogues")["catalogues"])

    def similar(self, key: str, model: str, k: int, catalogue: str = DEFAULT) -> list[str]:
        """Return the ids of the products that are most like one by a model's vectors; none where the model lacks it.

        Raises:
            GatewayError: it does not say.
        """
        try:
            path = f"{path_of(catalogue)}/v1/products/{quote(key, safe='')}/similar"
            answer = self._get(path, k=k, model=model)
        except GatewayError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return []
            raise
        return [result["id"] for result in answer["results"]]

    def _get(self, path: str, **parameters: Any) -> dict[str, Any]:
        try:
            response = self._http.get(path, params=parameters)
            answer: dict[str, Any] = response.json()
        except httpx.HTTPError:
            raise GatewayError(f"no gateway answers at {self.address}: start the stack, or give --gateway") from None
        except ValueError:
            raise GatewayError(f"what answers at {self.address} is no Lookalike gateway") from None
        if response.status_code != httpx.codes.OK:
            detail = str(answer.get("detail") or f"the gateway answered {response.status_code}")
            raise GatewayError(detail, response.status_code)
        return answer
