"""Counting of requests: in this process, and what happens if the shared counters fail."""

import time

import pytest
from limits.aio.storage import MemoryStorage
from limits.errors import StorageError

from services.contracts.domain.quota import Quota
from services.contracts.web.run import SettingError
from services.gateway.access.limits import RateLimits, client_name


async def test_a_quota_is_used_up_and_says_when_more_is_allowed() -> None:
    limits = RateLimits("memory://")
    counts = [await limits.count("client", Quota(3, 60), "a") for _ in range(4)]
    assert [(count.remaining, count.is_exceeded) for count in counts] == [(2, False), (1, False), (0, False), (0, True)]
    assert all(1 <= count.reset_s <= 60 for count in counts)
    assert not (await limits.count("client", Quota(3, 60), "b")).is_exceeded
    assert not (await limits.count("key", Quota(3, 60), "a")).is_exceeded


class Broken(MemoryStorage):
    """Counters that cannot be reached."""

    STORAGE_SCHEME = ["async+broken"]  # noqa: RUF012 - as the library declares it
    calls = 0

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        Broken.calls += 1
        raise StorageError(ConnectionError("refused"))


async def test_without_the_shared_counters_a_gateway_counts_by_itself() -> None:
    Broken.calls = 0
    limits = RateLimits("broken://")
    counts = [await limits.count("client", Quota(2, 60), "a") for _ in range(3)]
    assert [count.is_exceeded for count in counts] == [False, False, True]
    assert Broken.calls == 1  # the others do not wait for it


async def test_a_quota_begins_again_after_the_rest_of_its_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 11 * 86400 + 49_600.5)  # the window is the day
    limits = RateLimits("memory://")
    counts = [await limits.count("client", Quota(2, 86400), "a") for _ in range(3)]
    assert [(count.remaining, count.reset_s) for count in counts] == [(1, 36_800), (0, 36_800), (0, 36_800)]


@pytest.mark.parametrize("url", ["nowhere://x", "memory", "redis", ""])
def test_an_address_of_counters_that_cannot_be_used_names_the_setting(url: str) -> None:
    with pytest.raises(SettingError, match="GATEWAY_LIMITS_URL"):
        RateLimits(url)


def test_counters_may_be_in_mongodb() -> None:
    RateLimits("mongodb://127.0.0.1:9/?connect=false")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("", "unknown"),
        ("x" * 1000, "x" * 64),
    ],
)
def test_an_address_is_counted_under_the_name_of_its_client(address: str, name: str) -> None:
    assert client_name(address) == name
