"""The body of a request with events, exactly at its bounds and in each of its forms."""

import asyncio
from typing import Any

import orjson
import pytest

from services.contracts.domain.errors import InvalidRequest
from services.gateway.events.body import ReadEvents, read_events

JSON, NDJSON, PLAIN = "application/json", "application/x-ndjson", "text/plain"
CLICK: dict[str, Any] = {
    "action_name": "click",
    "request_id": "q1",
    "event_attributes": {"object": {"object_id": "s1"}, "position": {"ordinal": 1}},
}
BAD = {**CLICK, "action_name": "teleport"}


def shown(count: int) -> dict[str, Any]:
    return {**CLICK, "action_name": "impression", "event_attributes": {"objects": [{"object_id": "s"}] * count}}


async def read(value: object, content_type: str = JSON) -> ReadEvents:
    return await read_events(value if isinstance(value, bytes) else orjson.dumps(value), content_type)


def lines(*events: object) -> bytes:
    return b"\n".join(orjson.dumps(event) for event in events)


@pytest.mark.parametrize(
    ("content_type", "body", "indexes", "rejected", "is_batch"),
    [
        (JSON, orjson.dumps(CLICK), [0], [], False),
        (JSON, b" \n" + orjson.dumps([CLICK, CLICK]), [0, 1], [], True),
        (JSON, orjson.dumps([CLICK, BAD, CLICK]), [0, 2], [1], True),
        (PLAIN, orjson.dumps(BAD), [], [0], False),
        (PLAIN, lines(CLICK, BAD), [0], [1], True),
        ("", lines(BAD, CLICK) + b"\n", [1], [0], True),
        (NDJSON, lines(CLICK), [0], [], True),
        (NDJSON, b"\n \n" + lines(CLICK, CLICK) + b"\n\n", [0, 1], [], True),
        (NDJSON, b"[1]\n{\n" + lines(CLICK), [2], [0, 1], True),
        ("application/jsonl", lines(CLICK, CLICK), [0, 1], [], True),
    ],
)
async def test_events_have_the_index_of_their_place(
    content_type: str, body: bytes, indexes: list[int], rejected: list[int], is_batch: bool
) -> None:
    events = await read(body, content_type)
    assert (list(events.events), events.rejected, events.is_batch) == (indexes, rejected, is_batch)
    assert {path for path, _ in events.faults} == (
        {(str(index),) for index in rejected} if is_batch else {()} if rejected else set()
    )


@pytest.mark.parametrize(
    ("content_type", "body", "said"),
    [
        (JSON, b"{", "the body is not valid JSON"),
        (JSON, lines(CLICK, CLICK), "the body is not valid JSON"),  # lines need their type, or none
        (PLAIN, b"{", "the body is not valid JSON"),
        (PLAIN, b"", "the body is not valid JSON"),
        (JSON, b"[]", "the body has no event"),
        (NDJSON, b"", "the body has no event"),
        (NDJSON, b" \n\n", "the body has no event"),
        ("text/html", orjson.dumps([CLICK]), "not text/html"),
    ],
)
async def test_a_body_without_events_is_refused(content_type: str, body: bytes, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        await read(body, content_type)


@pytest.mark.parametrize("event", [CLICK, BAD])
@pytest.mark.parametrize("content_type", [JSON, NDJSON, PLAIN])
async def test_a_request_has_a_thousand_events_at_most(event: dict[str, Any], content_type: str) -> None:
    def body(count: int) -> bytes:
        return orjson.dumps([event] * count) if content_type == JSON else lines(*[event] * count)

    most = await read(body(1000), content_type)
    assert len(most.events) + len(most.rejected) == 1000
    with pytest.raises(InvalidRequest, match="at most 1,000 events"):
        await read(body(1001), content_type)


async def test_a_short_body_of_too_many_events_is_refused() -> None:
    tiny = {"action_name": "click", "request_id": "q", "object_id": "s"}
    assert len(orjson.dumps([tiny] * 1001)) <= 64 * 1024 + 4096
    with pytest.raises(InvalidRequest, match="at most 1,000 events"):
        await read([tiny] * 1001)


@pytest.mark.parametrize(
    ("event", "is_crowded"),
    [
        (dict.fromkeys(map(str, range(20))), False),
        (dict.fromkeys(map(str, range(21))), True),
        ({"event_attributes": dict.fromkeys(map(str, range(21)))}, True),
        ({"event_attributes": [dict.fromkeys(map(str, range(21)))]}, True),
        (shown(100), False),
        (shown(101), True),
    ],
)
async def test_an_event_with_too_many_fields_or_objects_is_not_looked_at(event: Any, is_crowded: bool) -> None:
    faults = [str(item["msg"]) for _, item in (await read([event, BAD])).faults]
    assert any(text.startswith("an event has at most 20 fields at each level") for text in faults) is is_crowded


async def test_a_hundred_faults_are_described_and_the_others_counted_by_event() -> None:
    read_ = await read([{**BAD, "more": 1}] * 60)
    described = [item for _, item in read_.faults if item["type"] != "event"]
    assert len(described) == 100
    assert [item["msg"] for _, item in read_.faults[100:]] == ["the event has 2 errors"] * 10
    assert read_.rejected == list(range(60))


def test_a_rejected_event_is_no_longer_an_event() -> None:
    events = ReadEvents({0: None, 1: None})  # type: ignore[dict-item]
    events.reject(1, {"msg": "a"}, {"msg": "b"})
    events.reject(5, {"msg": "c"})
    assert (list(events.events), events.rejected) == ([0], [1, 5])
    assert events.faults == [(("1",), {"msg": "a"}), (("1",), {"msg": "b"}), (("5",), {"msg": "c"})]


async def test_other_requests_get_their_turn_after_ten_events_each() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await read([BAD] * 35)
    task.cancel()
    assert turns == 3
