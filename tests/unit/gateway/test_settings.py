import pytest
from pydantic import ValidationError

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
    with pytest.raises(ValidationError, match=r"address such as|at least 1"):
        GatewaySettings()


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_ADMIN_KEY", "")
    monkeypatch.setenv("GATEWAY_PRODUCT_URL_TEMPLATE", "")
    assert GatewaySettings().admin_key is None
    assert GatewaySettings().product_url_template is None


def test_a_template_without_a_place_for_the_id_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_PRODUCT_URL_TEMPLATE", "https://shop.example/")
    with pytest.raises(ValidationError, match=r"\{id\}"):
        GatewaySettings()


def test_keys_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_ADMIN_KEY", "secret-key")
    monkeypatch.setenv("MONGO_URL", "mongodb://user:secret-key@db")
    assert "secret-key" not in repr(GatewaySettings())
