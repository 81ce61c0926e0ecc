"""`make docs` builds a complete site without network access, with the pages outside docs/ and no remote file."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    environment = {"NO_MKDOCS_2_WARNING": "1", "PATH": "/usr/bin:/bin", "http_proxy": "http://127.0.0.1:9"}
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    return folder


def test_every_document_is_a_page(site: Path) -> None:
    documents = [path.relative_to(ROOT / "docs") for path in ROOT.glob("docs/**/*.md")]
    pages = [Path("index.html" if path.name == "README.md" else f"{path.stem}.html") for path in documents]
    assert [str(p) for p, page in zip(documents, pages, strict=True) if not (site / p.parent / page).exists()] == []
    assert (site / "CONTRIBUTING.html").exists()
    assert (site / "models" / "fashion" / "3" / "report" / "report.html").exists()
    assert (site / "openapi.json").read_bytes() == (ROOT / "docs" / "openapi.json").read_bytes()


def test_a_page_loads_nothing_from_another_host(site: Path) -> None:
    loaded = {
        address
        for page in site.glob("**/*.html")
        for address in re.findall(
            r"<(?:script|img|link|iframe)\b[^>]*?(?:src|href)=\"?(https?://[^\s\">]+)", page.read_text()
        )
    }
    assert loaded == set()


def test_links_between_documents_and_to_pages_outside_docs_resolve(site: Path) -> None:
    broken = {
        f"{page.relative_to(site)}: {address}"
        for page in site.glob("**/*.html")
        for address in re.findall(r"<[a-z][^<>]*?\s(?:href|src)=\"?([^\s\">#]+)", page.read_text())
        if not re.match(r"[a-z]+:|/", address) and page.name != "404.html" and not (page.parent / address).exists()
    }
    assert broken == set()
