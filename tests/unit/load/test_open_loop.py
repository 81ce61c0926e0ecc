"""What is counted of requests under load, and how overloads, soaks, faults and rotations are judged."""

import asyncio
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.faults.outages.outage import Outage
from tests.load.access import Fairness, Rotation
from tests.load.http import Answer, Sender, prepared, with_key
from tests.load.open_loop import Load, Sample, Samples
from tests.load.overload import Overload
from tests.load.processes import Usage
from tests.load.report import write_section
from tests.load.shop import Request
from tests.load.soak import Soak, drift


def sample(due: float = 0.0, seconds: float = 0.01, status: str = "200", wrong: str = "") -> Sample:
    return Sample("photo", due, seconds, status, wrong)


def samples(*statuses: str, seconds: float = 0.01) -> Samples:
    return Samples([sample(float(number), seconds, status) for number, status in enumerate(statuses)])


def test_an_answer_with_a_wrong_result_is_not_good() -> None:
    assert sample().is_good
    assert not sample(wrong="b in place of a").is_good
    assert not sample(status="503").is_good


def test_samples_are_chosen_by_the_time_at_which_they_were_due() -> None:
    every = samples("200", "503", "200", "504")
    assert every.between(1.0, 3.0).statuses() == {"503": 1, "200": 1}
    assert [failure.status for failure in every.failed()] == ["503", "504"]


class FixedSender(Sender):
    """Answers without a network."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("http://unused")
        self.answer = answer

    async def send(self, request: bytes) -> Answer:
        await asyncio.sleep(0)
        return self.answer


async def test_a_load_checks_answers_of_success_only() -> None:
    def always(request: Request) -> Any:
        while True:
            yield request

    request = Request("photo", b"", lambda answer: f"wrong: {answer.body.decode()}")
    for status, wrong in (("200", ["wrong: x"]), ("503", [])):
        load = Load(FixedSender(Answer(status, b"x")), always(request))
        await load._one(request, 0.0)
        assert load.samples.wrong() == wrong
        assert load.samples.statuses() == {status: 1}


async def test_a_sender_uses_a_connection_again_and_reports_a_lost_one() -> None:
    opened = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        while b"last" not in (head := await reader.readuntil(b"\r\n\r\n")):
            assert b"GET /" in head
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        sender = Sender(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        assert [await sender.send(prepared("GET", "/")) for _ in range(3)] == [Answer("200", b"ok")] * 3
        assert opened == 1
        assert (await sender.send(prepared("GET", "/last"))).status == "disconnected"
        assert opened == 2  # once over the old connection, once over a new one
        sender.close()


def test_a_key_becomes_a_header_field() -> None:
    assert with_key(prepared("GET", "/"), "") == prepared("GET", "/")
    assert b"\r\nAuthorization: Bearer lk_x\r\n" in with_key(prepared("POST", "/", b"body"), "lk_x")


def test_an_overload_is_judged_by_goodput_and_by_the_time_of_refusals() -> None:
    fine = Overload(peak=10.0, seconds=1.0, samples=samples(*["200"] * 10, *["429"] * 20))
    assert fine.problems() == []
    assert "goodput is 80%" in dataclasses.replace(fine, peak=12.5).problems()[0]
    assert (
        "refusal takes 60 ms"
        in dataclasses.replace(fine, samples=samples(*["200"] * 10, *["429"] * 20, seconds=0.06)).problems()[0]
    )
    assert "no overload" in dataclasses.replace(fine, samples=samples(*["200"] * 10)).problems()[0]
    assert "no refusal" in dataclasses.replace(fine, samples=samples(*["200"] * 10, "429", "500")).problems()[0]


@pytest.mark.parametrize(
    ("last", "problem"),
    [
        (Usage(104, 20, 8, 30), []),
        (Usage(105, 20, 8, 30), ["x: memory grew by 5.0%"]),
        (Usage(100, 31, 8, 30), ["x: files from 20 to 31"]),
        (Usage(100, 20, 8, 99), ["x: tasks from 30 to 99"]),
    ],
)
def test_a_soak_is_judged_by_the_first_and_the_last_measurements(last: Usage, problem: list[str]) -> None:
    changed = drift([Usage(100, 20, 8, 30)] * 5 + [last] * 2)
    assert changed.problems("x") == problem
    soak = Soak(30, 10, samples("200"), {"x": changed}, ["changing-1"])
    assert soak.problems() == [*problem, "a lost write: changing-1"]


def outage(**changed: Any) -> Outage:
    values = {
        "part": "tfs",
        "kind": "stop",
        "proof": "process 1 was stopped",
        "begin": 1.0,
        "end": 3.0,
        "seconds": 2.0,
        "samples": samples("200", "503", "200", "504", "200"),
        "rate": 1.0,
    }
    return Outage(**{**values, **changed})


def test_a_fault_has_an_error_rate_and_a_time_to_recover() -> None:
    fine = outage()
    assert fine.error_rate == 0.5
    assert fine.recovery_s == pytest.approx(0.01)  # the request that was due at 3 s failed
    assert fine.problems() == []


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"proof": ""}, "nothing shows that it happened"),
        ({"samples": samples("200", "500")}, "answered 500"),
        ({"samples": samples("200", "disconnected")}, "answered disconnected"),
        ({"samples": Samples([sample(wrong="b in place of a")])}, "a wrong result: b in place of a"),
        ({"lost": ["changing-1"]}, "acknowledged writes are lost: changing-1"),
        ({"samples": samples("200", "503", seconds=40.0)}, "it took 38.0 s to recover"),
    ],
)
def test_a_fault_that_breaks_a_rule_is_a_problem(changed: dict[str, Any], problem: str) -> None:
    assert outage(**changed).problems() == [f"stop tfs: {problem}"]


def test_only_a_fault_of_the_gateway_may_leave_requests_without_an_answer() -> None:
    assert outage(part="gateway", samples=samples("200", "disconnected", "timeout")).problems() == []


def test_a_rotation_may_not_refuse_anybody_until_the_first_secret_is_revoked() -> None:
    fine = Rotation(samples("200"), samples("200"), "401")
    assert fine.problems() == []
    assert "1 requests got 401" in dataclasses.replace(fine, second=samples("200", "401")).problems()[0]
    assert "a revoked secret got 200" in dataclasses.replace(fine, revoked="200").problems()[0]


def test_honest_clients_have_to_be_answered_next_to_a_hog() -> None:
    fine = Fairness(samples("200"), samples(*["429"] * 200), samples(*["200"] * 99, "429"))
    assert fine.answered == pytest.approx(0.99)
    assert fine.problems() == []
    assert "98.0%" in dataclasses.replace(fine, honest=samples(*["200"] * 98, "429", "504")).problems()[0]
    assert "fewer" in dataclasses.replace(fine, hog=samples("429")).problems()[0]


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "reliability.md"
    path.write_text("# A\n\n<!-- soak: begin -->\nold\n<!-- soak: end -->\n\nB\n")
    return path


def test_figures_replace_those_between_the_markers(page: Path) -> None:
    for value in ("1", r"\1"):
        write_section("soak", [("", "figure"), ("peak", value)], ["At night."], page)
    text = page.read_text()
    assert "old" not in text
    assert text.count("| peak |") == 1
    assert "At night.\n\n|  | figure |\n| --- | ---: |\n| peak | \\1 |\n<!-- soak: end -->\n\nB\n" in text


def test_a_section_without_markers_is_an_error(page: Path) -> None:
    with pytest.raises(ValueError, match="markers of overload"):
        write_section("overload", [("", "figure")], (), page)
