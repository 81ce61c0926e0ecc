"""Searches and writes without a pause, and what became of each."""

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
class Tally:
    """What became of the searches of one stretch of time.

    `answered` at the first try, `waited` after being told to wait (503 with Retry-After) or finding nobody, `broken` under way
    when the container was ended, `failed` in any other way.
    """

    counts: Counter[str] = field(default_factory=Counter)
    longest_s: float = 0.0
    failures: list[str] = field(default_factory=list)


class Load:
    """Clients of the gateway: searchers, and one that writes products and remembers what was acknowledged.

    Each request has a connection of its own, as behind most proxies, and is tried again as docs/api.md tells: after a 503's
    Retry-After, or when nobody listens.
    """

    def __init__(self, gateway: str, photos: list[bytes], searchers: int = 4) -> None:
        # Every request on a connection of its own, and nothing else to do before it is made.
        self._http = httpx.Client(
            base_url=gateway, timeout=30, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )
        self._photos = photos
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(searchers + 1)
        self._tally = Tally()
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
        """Begin to count anew."""
        with self._lock:
            self._tally, self._ended_at = Tally(), float("inf")

    def mark(self) -> None:
        """Note that the container is being ended now: what is under way may break."""
        self._ended_at = time.monotonic()

    @property
    def tally(self) -> Tally:
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
                tally.failures.append(f"no answer within {GIVE_UP_S:g} s")

    def _try(self, photo: bytes, began: float, first: float, tally: Tally) -> str:
        """Return what became of one attempt; nothing when it is to be made again."""
        try:
            answer = self._http.post("/v1/search?k=3", content=photo, headers=RAW)
        except httpx.TransportError as error:
            if began < self._ended_at <= time.monotonic():
                into, out = self._ended_at - began, time.monotonic() - self._ended_at
                with self._lock:
                    tally.failures.append(f"{error!r}, begun {into:.2f} s before the end, broken {out:.2f} s after")
                return "broken"
            time.sleep(0.1)
            return ""
        if answer.status_code == 200 and answer.json()["results"]:
            return "answered" if began == first or began - first < 0.01 else "waited"
        if answer.status_code == 503 and "Retry-After" in answer.headers:
            time.sleep(min(0.5, float(answer.headers["Retry-After"])))
            return ""
        with self._lock:
            tally.failures.append(f"{answer.status_code} {answer.text[:200]}")
        return "failed"

    def _write_on(self) -> None:
        number = 0
        while not self._stop.is_set():
            key = f"written-{number}"
            photo = self._photos[number % len(self._photos)]
            body = {"title": f"Written {number}", "image_base64": base64.b64encode(photo).decode()}
            try:
                answer = self._http.put(f"/v1/products/{key}", json=body)
                if answer.is_success:
                    self.written.append(key)
                    number += 1
            except httpx.TransportError:
                pass
            time.sleep(0.25)


RAW = {"Content-Type": "application/octet-stream"}
