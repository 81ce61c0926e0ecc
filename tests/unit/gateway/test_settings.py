from pathlib import Path

import pytest
from pydantic import ValidationError

from services.contracts.web.run import setting_errors
from services.gateway.settings import GatewaySettings


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_CORS_ORIGINS", "https://a.example, https://b.example,")
    assert GatewaySettings().cors_origins == ("https://a.example", "https://b.example")


def test_index_nodes_are_a_list_of_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert GatewaySettings().index_urls == ("http://127.0.0.1:8002",)
    monkeypatch.setenv("INDEX_URL", "http://a:8002, https://b:8002")
    assert GatewaySettings().index_urls == ("http://a:8002", "https://b:8002")


@pytest.mark.parametrize("value", ["index:8002", "http://a:8002,b", "", ","])
def test_an_index_node_without_an_address_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("INDEX_URL", value)
    with pytest.raises(ValidationError, match=r"with its scheme|at least 1"):
        GatewaySettings()


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_ADMIN_KEY", "")
    monkeypatch.setenv("GATEWAY_PRODUCT_URL_TEMPLATE", "")
    assert GatewaySettings().admin_key is None
    assert GatewaySettings().product_url_template is None


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.9.1"])
def test_on_a_loopback_address_no_keys_are_needed(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("GATEWAY_HOST", host)
    assert GatewaySettings().access == "local"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "gateway.example", ""])
def test_on_another_address_the_gateway_needs_keys_or_an_explicit_decision(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("GATEWAY_HOST", host)
    with pytest.raises(ValidationError, match="set GATEWAY_ACCESS=keys"):
        GatewaySettings()
    for access in ("keys", "open"):
        monkeypatch.setenv("GATEWAY_ACCESS", access)
        assert GatewaySettings().access == access


def test_in_a_container_the_published_address_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_HOST", "0.0.0.0")
    for published in ("127.0.0.1", "[::1]"):
        monkeypatch.setenv("GATEWAY_PUBLISHED_ON", published)
        assert GatewaySettings().access == "local"
    for published in ("0.0.0.0", ""):
        monkeypatch.setenv("GATEWAY_PUBLISHED_ON", published)
        with pytest.raises(ValidationError, match="set GATEWAY_ACCESS=keys"):
            GatewaySettings()


def test_client_addresses_are_counted_unless_access_is_local() -> None:
    assert GatewaySettings().client_rate is None
    assert str(GatewaySettings(access="open").client_rate) == "600/minute"
    assert GatewaySettings(access="open", client_quota="").client_rate is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("CLIENT_QUOTA", "many"), ("KEY_QUOTA", "0/minute"), ("TRUSTED_PROXIES", "10.0.0.1/8"), ("PAGE_KEY", "secret")],
)
def test_a_value_of_access_that_is_not_valid_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"GATEWAY_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        GatewaySettings()


def test_a_template_without_a_place_for_the_id_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_PRODUCT_URL_TEMPLATE", "https://shop.example/")
    with pytest.raises(ValidationError, match=r"\{id\}"):
        GatewaySettings()


def test_keys_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_ADMIN_KEY", "secret-key")
    monkeypatch.setenv("MONGO_URL", "mongodb://user:secret-key@db")
    assert "secret-key" not in repr(GatewaySettings())


def test_the_folder_of_imports_has_to_be_one_that_can_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GATEWAY_IMPORT_DIR", str(tmp_path))
    assert GatewaySettings().import_dir == tmp_path
    monkeypatch.setenv("GATEWAY_IMPORT_DIR", str(tmp_path / "none"))
    with pytest.raises(ValidationError, match="not a folder in which the gateway can write"):
        GatewaySettings()


def test_a_wrong_setting_is_named_as_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_LOG_LEVEL", "loud")
    monkeypatch.setenv("EMBEDDING_URL", "embedding:8001")
    monkeypatch.setenv("GATEWAY_CORS_ORIGINS", "https://a.example,b")
    with pytest.raises(ValidationError) as refused:
        GatewaySettings()
    lines = setting_errors(GatewaySettings, refused.value)
    assert [line.partition(": ")[0] for line in lines] == [
        "setting GATEWAY_LOG_LEVEL",
        "setting EMBEDDING_URL",
        "setting GATEWAY_CORS_ORIGINS",
    ]


def test_the_bounds_of_connections_are_those_of_the_settings() -> None:
    settings = GatewaySettings(
        max_connections=7, max_client_connections=3, head_timeout_s=2, write_timeout_s=4, trusted_proxies=("10.0.0.1",)
    )
    limits = settings.connections()
    assert (limits.connections, limits.client_connections) == (7, 3)
    assert (limits.head_s, limits.write_s) == (2, 4)
    assert (limits.is_proxy("10.0.0.1"), limits.is_proxy("10.0.0.2"), limits.is_proxy("client")) == (True, False, False)
