"""A short run of generated requests and damaged images, with a fixed seed."""

from pathlib import Path

from services.local.stack import Stack
from tests.fuzz.images import fuzz_images
from tests.fuzz.operations import fuzz_operations


def test_damaged_images_are_no_server_errors(stack: Stack) -> None:
    run = fuzz_images(stack.settings.gateway_url, count=150, seed=1)
    assert run.errors == []
    assert {200, 422} <= run.statuses.keys()


def test_generated_requests_get_declared_answers(stack: Stack, tmp_path: Path) -> None:
    is_right, report = fuzz_operations(stack.settings.gateway_url, examples=2, seed=1, folder=tmp_path)
    assert is_right, report
