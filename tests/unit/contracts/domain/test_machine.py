"""The processors that a container may use, and memory that is given back."""

import ctypes
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from services.contracts.domain.machine import (
    available_processors,
    keep_freed_memory,
    memory_trimmer,
    release_freed_memory,
)


@pytest.fixture(autouse=True)
def sixteen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)


@pytest.mark.parametrize(
    ("text", "processors"),
    [
        *(("200000 100000\n", 2), ("150000 100000\n", 2), ("50000 100000\n", 1), ("1600000 100000\n", 16)),
        *(("max 100000\n", 16), ("x\n", 16), ("0 100000\n", 16), ("100000 0\n", 16), ("100000 x\n", 16)),
    ],
)
def test_the_quota_of_version_2(tmp_path: Path, text: str, processors: int) -> None:
    (tmp_path / "cpu.max").write_text(text)
    assert available_processors(tmp_path) == processors


@pytest.mark.parametrize(
    ("quota", "processors"), [("400000\n", 4), ("100001\n", 2), ("-1\n", 16), ("0\n", 16), ("3200000\n", 16)]
)
def test_the_quota_of_version_1(tmp_path: Path, quota: str, processors: int) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota)
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert available_processors(tmp_path) == processors


def test_without_a_control_group_the_affinity_counts(tmp_path: Path) -> None:
    assert available_processors(tmp_path) == 16


def test_memory_is_released_where_the_c_library_can_and_left_alone_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def trim(pad: int) -> int:
        calls.append(pad)
        return 1

    libraries = iter([SimpleNamespace(malloc_trim=trim), SimpleNamespace()])
    monkeypatch.setattr(ctypes, "CDLL", lambda _: next(libraries))
    release_freed_memory()
    release_freed_memory()
    assert calls == [0]


def test_glibc_keeps_freed_memory_until_it_is_released(monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[int, int] = {}
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(mallopt=settings.__setitem__))
    keep_freed_memory()
    assert settings == {-1: 64 * 2**20, -3: 32 * 2**20}  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h


@pytest.mark.parametrize(("count", "processors"), [(3, 3), (None, 1)])
def test_without_an_affinity_the_machines_processors_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int | None, processors: int
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: count)
    assert available_processors(tmp_path) == processors


@pytest.mark.parametrize("error", [OSError, TypeError, AttributeError])
def test_without_glibc_no_memory_is_given_back(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    assert memory_trimmer() is None
    release_freed_memory()
    keep_freed_memory()


def test_the_trimmer_takes_and_returns_numbers_as_in_c(monkeypatch: pytest.MonkeyPatch) -> None:
    function = SimpleNamespace()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(malloc_trim=function))
    trim: Any = memory_trimmer()
    assert trim is function
    assert (trim.argtypes, trim.restype) == ([ctypes.c_size_t], ctypes.c_int)
