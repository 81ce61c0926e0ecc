"""The program that decodes large pictures, in this process: its messages, its results and its limits."""

import io
import os
import resource
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from services.contracts.domain.box import Box
from services.contracts.domain.errors import ImageTooLarge, UnsupportedImage
from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import ImageLimits, prepare_image
from services.embedding.vision import decode_worker
from services.embedding.vision.worker_messages import (
    DecodeRequest,
    failure,
    pack,
    read_frame,
    read_request,
    result_of,
    success,
)
from tests.support.pictures import images

SIZE = InputSize(height=32, width=24)
LIMITS = ImageLimits(max_pixels=4_000_000)
FILE = images.encode(images.garment(90, 60), "PNG")
Limits = list[tuple[int, tuple[int, int]]]


def request(file: bytes = FILE, box: Box | None = None) -> DecodeRequest:
    return DecodeRequest(file, SIZE, LIMITS, box, cpu_s=7)


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    """Keep the limits from this process, and return the list of them."""
    placed: Limits = []
    monkeypatch.setattr(resource, "setrlimit", lambda kind, limit: placed.append((kind, limit)))
    monkeypatch.setattr(os, "nice", lambda _: 0)
    return placed


class Sink(io.BytesIO):
    """Records how long the output was each time it was flushed."""

    def __init__(self) -> None:
        super().__init__()
        self.flushed: list[int] = []

    def flush(self) -> None:
        self.flushed.append(self.tell())


def answers(monkeypatch: pytest.MonkeyPatch, *requests: bytes) -> Sink:
    """Return what the program writes for some requests."""
    sink = Sink()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"".join(requests))))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=sink))
    decode_worker.main()
    sink.seek(0)
    return sink


def test_a_message_is_read_as_it_was_written() -> None:
    source = io.BytesIO(pack({"a": 1}, b"data") + pack({}, b"") + b"\0\0\0")
    assert [read_frame(source) for _ in range(3)] == [({"a": 1}, b"data"), ({}, b""), None]


@pytest.mark.parametrize("box", [None, Box(x=0.1, y=0.2, width=0.5, height=0.25)])
def test_a_request_is_read_as_it_was_written(box: Box | None) -> None:
    frame = read_frame(io.BytesIO(request(box=box).frame()))
    assert frame is not None
    assert read_request(frame) == request(box=box)


def test_each_picture_gets_its_answer_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    box = Box(x=0.25, y=0.25, width=0.5, height=0.5)
    sink = answers(monkeypatch, request().frame(), request(b"no picture").frame(), request(box=box).frame())
    assert read_frame(sink) == ({"ready": True}, b"")
    for part in (None, "broken", box):
        frame = read_frame(sink)
        assert frame is not None
        if part == "broken":
            with pytest.raises(UnsupportedImage):
                result_of(frame)
            continue
        picture, facts = result_of(frame)
        expected, expected_facts = prepare_image(FILE, SIZE, LIMITS, part if isinstance(part, Box) else None)
        assert np.array_equal(picture, expected)
        assert facts == expected_facts
    assert read_frame(sink) is None


def test_each_message_is_sent_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ready, both = answers(monkeypatch), answers(monkeypatch, request().frame(), request().frame())
    length = len(both.getvalue())
    assert ready.flushed == [len(ready.getvalue())]
    assert both.flushed == [ready.flushed[0], (ready.flushed[0] + length) // 2, length]


def test_it_leaves_the_processor_to_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    monkeypatch.setattr(os, "nice", steps.append)
    answers(monkeypatch)
    assert steps == [10]


def test_an_error_keeps_its_kind_and_text() -> None:
    frame = read_frame(io.BytesIO(failure(ImageTooLarge("too large by far"))))
    assert frame is not None
    with pytest.raises(ImageTooLarge, match=r"^too large by far$"):
        result_of(frame)


def test_a_picture_that_needs_more_memory_than_there_is_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(decode_worker, "prepare_image", fail)
    sink = answers(monkeypatch, request().frame())
    read_frame(sink)
    frame = read_frame(sink)
    assert frame is not None
    with pytest.raises(ImageTooLarge, match="needs more memory than is available"):
        result_of(frame)


def test_a_result_has_the_shape_of_the_picture() -> None:
    picture, facts = prepare_image(FILE, SIZE, LIMITS)
    frame = read_frame(io.BytesIO(success(picture, facts)))
    assert frame is not None
    assert result_of(frame)[0].shape == (SIZE.height, SIZE.width, 3)


def test_the_limits_are_those_of_the_request(monkeypatch: pytest.MonkeyPatch, limits: Limits) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    monkeypatch.setattr(time, "process_time", lambda: 3.9)
    answers(monkeypatch, request().frame())
    (memory, (soft, _)), (cpu, (seconds, _)) = limits
    assert (memory, cpu) == (resource.RLIMIT_AS, resource.RLIMIT_CPU)
    assert seconds == 3 + 1 + 7
    margin = LIMITS.max_memory_bytes + decode_worker.MARGIN_BYTES
    assert margin < soft < margin + 64 * 2**30  # and what this process has now


def test_memory_is_limited_to_the_present_size_and_that_of_the_picture(
    monkeypatch: pytest.MonkeyPatch, limits: Limits
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "getpagesize", lambda: 4096)
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "1000 20 7 1 0 5 0\n")
    decode_worker.limit_memory(5_000_000)
    expected = 1000 * 4096 + 5_000_000 + 256 * 2**20
    assert limits == [(resource.RLIMIT_AS, (expected, resource.RLIM_INFINITY))]


def test_where_the_size_is_unknown_there_is_no_limit(monkeypatch: pytest.MonkeyPatch, limits: Limits) -> None:
    def missing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    decode_worker.limit_memory(5)
    assert limits == []


def test_a_limit_of_the_system_is_not_exceeded(monkeypatch: pytest.MonkeyPatch, limits: Limits) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1000, 1000))
    decode_worker.limit_memory(5)
    assert limits == [(resource.RLIMIT_AS, (1000, 1000))]
