"""What a key does in a running gateway: rotation, revocation, quota, the pages, the metrics, pictures by their hash."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.catalogue.api_key import revoked, rotated, without_previous
from services.catalogue.product import StoredImage
from services.contracts.domain.errors import CatalogueUnavailable
from services.contracts.domain.quota import Quota
from services.gateway.access import key_ring
from tests.support.fakes.gateway_fakes import KEY, running_gateway
from tests.support.values.keys import bearer, make_key

READ = "/v1/stats"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read unknown keys without a pause."""
    monkeypatch.setattr(key_ring, "MIN_INTERVAL_S", 0)


def test_on_a_loopback_address_reading_needs_no_key_and_writing_the_admin_key() -> None:
    with running_gateway() as gateway:
        assert gateway.client.get(READ, headers=bearer("nonsense")).status_code == 200
        assert gateway.client.get("/v1/imports").status_code == 200
    with running_gateway(admin_key=KEY) as gateway:
        assert gateway.client.get(READ).status_code == 200
        assert gateway.client.get("/v1/imports").status_code == 401


def test_a_key_of_scope_catalogue_writes_where_an_admin_key_is_set() -> None:
    key, secret = make_key("catalogue")
    with running_gateway([key], admin_key=KEY) as gateway:
        assert gateway.client.get("/v1/imports", headers=bearer(secret)).status_code == 200


def test_a_key_created_later_is_known_at_its_first_use() -> None:
    key, secret = make_key("search")
    with running_gateway(access="keys", keys_refresh_s=3600) as gateway:
        assert gateway.problem("GET", READ, headers=bearer(secret))[:2] == (401, "unauthorised")
        gateway.catalogue.keys.rows.append(key)
        assert gateway.client.get(READ, headers=bearer(secret)).status_code == 200


def test_both_secrets_of_a_rotated_key_are_valid_until_the_overlap_ends() -> None:
    old, first = make_key("search")
    key, second = rotated(old, timedelta(days=7))
    with running_gateway([key], access="keys") as gateway:
        assert {gateway.client.get(READ, headers=bearer(secret)).status_code for secret in (first, second)} == {200}
    with running_gateway([without_previous(key)], access="keys") as gateway:
        assert gateway.client.get(READ, headers=bearer(first)).status_code == 401
        assert gateway.client.get(READ, headers=bearer(second)).status_code == 200


def test_an_expired_key_says_so() -> None:
    key, secret = make_key("search")
    key = replace(key, expires_at=datetime.now(UTC))
    with running_gateway([key], access="keys") as gateway:
        status, slug, detail = gateway.problem("GET", READ, headers=bearer(secret))
        assert (status, slug, detail) == (401, "unauthorised", f"the key {key.id} is expired")


def test_a_revoked_key_is_refused_after_the_next_reading() -> None:
    key, secret = make_key("search")
    with running_gateway([key], access="keys", keys_refresh_s=3600) as gateway:
        assert gateway.client.get(READ, headers=bearer(secret)).status_code == 200
        gateway.catalogue.keys.rows[:] = [revoked(key)]
        gateway.client.get(READ, headers=bearer(make_key("search")[1]))  # an unknown key: the keys are read again
        assert gateway.client.get(READ, headers=bearer(secret)).status_code == 401


def test_known_keys_work_while_the_database_is_unavailable() -> None:
    key, secret = make_key("search")
    with running_gateway([key], access="keys") as gateway:
        gateway.catalogue.keys.trouble = CatalogueUnavailable("the database is down")
        assert gateway.client.get(READ, headers=bearer(secret)).status_code == 200
        status, slug, detail = gateway.problem("GET", READ, headers=bearer(make_key("search")[1]))
        assert (status, slug) == (503, "catalogue-unavailable")
        assert "key cannot be checked" in detail


def test_malformed_keys_do_not_reach_the_database() -> None:
    with running_gateway(access="keys", keys_refresh_s=3600) as gateway:
        before = gateway.catalogue.keys.readings
        for secret in ("x", "lk_", "lk_0123456789ab_short", "é" * 60, "lk_" + "0" * 10_000):
            assert gateway.client.get(READ, headers={"Authorization": f"Bearer {secret}".encode()}).status_code == 401
        assert gateway.catalogue.keys.readings == before


def test_a_key_has_its_own_quota_and_every_response_says_what_is_left() -> None:
    key, secret = make_key("search", quota=Quota(2, 60))
    other, other_secret = make_key("search")
    with running_gateway([key, other], access="keys", key_quota="100/hour") as gateway:
        first = gateway.client.get(READ, headers=bearer(secret))
        assert first.headers["ratelimit-policy"] == '"key";q=2;w=60'
        assert first.headers["ratelimit"].startswith('"key";r=1;t=')
        gateway.client.get(READ, headers=bearer(secret))
        response = gateway.client.get(READ, headers=bearer(secret))
        assert (response.status_code, response.json()["type"]) == (429, "/problems/too-many-requests")
        assert 1 <= int(response.headers["retry-after"]) <= 60
        assert response.headers["ratelimit"].startswith('"key";r=0;t=')
        assert gateway.client.get(READ, headers=bearer(other_secret)).status_code == 200


def test_a_client_address_has_a_quota_and_a_shops_server_with_a_key_has_not() -> None:
    key, secret = make_key("search")
    page, page_secret = make_key("search", origins=["https://shop.example"])
    with running_gateway([key, page], access="keys", client_quota="2/hour") as gateway:
        for _ in range(5):
            assert gateway.client.get(READ, headers=bearer(secret)).status_code == 200
        headers = bearer(page_secret, "https://shop.example")
        assert [gateway.client.get(READ, headers=headers).status_code for _ in range(3)] == [200, 200, 429]
        assert gateway.client.get(READ).status_code == 429  # before its key is looked at
        assert gateway.client.get("/livez").status_code == 200


