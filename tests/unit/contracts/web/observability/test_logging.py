"""What a service writes to stderr, as JSON in containers and as readable lines elsewhere."""

import logging
from collections.abc import Iterator

import orjson
import pytest
import structlog

from services.contracts.web.observability.telemetry import configure_logging


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Afterwards, logging is as it was."""
    before, handlers = structlog.get_config(), list(logging.root.handlers)
    names = ("", "httpx", "httpcore", "uvicorn.access", "pymongo", "python_multipart")
    levels = {name: logging.getLogger(name).level for name in names}
    yield
    structlog.contextvars.clear_contextvars()
    structlog.configure(**before)
    logging.root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_a_line_is_one_json_object_with_time_level_and_service(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("index", json=True)
    structlog.get_logger().info("ready", products=3)
    logging.getLogger("asyncio").warning("slow")
    first, second = map(orjson.loads, capsys.readouterr().err.splitlines())
    assert (first["event"], first["level"], first["service"], first["products"]) == ("ready", "info", "index", 3)
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["level"], second["service"]) == ("slow", "warning", "index")
    assert {"timestamp", "event", "level", "service", "products"} == first.keys()


def test_an_exception_is_part_of_the_object(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("index", json=True)
    try:
        raise ValueError("odd")
    except ValueError:
        structlog.get_logger().exception("failed")
    (line,) = map(orjson.loads, capsys.readouterr().err.splitlines())
    (exception,) = line["exception"]
    assert (exception["exc_type"], exception["exc_value"]) == ("ValueError", "odd")


def test_a_readable_line_has_time_level_event_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("index", json=False)
    structlog.get_logger().warning("late", reason="no answer", seconds=2)
    (line,) = capsys.readouterr().err.splitlines()
    assert "[warning  ] late" in line
    assert line.endswith("reason='no answer' seconds=2 service=index")


def test_lower_levels_and_noisy_libraries_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("index", json=True, level="warning")
    structlog.get_logger().info("ready")
    logging.getLogger("asyncio").info("debugging")
    for noisy in ("httpx", "httpcore", "uvicorn.access", "pymongo", "python_multipart"):
        logging.getLogger(noisy).warning("a request")
    assert capsys.readouterr().err == ""
    logging.getLogger("httpx").error("broken")
    assert '"broken"' in capsys.readouterr().err
