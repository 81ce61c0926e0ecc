"""The client: one method a call. Responses are dictionaries, as in the API's reference at `/docs` of the gateway."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import quote

import httpx

from lookalike_client.photo import Photo, read
from lookalike_client.problem import Problem, Unreachable
from lookalike_client.responses import Deleted, Garments, ImportLine, Product, SearchResponse, SimilarResponse

MERGE_PATCH = "application/merge-patch+json"
NDJSON = "application/x-ndjson"


class Lookalike:
    """The API of one catalogue of a gateway. It may be used by several threads, and as a context manager.

    Every method raises `Problem` for an error response, and `Unreachable` without a response.
    """

    def __init__(
        self,
        address: str = "http://127.0.0.1:8000",
        *,
        key: str | None = None,
        catalogue: str | None = None,
        timeout_s: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            address: the gateway's address, with its path if it has one.
            key: the API key.
            catalogue: the catalogue's name, or `all` to search every one; default: the default one.
            timeout_s: the deadline of each step of a call, in seconds. An import's lines may take longer.
            transport: how requests travel; default: TCP.
        """
        prefix = "" if catalogue is None else f"/catalogues/{quote(catalogue, safe='')}"
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(
            base_url=address.rstrip("/") + prefix, headers=headers, timeout=timeout_s, transport=transport
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def search(self, photo: Photo | None = None, *, url: str | None = None, **options: Any) -> SearchResponse:
        """Find the products that look most like a photo.

        Args:
            photo: the image: bytes, an open file, or a path.
            url: the photo's web address instead, for the gateway to fetch.
            options: as in the API: `k`, `offset`, `category`, `filter`, `min_score`, `facets`, `box` and others.
        """
        return cast(SearchResponse, self._photo_call("/v1/search", photo, url, options))

    def search_pages(self, photo: Photo, *, pages: int = 5, **options: Any) -> Iterator[SearchResponse]:
        """Yield the pages of a search, until the last one or `pages` of them."""
        data = read(photo)
        page: Mapping[str, Any] = {}
        for _ in range(pages):
            response = self.search(data, **{**options, **page})
            yield response
            if response["next_page"] is None:
                return
            page = response["next_page"]

    def detect(self, photo: Photo | None = None, *, url: str | None = None) -> Garments:
        """Find the garments of a photo. A search takes each `box` as it is."""
        return cast(Garments, self._photo_call("/v1/detect", photo, url, {}))

    def similar(self, id: str, **options: Any) -> SimilarResponse:
        """Find the products that look most like one of the catalogue."""
        return cast(SimilarResponse, self._json("GET", f"{_path(id)}/similar", params=_texts(options)))

    def get(self, id: str) -> Product:
        """Return a product as it is stored."""
        return cast(Product, self._json("GET", _path(id)))

    def put(
        self, id: str, image: Photo | None = None, *, images: Iterable[Photo] = (), wait: bool = False, **fields: Any
    ) -> Product:
        """Create or replace a product.

        Args:
            id: the product's id.
            image: its main image; without one, or `image_url` among the fields, an existing product keeps its own.
            images: its additional images.
            wait: whether to return when searches see the product.
            fields: `title`, `url`, `image_url`, `category`, `attributes` and others.
        """
        return self._written("PUT", id, image, images, wait, fields)

    def patch(
        self,
        id: str,
        changes: Mapping[str, Any] | None = None,
        *,
        image: Photo | None = None,
        images: Iterable[Photo] = (),
        wait: bool = False,
    ) -> Product:
        """Change a product: a JSON merge patch, in which None removes. A new image is not needed."""
        return self._written("PATCH", id, image, images, wait, dict(changes or {}))

    def delete(self, id: str, *, wait: bool = False) -> None:
        """Delete a product."""
        self._call("DELETE", _path(id), params=_waiting(wait))

    def delete_many(self, ids: Sequence[str], *, wait: bool = False) -> Deleted:
        """Delete up to 1,000 products."""
        body = {"ids": list(ids)}
        return cast(Deleted, self._json("POST", "/v1/products:delete", json=body, params=_waiting(wait)))

    def products(self, *, limit: int = 500, **options: Any) -> Iterator[Product]:
        """Yield every product of the catalogue, `limit` at a time; `filter` and `category` select some."""
        cursor: dict[str, str] = {}
        while True:
            page = self._json("GET", "/v1/products", params={**_texts(options), "limit": limit, **cursor})
            yield from page["products"]
            if page["next_cursor"] is None:
                return
            cursor = {"cursor": page["next_cursor"]}

    def import_feed(
        self, feed: bytes | Iterable[bytes], *, content_type: str = "application/octet-stream", **options: Any
    ) -> Iterator[ImportLine]:
        """Import a feed, and yield the lines of its response: the import, the outcome of each row, the import again.

        Args:
            feed: the feed, whole or in parts, such as an open file.
            content_type: its type; the gateway recognises a feed of the default type by its first bytes.
            options: `sync`, `mapping`, `name`, `wait` and others.
        """
        headers = {"Content-Type": content_type, "Accept": NDJSON}
        request = self._http.build_request(
            "POST", "/v1/products:import", content=feed, headers=headers, params=_texts(options)
        )
        response = self._send(request, stream=True)
        try:
            for line in response.iter_lines():
                yield json.loads(line)
        except httpx.HTTPError as error:
            raise Unreachable(f"the import broke off: {error}") from None
        finally:
            response.close()

    def send_events(self, events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Send what shoppers did with results, up to 1,000 events. The response names those that are not kept."""
        return self._json("POST", "/v1/events", json=list(events))

    def delete_visitor(self, visitor: str) -> dict[str, Any]:
        """Remove every trace of a visitor; return the number of events and searches."""
        return self._json("DELETE", f"/v1/visitors/{quote(visitor, safe='')}")

    def categories(self) -> list[dict[str, Any]]:
        """Return the categories, each with its number of products."""
        return cast("list[dict[str, Any]]", self._json("GET", "/v1/categories")["categories"])

    def stats(self) -> dict[str, Any]:
        """Return what the index holds, and how it follows the database."""
        return self._json("GET", "/v1/stats")

    def _photo_call(self, path: str, photo: Photo | None, url: str | None, options: Mapping[str, Any]) -> Any:
        if (photo is None) == (url is None):
            raise ValueError("give exactly one of photo and url")
        if url is not None:
            return self._json("POST", path, json={"image_url": url, **_given(options)})
        body = read(cast(Photo, photo))
        headers = {"Content-Type": "application/octet-stream"}
        return self._json("POST", path, content=body, headers=headers, params=_texts(options))

    def _written(
        self, method: str, id: str, image: Photo | None, images: Iterable[Photo], wait: bool, fields: Mapping[str, Any]
    ) -> Product:
        files = [("images", ("image", read(photo))) for photo in images]
        if image is not None:
            files.insert(0, ("image", ("image", read(image))))
        if files:
            part = ("product", (None, json.dumps(fields).encode(), "application/json"))
            return cast(Product, self._json(method, _path(id), files=[*files, part], params=_waiting(wait)))
        headers = {"Content-Type": MERGE_PATCH if method == "PATCH" else "application/json"}
        content = json.dumps(fields).encode()
        return cast(Product, self._json(method, _path(id), content=content, headers=headers, params=_waiting(wait)))

    def _json(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        try:
            return cast("dict[str, Any]", self._call(method, path, **request).json())
        except ValueError:
            raise Unreachable(f"the server at {self._http.base_url} is not a Lookalike gateway") from None

    def _call(self, method: str, path: str, **request: Any) -> httpx.Response:
        return self._send(self._http.build_request(method, path, **request))

    def _send(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        try:
            response = self._http.send(request, stream=stream)
            if response.is_error:
                response.read()
        except httpx.HTTPError as error:
            raise Unreachable(f"no gateway answers at {self._http.base_url}: {error}") from None
        if response.is_error:
            raise _problem(response)
        return response


def _problem(response: httpx.Response) -> Problem:
    try:
        document = response.json()
    except ValueError:
        document = {}
    wait = response.headers.get("retry-after", "")
    return Problem(
        response.status_code, document if isinstance(document, dict) else {}, float(wait) if wait.isdecimal() else None
    )


def _path(id: str) -> str:
    """Return the path of a product. Every character of its id is encoded, slashes too."""
    return f"/v1/products/{quote(id, safe='')}"


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _texts(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options as a query string has them: objects and lists as JSON, boxes with commas."""
    return {name: _text(name, value) for name, value in _given(options).items()}


def _text(name: str, value: Any) -> Any:
    if name == "box" and isinstance(value, Mapping):
        left, top = value["x"], value["y"]
        return f"{left},{top},{min(1.0, left + value['width'])},{min(1.0, top + value['height'])}"
    if name == "box" and not isinstance(value, str):
        return ",".join(map(str, value))
    if isinstance(value, Mapping):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else value


def _waiting(wait: bool) -> dict[str, str]:
    return {"wait": "true"} if wait else {}
