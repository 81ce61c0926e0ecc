import html
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from services.contracts.domain.errors import error_types
from services.gateway.app import create_app
from services.gateway.routes.pages import ASSETS
from services.gateway.settings import GatewaySettings

PAGES = ["/", "/catalogue", "/example-shop"]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(
        create_app(GatewaySettings(admin_key="open sesame", currency="EUR", index_urls=("http://127.0.0.1:9",)))
    ) as client:
        yield client


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_only_its_own_scripts(client: TestClient, path: str) -> None:
    response = client.get(path)
    policy = response.headers["content-security-policy"]
    assert response.status_code == 200
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_revalidated_and_not_sent_twice(client: TestClient, path: str) -> None:
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")


def test_files_of_this_release_are_cached_for_ever_and_others_not_at_all(client: TestClient) -> None:
    now = client.get(f"{ASSETS.prefix}/search/app.js")
    before = client.get("/assets/000000000000/search/app.js")
    assert now.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert before.headers["cache-control"] == "no-store"
    assert now.content == before.content


def test_a_file_is_compressed_for_clients_that_accept_gzip(client: TestClient) -> None:
    path = f"{ASSETS.prefix}/search/app.js"
    compressed = client.get(path, headers={"Accept-Encoding": "br, gzip"})
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    refused = client.get(path, headers={"Accept-Encoding": "gzip;q=0, identity"})
    assert compressed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in refused.headers
    assert compressed.content == plain.content == refused.content
    assert compressed.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("name", ["nothing.js", "../settings.py", "%2e%2e/app.py"])
def test_an_unknown_file_is_not_found(client: TestClient, name: str) -> None:
    assert client.get(f"/assets/{ASSETS.digest}/{name}").status_code == 404


@pytest.mark.parametrize("path", ["/widget.js", "/widget/v1.js"])
def test_the_widget_may_be_loaded_by_any_site(client: TestClient, path: str) -> None:
    script = client.get(path)
    assert script.headers["access-control-allow-origin"] == "*"
    assert script.headers["content-type"].startswith("text/javascript")
    target = script.text.split('"')[1]
    assert client.get(target).headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("slug", error_types())
def test_a_problem_type_leads_to_a_page(client: TestClient, slug: str) -> None:
    kind = error_types()[slug]
    for accept in ("text/html,*/*", "*/*"):
        page = client.get(f"/problems/{slug}", headers={"Accept": accept})
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert slug in page.text
        assert html.escape(kind.remedy) in page.text
        assert "__" not in page.text
    document = client.get(f"/problems/{slug}", headers={"Accept": "application/json"}).json()
    assert document == {
        "type": f"/problems/{slug}",
        "title": kind.title,
        "status": kind.status,
        "remedy": kind.remedy,
    }


def test_an_unknown_problem_type_is_not_found(client: TestClient) -> None:
    assert client.get("/problems/nothing").status_code == 404


@pytest.mark.parametrize("path", ["/no/such/page", "/catalogues/none/", "/problems/none", "/index.html"])
def test_a_browser_sees_a_page_where_there_is_none(client: TestClient, path: str) -> None:
    browser = client.get(path, headers={"Accept": "text/html,*/*;q=0.8", "Accept-Language": "fr"})
    assert (browser.status_code, browser.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert '<html lang="fr"' in browser.text
    assert "&quot;missing&quot;:true" in browser.text
    assert "default-src 'none'" in browser.headers["content-security-policy"]
    assert client.get(path).headers["content-type"] == "application/problem+json"


def test_the_api_has_problem_documents_in_a_browser_too(client: TestClient) -> None:
    response = client.get("/v1/nothing", headers={"Accept": "text/html"})
    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")


def test_the_catalogue_page_is_public_and_its_data_are_not(client: TestClient) -> None:
    assert client.get("/catalogue").status_code == 200
    assert client.get("/v1/catalogue").status_code == 401
    assert client.get("/v1/catalogue", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/v1/catalogue", headers={"Authorization": "Bearer open sesame"}).status_code == 503


def test_a_page_has_the_currency_and_the_catalogue(client: TestClient) -> None:
    text = client.get("/").text
    assert "&quot;currency&quot;:&quot;EUR&quot;" in text
    assert "&quot;catalogue&quot;:&quot;default&quot;" in text
    assert "&quot;urls&quot;:false" in text
    assert "&quot;detect&quot;:true" in text


def test_a_shop_switches_looks_off_with_its_page_file_or_by_having_no_look_model(tmp_path: Path) -> None:
    file = tmp_path / "page.json"
    file.write_text('{"look": false}')
    model = Path("models/look/1")
    for page_file, look_dir, is_shown in ((None, model, True), (file, model, False), (None, None, False)):
        settings = GatewaySettings(page_file=page_file, look_dir=look_dir, index_urls=("http://127.0.0.1:9",))
        with TestClient(create_app(settings)) as client:
            assert f"&quot;look&quot;:{str(is_shown).lower()}" in client.get("/").text