def test_clients_behind_a_trusted_proxy_are_counted_by_their_own_addresses() -> None:
    def statuses(trusted: str, *forwarded: str) -> list[int]:
        with running_gateway(access="open", client_quota="1/hour", trusted_proxies=trusted) as gateway:
            return [gateway.client.get(READ, headers={"X-Forwarded-For": address}).status_code for address in forwarded]

    assert statuses("*", "198.51.100.1", "198.51.100.2", "198.51.100.1") == [200, 200, 429]
    assert statuses("10.0.0.0/8", "198.51.100.1", "198.51.100.2") == [200, 429]
    # An IPv6 client has a whole network of addresses.
    assert statuses("*", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1") == [200, 429, 200]


def test_pages_need_no_key_and_send_the_one_of_the_settings() -> None:
    key, secret = make_key("search")
    with running_gateway([key], access="keys", page_key=secret) as gateway:
        assert secret in gateway.client.get("/").text
        assert gateway.client.get("/livez").status_code == gateway.client.get("/docs").status_code == 200


def test_metrics_need_a_key_of_their_scope_where_keys_are_required() -> None:
    keys = {scope: make_key(scope) for scope in ("search", "catalogue", "metrics", "admin")}
    with running_gateway([key for key, _ in keys.values()], access="keys") as gateway:
        assert gateway.client.get("/metrics").status_code == 401
        opened = {
            scope: gateway.client.get("/metrics", headers=bearer(secret)).status_code
            for scope, (_, secret) in keys.items()
        }
        assert opened == {"search": 403, "catalogue": 403, "metrics": 200, "admin": 200}
    with running_gateway() as gateway:
        assert gateway.client.get("/metrics").status_code == 200


def test_a_picture_needs_a_key_or_its_hash_in_the_address() -> None:
    key, secret = make_key("search")
    image = StoredImage("image/jpeg", b"a picture")
    with running_gateway([key], access="keys") as gateway:
        gateway.catalogue.pictures.rows["a"] = image
        address = "/v1/products/a/image"
        assert gateway.client.get(f"{address}?v={image.sha256[:12]}").status_code == 200
        assert gateway.client.get(address, headers=bearer(secret)).status_code == 200
        for query in ("", "?v=", f"?v={image.sha256[:11]}", f"?v={'0' * 12}", "?w=120"):
            assert gateway.client.get(address + query).status_code == 401


def test_a_key_with_catalogues_lists_only_these() -> None:
    key, secret = make_key("search", catalogues=["default"])
    with running_gateway([key], access="keys") as gateway:
        names = [c["name"] for c in gateway.client.get("/v1/catalogues", headers=bearer(secret)).json()["catalogues"]]
        assert names == ["default"]


def test_pages_of_a_keys_origins_may_call() -> None:
    shop = "https://shop.example"
    key, secret = make_key("search", origins=[shop])
    asks = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    with running_gateway([key], access="keys") as gateway:
        preflight = gateway.client.options(READ, headers={"Origin": shop, **asks})
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, shop)
        response = gateway.client.get(READ, headers=bearer(secret, shop))
        assert response.headers["access-control-allow-origin"] == shop
        assert gateway.client.options(READ, headers={"Origin": "https://x.example", **asks}).status_code == 400
        refused = gateway.client.get(READ, headers={"Origin": shop})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, shop)


def test_searchers_see_and_filter_by_the_listed_attributes_only() -> None:
    search, secret = make_key("search")
    writer, writer_secret = make_key("catalogue")
    product = {"image_base64": "AA==", "attributes": {"cost": 9.5, "price": 20}}
    with running_gateway([search, writer], access="keys", public_attributes=("price", "gender")) as gateway:
        assert gateway.client.put("/v1/products/a", json=product, headers=bearer(writer_secret)).status_code == 201
        shown = [
            gateway.client.get("/v1/products/a", headers=bearer(key)).json()["attributes"]
            for key in (secret, writer_secret)
        ]
        assert shown == [{"price": 20}, {"cost": 9.5, "price": 20}]
        similar = gateway.client.get("/v1/products/t1/similar", headers=bearer(secret)).json()
        assert all(result["attributes"].keys() <= {"price", "gender"} for result in similar["results"])
        for filter_ in ('{"cost": {"lte": 5}}', '{"$or": [{"price": 1}, {"$not": {"cost": 9.5}}]}'):
            query = {"filter": filter_}
            status, slug, detail = gateway.problem(
                "GET", "/v1/products/t1/similar", params=query, headers=bearer(secret)
            )
            assert (status, slug) == (422, "invalid-request")
            assert "cost" in detail


def test_a_rotation_under_load_refuses_no_request() -> None:
    key, first = make_key("search")
    changed, second = rotated(key, timedelta(days=7))
    with running_gateway([key], access="keys", keys_refresh_s=0.01) as gateway, ThreadPoolExecutor(4) as clients:

        def calls(secret: str) -> list[int]:
            return [gateway.client.get(READ, headers=bearer(secret)).status_code for _ in range(25)]

        before = [clients.submit(calls, first) for _ in range(2)]
        gateway.catalogue.keys.rows[:] = [changed]
        after = [clients.submit(calls, secret) for secret in (first, second)]
        statuses = [status for future in (*before, *after) for status in future.result()]
    assert statuses == [200] * 100
