"""The sample feeds and pictures of reported cases (CASES), with the mark of tests that need them."""

import os
from pathlib import Path

import pytest

CASES = Path(os.environ.get("CASES") or Path(__file__).resolve().parents[4] / "shared" / "cases") / "feeds"
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason=f"there are no cases at {CASES}: set CASES")
