from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.contracts.web.run import setting_errors
from services.gateway.settings import GatewaySettings, is_loopback
from tests.support.values.keys import make_key


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


@pytest.mark.parametrize(("image", "body"), [(3, 4 + 65536), (10, 13 + 65536), (10 * 1024 * 1024, 13_981_013 + 65536)])
def test_a_body_has_room_for_an_image_in_base64_and_json_around_it(image: int, body: int) -> None:
    assert GatewaySettings(max_image_bytes=image).max_body_bytes == body


@pytest.mark.parametrize(
    ("admin_port", "server", "is_internal"),
    [
        (None, None, True),
        (None, ("127.0.0.1", 8000), True),
        (9000, ("127.0.0.1", 9000), True),
        (9000, ("127.0.0.1", 8000), False),
        (9000, None, False),
        (9000, ("/run/gateway.sock", None), False),
    ],
)
def test_with_a_port_of_its_own_administration_is_there_only(
    admin_port: int | None, server: tuple[str, int | None] | None, is_internal: bool
) -> None:
    settings = GatewaySettings(admin_port=admin_port)
    assert settings.is_internal(server) is is_internal
    assert settings.admin_addresses() == ([] if admin_port is None else [("127.0.0.1", 9000)])


@pytest.mark.parametrize(
    ("trusted", "address", "is_proxy"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("192.0.2.1,10.0.0.0/8", "10.255.0.1", True),
        ("10.0.0.0/8", "11.0.0.1", False),
        ("10.0.0.0/8", "client", False),
        ("10.0.0.0/8,*", "client", True),
        ("10.0.0.0/8,*", "11.0.0.1", True),
        ("", "127.0.0.1", False),
    ],
)
def test_a_proxy_is_trusted_by_its_address_or_network(trusted: str, address: str, is_proxy: bool) -> None:
    assert GatewaySettings(trusted_proxies=trusted).is_proxy(address) is is_proxy  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("127.0.0.1", True),
        ("127.255.0.1", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("128.0.0.1", False),
        ("::2", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_an_address_of_this_machine_is_reached_by_nobody_else(host: str, is_own: bool) -> None:
    assert is_loopback(host) is is_own


def test_quotas_count_where_others_reach_the_gateway() -> None:
    local = GatewaySettings(key_quota="5/minute")
    assert (local.client_rate, local.events_rate, str(local.key_rate)) == (None, None, "5/minute")
    given = GatewaySettings(access="keys", client_quota=" 3/hour", events_quota="7/day", key_quota=None)
    assert (str(given.client_rate), str(given.events_rate), given.key_rate) == ("3/hour", "7/day", None)
    none = GatewaySettings(access="open", client_quota="", events_quota="")
    assert (none.client_rate, none.events_rate) == (None, None)


@pytest.mark.parametrize(
    ("values", "uses_keys"),
    [
        ({}, False),
        ({"access": "open"}, False),
        ({"access": "keys"}, True),
        ({"admin_key": "x" * 20}, True),
        ({"access": "open", "admin_key": "x" * 20}, True),
    ],
)
def test_keys_are_used_where_any_route_needs_one(values: dict[str, Any], uses_keys: bool) -> None:
    assert GatewaySettings(**values).uses_keys is uses_keys


def test_each_kind_of_work_has_its_own_places() -> None:
    settings = GatewaySettings(max_concurrent_searches=1, max_concurrent_similar=2, max_concurrent_writes=3)
    assert settings.places == {"photo": 1, "similar": 2, "write": 3}


def test_the_token_of_the_services_may_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert GatewaySettings().token is None
    monkeypatch.setenv("SERVICE_TOKEN", "a-token-of-some-length")
    assert GatewaySettings().token == "a-token-of-some-length"


def test_a_wrong_page_key_or_template_or_path_is_refused_and_a_right_one_taken() -> None:
    _, secret = make_key("search")
    template = "https://shop.example/p/{id}"
    settings = GatewaySettings(page_key=secret, image_url_template=template, root_path="/shop/", currency="eur")
    assert (settings.page_key, settings.image_url_template, settings.root_path) == (secret, template, "/shop")
    refused: list[dict[str, Any]] = [
        {"page_key": "x"},
        {"image_url_template": "https://x"},
        {"root_path": "shop"},
        {"currency": "EURO"},
    ]
    for wrong in refused:
        with pytest.raises(ValidationError, match=next(iter(wrong))):
            GatewaySettings(**wrong)
