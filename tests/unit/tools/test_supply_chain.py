"""Licences of what the images hold, the audit's verdict, and workflows whose actions are pinned by their hashes."""

import re
from typing import Any

import pytest
import yaml

from tests.support.values.settings import ROOT
from tools.supply_chain.__main__ import NOT_RUN, judged
from tools.supply_chain.licences import licences, pinned

IMAGES = ("gateway", "embedding", "index", "importer")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("name", IMAGES)
def test_no_package_of_an_image_has_a_licence_that_needs_a_look(name: str) -> None:
    actual = licences(ROOT / "requirements" / f"{name}.txt")
    assert len(actual) > 20
    assert [item for item in actual if item.trouble] == []


def test_pinned_names_are_read_with_their_versions() -> None:
    assert dict(pinned(ROOT / "requirements" / "gateway.txt"))["fastapi"].startswith("0.")


SKIPPED = {"name": "a", "skip_reason": "not found"}
SOUND = {"name": "b", "version": "1", "vulns": []}
FOUND = {"name": "c", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}


@pytest.mark.parametrize(
    ("dependencies", "status", "part"),
    [
        ([SKIPPED, SKIPPED], NOT_RUN, "not run"),
        ([SKIPPED, SOUND], 0, "1 packages checked, 1 not known, 0 vulnerabilities"),
        ([SOUND, FOUND], 1, "c 2: CVE-1, fixed in 3"),
    ],
)
def test_the_audit_says_whether_it_ran(dependencies: list[dict[str, Any]], status: int, part: str) -> None:
    ended, lines = judged(dependencies)
    assert ended == status
    assert part in "\n".join(lines)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: str(path.stem))
def test_actions_are_pinned_by_their_hashes_and_jobs_have_few_rights(path: Any) -> None:
    text = path.read_text()
    used = re.findall(r"uses: (\S+)( # v[\d.]+)?", text)
    assert used
    assert [
        action for action, version in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) or not version
    ] == []
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}


def test_the_update_bot_looks_at_every_image() -> None:
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    folders = {folder for update in updates for folder in update.get("directories", ())}
    assert folders == {f"/{path.parent.relative_to(ROOT)}" for path in ROOT.glob("services/*/Dockerfile")}
    assert {update["package-ecosystem"] for update in updates} == {"github-actions", "docker", "pip"}
