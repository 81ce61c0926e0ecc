"""Searches and writes without a pause, and the outcome of each."""

import base64
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Self

import httpx

GIVE_UP_S = 60.0


@dataclass
class SearchTally:
    """The outcomes of the searches since a moment.

    `answered`: at the first attempt. `waited`: after 503 with Retry-After, or after a refused connection. `broken`: in
    progress when the container stopped. `failed`: any other error.
    """

    counts: Counter[str] = field(default_factory=Counter)
    longest_s: float = 0.0
    failures: list[str] = field(default_factory=list)


class Load:
    """Clients of the gateway: some search, and one writes products and records the acknowledged ones.

    Each request has its own connection, as behind most proxies. It is retried as docs/api.md describes: after the
    Retry-After of a 503, or if the connection is refused.
    """

    def __init__(self, gateway: str, photos: list[bytes], searchers: int = 4) -> None:
        # Every request has its own connection.
        self._http = httpx.Client(
            base_url=gateway, timeout=30, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )
        self._photos = photos
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(searchers + 1)
        self._tally = SearchTally()
        self._ended_at = float("inf")
        self.written: list[str] = []
        for number in range(searchers):
            self._pool.submit(self._search_on, number)
        self._pool.submit(self._write_on)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._pool.shutdown()
        self._http.close()

    def new_tally(self) -> None:
        """Reset the counts."""
        with self._lock:
            self._tally, self._ended_at = SearchTally(), float("inf")

    def mark(self) -> None:
        """Record that the container stops now: requests in progress may break."""
        self._ended_at = time.monotonic()

    @property
    def tally(self) -> SearchTally:
        """The counts since the last `new_tally`."""
        return self._tally

    def _search_on(self, number: int) -> None:
        turn = number
        while not self._stop.is_set():
            self._search(self._photos[turn % len(self._photos)])
            turn += 1

    def _search(self, photo: bytes) -> None:
        tally, first = self._tally, time.monotonic()
        outcome = ""
        while not outcome and time.monotonic() < first + GIVE_UP_S:
            outcome = self._try(photo, time.monotonic(), first, tally)
        with self._lock:
            tally.counts[outcome or "failed"] += 1
            tally.longest_s = max(tally.longest_s, time.monotonic() - first)
            if not outcome:
                tally.failures.append(f"no response within {GIVE_UP_S:g} s")

    def _try(self, photo: bytes, began: float, first: float, tally: SearchTally) -> str:
        """Return the outcome of an attempt; an empty string if it has to be retried."""
        try:
            response = self._http.post("/v1/search?k=3", content=photo, headers=RAW)
        except httpx.TransportError as error:
            if began < self._ended_at <= time.monotonic():
                into, out = self._ended_at - began, time.monotonic() - self._ended_at
                with self._lock:
                    tally.failures.append(f"{error!r}, begun {into:.2f} s before the end, broken {out:.2f} s after")
                return "broken"
            time.sleep(0.1)
            return ""
        if response.status_code == 200 and response.json()["results"]:
            return "answered" if began == first or began - first < 0.01 else "waited"
        if response.status_code == 503 and "Retry-After" in response.headers:
            time.sleep(min(0.5, float(response.headers["Retry-After"])))
            return ""
        with self._lock:
            tally.failures.append(f"{response.status_code} {response.text[:200]}")
        return "failed"

    def _write_on(self) -> None:
        number = 0
        while not self._stop.is_set():
            key = f"written-{number}"
            photo = self._photos[number % len(self._photos)]
            body = {"title": f"Written {number}", "image_base64": base64.b64encode(photo).decode()}
            try:
                response = self._http.put(f"/v1/products/{key}", json=body)
                if response.is_success:
                    self.written.append(key)
                    number += 1
            except httpx.TransportError:
                pass
            time.sleep(0.25)


RAW = {"Content-Type": "application/octet-stream"}
